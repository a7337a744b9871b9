"""What a schema asks of a feature, in words."""

from __future__ import annotations

from tensorflow_metadata.proto.v0 import schema_pb2

from components.gate.observations import number, quoted

_TYPES = {
    schema_pb2.FeatureType.BYTES: "text",
    schema_pb2.FeatureType.INT: "whole numbers",
    schema_pb2.FeatureType.FLOAT: "numbers",
}


def describe_type(feature: schema_pb2.Feature) -> str:
    """The type of the feature's values: "text", "whole numbers" or "numbers"."""
    return _TYPES.get(feature.type, "values")


def domain(feature: schema_pb2.Feature) -> schema_pb2.IntDomain | schema_pb2.FloatDomain | None:
    """The feature's numeric domain, if it has one."""
    if feature.HasField("int_domain"):
        return feature.int_domain
    return feature.float_domain if feature.HasField("float_domain") else None


def limits(feature: schema_pb2.Feature) -> tuple[float | None, float | None]:
    """The lowest and the highest allowed value; None where there is no limit."""
    found = domain(feature)
    if found is None:
        return None, None
    return (found.min if found.HasField("min") else None), (found.max if found.HasField("max") else None)


def bounds(feature: schema_pb2.Feature) -> str:
    """The allowed range, such as "values from 18 to 80"."""
    low, high = limits(feature)
    if low is not None and high is not None:
        return f"values from {number(low)} to {number(high)}"
    if low is not None:
        return f"values of at least {number(low)}"
    return f"values of at most {number(high)}" if high is not None else describe_type(feature)


def allowed_values(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> list[str] | None:
    """The values that a text feature may take; None where any may come."""
    if feature.HasField("string_domain"):
        return list(feature.string_domain.value)
    for each in schema.string_domain:
        if feature.HasField("domain") and each.name == feature.domain:
            return list(each.value)
    return None


def describe_values(feature: schema_pb2.Feature, schema: schema_pb2.Schema) -> str:
    """The allowed values, the first ones if they are many."""
    allowed = allowed_values(feature, schema)
    return describe_type(feature) if allowed is None else f"one of {quoted(allowed)}"


def presence(feature: schema_pb2.Feature) -> str:
    """How many customers must have a value."""
    fraction, count = feature.presence.min_fraction, feature.presence.min_count
    if 0 < fraction < 1:
        return f"a value for at least {100 * fraction:.4g} % of the customers"
    if fraction == 0 and count > 0 and not feature.HasField("shape"):
        return f"a value for at least {count:,} {'customer' if count == 1 else 'customers'}"
    return "a value for every customer"
