"""Evaluator's executor: chooses what to compare with, lets TFX and TFMA evaluate, writes the verdict."""

from __future__ import annotations

from typing import Any

import tensorflow_model_analysis as tfma
from absl import logging
from tfx.components.evaluator import executor as tfx_evaluator
from tfx.types import Artifact, artifact_utils
from tfx.types import standard_component_specs as keys
from tfx.utils import json_utils, proto_utils

from components.evaluator import extractors
from components.evaluator.baseline import compare_with
from components.evaluator.eval_config import without_comparison
from components.evaluator.results import verdict_of
from components.evaluator.verdict import write_verdict


class Executor(tfx_evaluator.Executor):
    """TFX's Evaluator executor with the served model as baseline, where it can be one."""

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
        asked = proto_utils.json_to_proto(exec_properties[keys.EVAL_CONFIG_KEY], tfma.EvalConfig())
        splits = json_utils.loads(exec_properties.get(keys.EXAMPLE_SPLITS_KEY) or "null") or ["eval"]
        comparison = compare_with(
            candidate=artifact_utils.get_single_instance(input_dict[keys.MODEL_KEY]),
            served=input_dict.get(keys.BASELINE_MODEL_KEY, []),
            examples=input_dict[keys.EXAMPLES_KEY],
            split=splits[0],
        )
        inputs = dict(input_dict)
        if comparison.version is None:
            inputs.pop(keys.BASELINE_MODEL_KEY, None)
        properties = {
            **exec_properties,
            keys.EVAL_CONFIG_KEY: proto_utils.proto_to_json(
                without_comparison(asked, frozenset(comparison.left_out))
            ),
            # Where TFX looks for `custom_extractors`.
            keys.MODULE_PATH_KEY: extractors.__name__,
        }
        super().Do(inputs, output_dict, properties)
        evaluation = artifact_utils.get_single_uri(output_dict[keys.EVALUATION_KEY])
        verdict = verdict_of(evaluation, asked, comparison)
        write_verdict(evaluation, verdict)
        for threshold in verdict.thresholds:
            logging.info("%s: %s", "held" if threshold.held else "NOT HELD", threshold.sentence)
        asked_columns = {column for spec in asked.slicing_specs for column in spec.feature_keys}
        for column in sorted(asked_columns - {item.column for item in verdict.slices}):
            logging.warning(
                "evaluation.slices names '%s', of which no evaluated customer has a value", column
            )
