"""Evaluator's executor: chooses what to compare with, lets TFMA evaluate, writes the verdict, blesses."""

from __future__ import annotations

import os
from typing import Any

import tensorflow_model_analysis as tfma
from absl import logging
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.components.evaluator import constants
from tfx.dsl.components.base import base_beam_executor
from tfx.types import Artifact, artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import io_utils, json_utils, path_utils, proto_utils

from components.evaluator.baseline import compare_with
from components.evaluator.eval_config import without_comparison
from components.evaluator.extractors import block_extractors, sliced_columns
from components.evaluator.reading import read_batches
from components.evaluator.results import verdict_of
from components.evaluator.verdict import write_verdict
from components.example_files import example_files, read_ingest


class Executor(base_beam_executor.BaseBeamExecutor):
    """TFX's Evaluator with the served model as baseline, where it can be one, and customers in large batches.

    TFX's own executor reads customers one by one, which takes longer than measuring them; what it makes of TFMA's
    result (the blessing and its properties) is the same here.
    """

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Evaluates the candidate, and blesses it if every threshold holds.

        Args:
          input_dict: `examples` (split `eval`), `model`, optional `schema`, and optional `baseline_model`:
            a Model whose int custom property `served` is 1 where it is one, with its `version`.
          output_dict: `evaluation`: TFMA's results and `verdict.json` (see `verdict.Verdict`);
            `blessing`: int custom property `blessed` 1 or 0.
          exec_properties: `eval_config` (from `build_eval_config`), `example_splits`.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        asked = proto_utils.json_to_proto(exec_properties[keys.EVAL_CONFIG_KEY], tfma.EvalConfig())
        splits = json_utils.loads(exec_properties.get(keys.EXAMPLE_SPLITS_KEY) or "null") or ["eval"]
        candidate = artifact_utils.get_single_instance(input_dict[keys.MODEL_KEY])
        comparison = compare_with(
            candidate=candidate,
            served=input_dict.get(keys.BASELINE_MODEL_KEY, []),
            examples=input_dict[keys.EXAMPLES_KEY],
            split=splits[0],
        )
        baseline = input_dict[keys.BASELINE_MODEL_KEY][0] if comparison.version is not None else None
        # Where there is no model to compare with, this takes the baseline and all bounds on changes out.
        config = tfma.utils.update_eval_config_with_defaults(
            without_comparison(asked, frozenset(comparison.left_out)),
            has_baseline=baseline is not None,
            rubber_stamp=True,
        )
        tfma.utils.verify_eval_config(config)
        evaluation = artifact_utils.get_single_uri(output_dict[keys.EVALUATION_KEY])
        files = [
            file for artifact in input_dict[keys.EXAMPLES_KEY] for file in example_files(artifact, splits)
        ]
        id_column = read_ingest(artifact_utils.get_single_uri(input_dict[keys.EXAMPLES_KEY])).get("id_column")
        self._evaluate(config, candidate, baseline, files, _schema(input_dict), id_column, evaluation)
        verdict = verdict_of(evaluation, asked, comparison)
        write_verdict(evaluation, verdict)
        for threshold in verdict.thresholds:
            logging.info("%s: %s", "held" if threshold.held else "NOT HELD", threshold.sentence)
        for column in sorted(set(sliced_columns(asked)) - {item.column for item in verdict.slices}):
            logging.warning(
                "evaluation.slices names '%s', of which no evaluated customer has a value", column
            )
        blessing = artifact_utils.get_single_instance(output_dict[keys.BLESSING_KEY])
        _bless(blessing, verdict.blessed, candidate, baseline, exec_properties)

    def _evaluate(
        self,
        config: tfma.EvalConfig,
        candidate: Artifact,
        baseline: Artifact | None,
        files: list[str],
        schema: schema_pb2.Schema | None,
        id_column: str | None,
        output_path: str,
    ) -> None:
        models = [
            tfma.default_eval_shared_model(
                _saved_model(baseline if spec.is_baseline and baseline is not None else candidate),
                model_name=spec.name,
                eval_config=config,
            )
            for spec in config.model_specs
        ]
        shared = models[0] if len(models) == 1 else models
        with self._make_beam_pipeline() as pipeline:
            examples = pipeline | "Read" >> read_batches(files, sliced_columns(config), schema)
            examples | "Evaluate" >> tfma.ExtractEvaluateAndWriteResults(
                eval_shared_model=shared,
                eval_config=config,
                extractors=block_extractors(shared, config, id_column),
                output_path=output_path,
            )


def _saved_model(model: Artifact) -> str:
    return path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model))


def _schema(input_dict: dict[str, list[Artifact]]) -> schema_pb2.Schema | None:
    if not input_dict.get(keys.SCHEMA_KEY):
        return None
    folder = artifact_utils.get_single_uri(input_dict[keys.SCHEMA_KEY])
    return io_utils.SchemaReader().read(io_utils.get_only_uri_in_dir(folder))


def _bless(
    blessing: Artifact,
    blessed: bool,
    candidate: Artifact,
    baseline: Artifact | None,
    exec_properties: dict[str, Any],
) -> None:
    """Writes what TFX's Pusher reads, and which models it is about."""
    blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_URI_KEY, candidate.uri)
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, candidate.id)
    if baseline is not None:
        blessing.set_string_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_URI_KEY, baseline.uri)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BASELINE_MODEL_ID_KEY, baseline.id)
    if "current_component_id" in exec_properties:
        blessing.set_string_custom_property("component_id", exec_properties["current_component_id"])
    name = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    value = constants.BLESSED_VALUE if blessed else constants.NOT_BLESSED_VALUE
    io_utils.write_string_file(os.path.join(blessing.uri, name), "")
    blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, value)
    logging.info("Blessing result %s written to %s.", blessed, blessing.uri)
