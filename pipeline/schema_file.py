"""Curated schemas: reading, staging under a name that follows the content, comparing."""

from __future__ import annotations

import hashlib
import os

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2

from configs.errors import ConfigError
from pipeline.workspace import Workspace


def read_schema(path: str) -> schema_pb2.Schema:
    """Reads a schema in text format.

    Raises:
      ConfigError: naming the file and the place.
    """
    try:
        with open(path, encoding="utf-8") as file:
            return text_format.Parse(file.read(), schema_pb2.Schema())
    except OSError as error:
        raise ConfigError(f"validation.schema: {path} cannot be read: {error.strerror}") from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        raise ConfigError(f"validation.schema: {path}: {error}") from error


def stage_schema(path: str | None, workspace: Workspace) -> str | None:
    """Copies a curated schema to where its name changes with its content: TFX's cache looks at names only.

    Shapes and counts of values are left out: a feature without a fixed shape may be missing, at training as in
    production.
    """
    if path is None:
        return None
    schema = read_schema(path)
    for feature in schema.feature:
        feature.ClearField("shape")
        # One value or none is all that a customer can have of a column; whether none will do is `presence`.
        feature.ClearField("value_count")
    text = text_format.MessageToString(schema)
    staged = os.path.join(
        workspace.inputs, f"schema-{hashlib.sha256(text.encode()).hexdigest()[:16]}", "schema.pbtxt"
    )
    os.makedirs(os.path.dirname(staged), exist_ok=True)
    with open(staged, "w") as file:
        file.write(text)
    return staged


def schema_differences(curated: schema_pb2.Schema, inferred: schema_pb2.Schema) -> list[str]:
    """What the data says now against what was curated, a line per difference."""
    old = {feature.name: feature for feature in curated.feature}
    new = {feature.name: feature for feature in inferred.feature}
    lines = [f"{name}: in the schema, not in the data" for name in old if name not in new]
    lines += [f"{name}: in the data, not in the schema" for name in new if name not in old]
    for name in old.keys() & new.keys():
        before, now = describe_feature(old[name], curated), describe_feature(new[name], inferred)
        lines += [
            f"{name}: {aspect} is {before[aspect]} in the schema, {now[aspect]} in the data"
            for aspect in before
            if before[aspect] != now[aspect]
        ]
    return sorted(lines)


def describe_feature(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> dict[str, str]:
    """Type, presence and domain of a feature in words."""
    presence = feature.presence
    if presence.min_fraction == 1.0:
        present = "required"
    elif presence.min_fraction:
        present = f"in {presence.min_fraction:.0%} of rows at least"
    else:
        present = "optional"
    return {
        "type": schema_pb2.FeatureType.Name(feature.type).lower(),
        "presence": present,
        "domain": _domain(feature, schema),
    }


def _domain(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    kind = feature.WhichOneof("domain_info")
    if kind == "domain":
        values = next((list(d.value) for d in schema.string_domain if d.name == feature.domain), [])
        return _listed(values)
    if kind == "string_domain":
        return _listed(list(feature.string_domain.value))
    if kind in ("int_domain", "float_domain"):
        domain = getattr(feature, kind)
        low = domain.min if domain.HasField("min") else "-inf"
        high = domain.max if domain.HasField("max") else "inf"
        return f"[{low}, {high}]"
    return "any"


def _listed(values: list[str]) -> str:
    shown = ", ".join(sorted(values)[:8])
    return f"{shown}, ... ({len(values)} values)" if len(values) > 8 else shown
