"""Executor of `DriftCheck`: compares, warns or stops."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx import types
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.drift.features import FeatureDrift, compare_features
from components.drift.population import (
    PopulationDrift,
    compare_distances,
    compare_outliers,
    compare_segments,
)
from components.drift.scoring import CannotAssign, assign_sample
from components.errors import DataError, ServingError
from components.example_files import example_files
from components.reference_statistics import SPLIT, read_reference_statistics
from components.segments_file import read_segments
from configs.drift import DriftConfig

DRIFT_FILE = "drift.json"
HELD_OUT = "eval"


class Executor(base_executor.BaseExecutor):
    """Says in what today's customers differ from those of the served model."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the comparison.

        Args:
          input_dict:
            - served_model: the model in production, or the word that there is none.
            - statistics: of today's customers; the split `train` is compared.
            - schema: today's, perhaps with thresholds of its own.
            - examples: today's customers, all splits.
            - request_statistics: of the rows that the served model was asked about, or nothing.
          output_dict:
            - drift: a DriftReport; gets `drift.json` (docs/drift.md says what is in it). Its custom property
              `drifted` is 1 or 0, and so is `retrain`: whether a new model is to be trained.
          exec_properties:
            - drift_config: `configs.drift.DriftConfig` as JSON.
            - config_hash: of the model that would be trained; "" where one is trained in any case.

        Raises:
          DataError: Something is above its threshold and `action` is `stop`.
        """
        config = DriftConfig.model_validate_json(exec_properties["drift_config"])
        report = artifact_utils.get_single_instance(output_dict["drift"])
        served = artifact_utils.get_single_instance(input_dict["served_model"])
        found = _Comparison(config)
        if served.get_int_custom_property("served"):
            found.version = served.get_string_custom_property("version")
            model_dir = path_utils.serving_model_path(served.uri)
            _compare(found, model_dir, input_dict)
            found.retrain = _why_retrain(found, model_dir, exec_properties.get("config_hash") or "")
        else:
            found.reason = "no model is served yet: there is nothing to compare with"
        for note in filter(None, [found.reason, *found.gaps, *found.notes]):
            logging.warning("Drift: %s.", note)
        above = [*found.sentences, *found.skew]
        if above and config.action == "stop":
            raise DataError("\n".join(above))
        for sentence in above:
            logging.warning("Drift since version %s: %s", found.version, sentence)
        report.set_int_custom_property("drifted", int(bool(found.sentences)))
        report.set_int_custom_property("retrain", int(bool(found.retrain)))
        logging.info("A new model is trained: %s.", found.retrain or "no, the served one is kept")
        content = json.dumps(found.as_json(), indent=1, ensure_ascii=False, allow_nan=False)
        io_utils.write_string_file(os.path.join(report.uri, DRIFT_FILE), content + "\n")


@dataclasses.dataclass
class _Comparison:
    """What was found; see docs/drift.md. gaps: what could not be compared; notes: what else is worth saying."""

    config: DriftConfig
    version: str | None = None
    reason: str = ""
    retrain: str = "no model is served yet"
    gaps: list[str] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)
    features: list[FeatureDrift] = dataclasses.field(default_factory=list)
    requests: list[FeatureDrift] | None = None
    segments: PopulationDrift | None = None
    distance: PopulationDrift | None = None
    outliers: PopulationDrift | None = None

    @property
    def sentences(self) -> list[str]:
        """One for each comparison that is above its threshold."""
        whole = (self.segments, self.distance, self.outliers)
        every: list[FeatureDrift | PopulationDrift] = [*self.features, *(each for each in whole if each)]
        return [each.sentence for each in every if each.drifted]

    @property
    def skew(self) -> list[str]:
        """One for each feature in which requests are not like the customers that the model was made from."""
        return [f"requests: {each.sentence}" for each in self.requests or () if each.drifted]

    def as_json(self) -> dict[str, Any]:
        """The content of `drift.json`."""
        whole = {name: getattr(self, name) for name in ("segments", "distance", "outliers")}
        return {
            "reference_version": self.version,
            "reason": self.reason,
            "notes": [*self.gaps, *self.notes],
            "action": self.config.action,
            "drifted": bool(self.sentences),
            "sentences": self.sentences,
            "retrain": self.retrain,
            "skew": self.skew,
            "features": [dataclasses.asdict(each) for each in self.features],
            "requests": None
            if self.requests is None
            else [dataclasses.asdict(each) for each in self.requests],
            **{name: each.as_json() if each else None for name, each in whole.items()},
        }


def _why_retrain(found: _Comparison, model_dir: str, config_hash: str) -> str:
    """Why the served model is not kept; empty where it is."""
    if found.config.action != "retrain" or not config_hash:
        return "new data always makes a new model" if found.config.action != "retrain" else "it was asked for"
    if found.reason or found.gaps:
        # Whether anything has drifted is not known.
        return "; ".join(filter(None, [found.reason, *found.gaps]))
    if found.sentences:
        return "the customers have drifted"
    if read_segments(model_dir).get("config_hash") != config_hash:
        return "the configuration has changed"
    return ""


def _compare(found: _Comparison, model_dir: str, input_dict: Mapping[str, list[types.Artifact]]) -> None:
    try:
        described = read_segments(model_dir)
        reference = read_reference_statistics(model_dir)
    except ServingError as error:
        # A damaged reference must not keep its successor from being trained.
        found.reason = str(error)
        return
    if reference is None:
        found.gaps.append(
            f"version {found.version} was pushed without its statistics: its features are not compared"
        )
    else:
        statistics = artifact_utils.get_single_instance(input_dict["statistics"])
        schema = artifact_utils.get_single_instance(input_dict["schema"])
        features = [feature["name"] for feature in described.get("features", ())]
        unused = sorted(set(found.config.features.columns) - set(features))
        if unused:
            found.notes.append(
                f"version {found.version} does not use {', '.join(unused)}, as drift.features.columns expects"
            )
        expected = _schema(schema)
        found.features = compare_features(
            reference, _of_split(statistics, SPLIT), features, found.config.features, expected
        )
        if input_dict.get("request_statistics"):
            asked = _of_split(artifact_utils.get_single_instance(input_dict["request_statistics"]), SPLIT)
            found.requests = compare_features(reference, asked, features, found.config.features, expected)
    _compare_population(found, described, model_dir, input_dict)


def _compare_population(
    found: _Comparison,
    described: Mapping[str, Any],
    model_dir: str,
    input_dict: Mapping[str, list[types.Artifact]],
) -> None:
    config = found.config
    if config.segments is None and config.distance is None and config.outliers is None:
        return
    statistics = artifact_utils.get_single_instance(input_dict["statistics"])
    examples = artifact_utils.get_single_instance(input_dict["examples"])
    splits = artifact_utils.decode_split_names(statistics.split_names)
    customers = sum(_of_split(statistics, split).num_examples for split in splits)
    if customers > config.max_customers:
        # Those held out are a sample already, by a hash of the id: of a million customers the others are not read.
        splits = [HELD_OUT]
        customers = _of_split(statistics, HELD_OUT).num_examples
    try:
        assigned = assign_sample(model_dir, example_files(examples, splits), customers, config.max_customers)
    except CannotAssign as error:
        found.gaps.append(f"version {found.version} cannot assign today's customers: {error}")
        return
    found.segments = compare_segments(described, assigned, config)
    if "distances" not in described:
        found.gaps.append(
            f"version {found.version} was made without the distances of its customers: they are not compared"
        )
        return
    found.distance = compare_distances(described, assigned, config)
    found.outliers = compare_outliers(described, assigned, config)


def _of_split(statistics: types.Artifact, split: str) -> statistics_pb2.DatasetFeatureStatistics:
    (table,) = stats_artifact_utils.load_statistics(statistics, split).proto().datasets
    return table


def _schema(artifact: types.Artifact) -> schema_pb2.Schema:
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(artifact.uri))
