"""Executor of the gate: decides on what ExampleValidator found."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

from absl import logging
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx import types
from tfx.components.example_validator.executor import DEFAULT_FILE_NAME
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils

from components.errors import DataError
from components.example_files import example_files, read_ingest
from components.gate.findings import Finding, describe, merge_anomalies
from components.gate.observations import observe
from components.gate.rows import count_rows
from configs.validation import ValidationConfig

VERDICT_FILE = "verdict.json"


class Executor(base_executor.BaseExecutor):
    """Lets the run go on, or stops it with one line per problem."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the verdict.

        Args:
          input_dict:
            - anomalies: what ExampleValidator found, by split.
            - statistics: of the same splits.
            - schema: what was expected.
            - examples: the customer table.
          output_dict:
            - verdict: a DataVerdict; gets `verdict.json`.
          exec_properties:
            - validation_config: `configs.validation.ValidationConfig` as JSON.
            - min_customers: the smallest number of segments, which needs as many customers to train on.

        Raises:
          DataError: There are too few customers, or anomalies of features that are not in `warn_only`.
        """
        config = ValidationConfig.model_validate_json(exec_properties["validation_config"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        statistics = _read_statistics(artifact_utils.get_single_instance(input_dict["statistics"]))
        schema = _read_schema(artifact_utils.get_single_instance(input_dict["schema"]))
        reported = _read_anomalies(artifact_utils.get_single_instance(input_dict["anomalies"]))

        anomalies = merge_anomalies(reported)
        ingest = read_ingest(examples.uri)
        customers = ingest.get("customers") or _customers(statistics)
        observations = observe(statistics, ingest.get("columns", ()))
        count_rows(example_files(examples), anomalies, schema, observations)
        described = (
            describe(anomaly, schema, observations.get(anomaly.feature), config.warn_only)
            for anomaly in anomalies
        )
        # TFDV has two words for a value that is missing, according to how many are: one line for both.
        findings = list(dict.fromkeys(described))
        total = sum(customers.values())
        problems = too_few(customers, exec_properties["min_customers"], config.min_customers)
        problems += [finding.line(total) for finding in findings if finding.severity == "stop"]
        if problems:
            raise DataError("\n".join(problems))
        for finding in findings:
            logging.warning("Let through, as validation.warn_only says: %s", finding.line(total))
        verdict = artifact_utils.get_single_instance(output_dict["verdict"])
        _write(verdict, len(schema.feature), total, findings)


def too_few(customers: Mapping[str, int], k: int, min_customers: int | None) -> list[str]:
    """What is wrong with the number of customers: at most one line.

    Args:
      customers: By split.
      k: The number of segments.
      min_customers: The fewest customers the configuration allows, if it says so.
    """
    total, held_out = sum(customers.values()), customers.get("eval", 0)
    if total == 0:
        return [
            "no customer at all: the table is empty or every row was dropped; see data.path and data.keep"
        ]
    counted = f"{total:,} {'customer' if total == 1 else 'customers'}"
    if min_customers is not None and total < min_customers:
        return [f"{counted} where validation.min_customers asks for at least {min_customers:,}"]
    if customers.get("train", 0) < k:
        of_them = f", {held_out:,} of them held out for evaluation," if held_out else ""
        return [
            f"{counted}{of_them} for k = {k} segments: give more customers, or a smaller model.k "
            "(tuner.min_k where it is auto)"
        ]
    if held_out == 0:
        return [f"{counted}, none of them held out: too few to evaluate a model on, give more customers"]
    return []


def _read_anomalies(artifact: types.Artifact) -> dict[str, anomalies_pb2.Anomalies]:
    found = {}
    for split in artifact_utils.decode_split_names(artifact.split_names):
        path = os.path.join(artifact_utils.get_split_uri([artifact], split), DEFAULT_FILE_NAME)
        found[split] = anomalies_pb2.Anomalies.FromString(io_utils.read_bytes_file(path))
    return found


def _read_statistics(artifact: types.Artifact) -> dict[str, statistics_pb2.DatasetFeatureStatisticsList]:
    splits = artifact_utils.decode_split_names(artifact.split_names)
    return {split: stats_artifact_utils.load_statistics(artifact, split).proto() for split in splits}


def _read_schema(artifact: types.Artifact) -> schema_pb2.Schema:
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(artifact.uri))


def _customers(statistics: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList]) -> dict[str, int]:
    return {split: sum(each.num_examples for each in lists.datasets) for split, lists in statistics.items()}


def _write(verdict: types.Artifact, features: int, customers: int, findings: list[Finding]) -> None:
    content = {
        "passed": True,
        "checked_features": features,
        "customers": customers,
        "anomalies": [dataclasses.asdict(finding) for finding in findings],
    }
    path = os.path.join(verdict.uri, VERDICT_FILE)
    io_utils.write_string_file(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
