"""Executor of `FeatureSelection`: reads a sample of the customers, judges the features, writes what is left."""

from __future__ import annotations

import json
import os
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.errors import DataError, ServingError
from components.example_files import example_files
from components.segments_file import read_segments
from components.selection.choice import as_json, select
from components.selection.encoding import encode_all
from components.selection.sample import read_sample
from components.selection.target import read_target
from configs.features import FeaturesConfig
from configs.selection import SelectionConfig
from transforms.plan import FeaturePlan, plan_features

SELECTION_FILE = "selection.json"
SCHEMA_FILE = "schema.pbtxt"
SPLIT = "train"


class Executor(base_executor.BaseExecutor):
    """Decides which features the model is made of."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the schema of the features that are left, and why the others are not.

        Args:
          input_dict:
            - table: the customers as Parquet; the split `train` is looked at.
            - schema: of the table.
            - served_model: the model in production, or the word that there is none.
          output_dict:
            - selected_schema: gets `schema.pbtxt`, with the kept features alone.
            - selection: a SelectedFeatures; gets `selection.json` (docs/selection.md says what is in it), and the int
              custom properties `kept` and `dropped`.
          exec_properties:
            - selection_config, features_config: the sections as JSON.
            - id_column: never a feature.
            - segments: how many provisional segments stand for a target.

        Raises:
          DataError: there is no such target, or it cannot be told; or the filters leave nothing.
        """
        config = SelectionConfig.model_validate_json(exec_properties["selection_config"])
        features = FeaturesConfig.model_validate_json(exec_properties["features_config"])
        schema = _read_schema(artifact_utils.get_single_instance(input_dict["schema"]))
        plan = _plan(schema, features, config, exec_properties["id_column"])
        asked = [*plan.names, *([config.target] if config.target else [])]
        files = example_files(artifact_utils.get_single_instance(input_dict["table"]), [SPLIT])
        sample = read_sample(files, asked, config.sample)
        orders = {name: choice.order for name, choice in features.columns.items() if choice.order}
        kinds = {name: plan.kind(name) for name in plan.names}
        target = read_target(config.target, sample.columns[config.target]) if config.target else None
        selection = select(
            encode_all(sample.columns, kinds, orders),
            config,
            target,
            exec_properties["segments"],
            _served(artifact_utils.get_single_instance(input_dict["served_model"])),
        )
        content = {
            "asked": config.method,
            **as_json(
                selection,
                target,
                {"customers": sample.customers, "of": sample.of, "split": SPLIT},
                config.seed,
            ),
        }
        for sentence in content["sentences"]:
            logging.info("Feature selection: %s", sentence)
        for warning in content["warnings"]:
            logging.warning("Feature selection: %s", warning)
        _write_schema(output_dict["selected_schema"], schema, selection.kept)
        artifact = artifact_utils.get_single_instance(output_dict["selection"])
        artifact.set_int_custom_property("kept", len(selection.kept))
        artifact.set_int_custom_property("dropped", len(selection.dropped))
        text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False)
        io_utils.write_string_file(os.path.join(artifact.uri, SELECTION_FILE), text + "\n")


def _plan(
    schema: schema_pb2.Schema, features: FeaturesConfig, config: SelectionConfig, id_column: str
) -> FeaturePlan:
    """The features there would be without a selection."""
    columns = {feature.name: feature.type != schema_pb2.BYTES for feature in schema.feature}
    for column, key in config.named_columns.items():
        if column not in columns:
            raise DataError(f"{key}: there is no column '{column}' in the schema of the customer table")
    columns.pop(config.target or "", None)
    try:
        return plan_features(features, columns, id_column)
    except ValueError as error:
        raise DataError(str(error)) from error


def _served(model: types.Artifact) -> list[str]:
    """What the served model uses, if it was made of a selection; one that was not uses everything there was."""
    if not model.get_int_custom_property("served"):
        return []
    try:
        content = read_segments(path_utils.serving_model_path(model.uri))
        return [str(each["name"]) for each in content["features"]] if content.get("selected") else []
    except (ServingError, KeyError, TypeError) as error:
        # A damaged model must not keep its successor from being trained.
        logging.warning("Feature selection: the served model does not say what it uses: %s", error)
        return []


def _read_schema(artifact: types.Artifact) -> schema_pb2.Schema:
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(artifact.uri))


def _write_schema(output: list[types.Artifact], schema: schema_pb2.Schema, kept: list[str]) -> None:
    left = schema_pb2.Schema()
    left.CopyFrom(schema)
    del left.feature[:]
    left.feature.extend(feature for feature in schema.feature if feature.name in kept)
    # Domains that no feature refers to any more stay: they do no harm.
    path = os.path.join(artifact_utils.get_single_instance(output).uri, SCHEMA_FILE)
    io_utils.write_pbtxt_file(path, left)
