"""The component's spec: what TFX sees of it."""

from __future__ import annotations

import tensorflow_model_analysis as tfma
from tfx.components.evaluator import component as tfx_evaluator
from tfx.types import Channel, standard_artifacts

from components.evaluator import executor
from components.evaluator.component import Evaluator
from configs.evaluation import DEFAULT_THRESHOLDS, EvaluationConfig


def _evaluator(**more) -> Evaluator:
    return Evaluator(
        examples=Channel(standard_artifacts.Examples),
        model=Channel(standard_artifacts.Model),
        baseline_model=Channel(standard_artifacts.Model),
        evaluation=EvaluationConfig().model_dump_json(by_alias=True),
        **more,
    )


def test_it_is_tfxs_evaluator_with_our_executor():
    evaluator = _evaluator()
    assert isinstance(evaluator, tfx_evaluator.Evaluator)
    assert evaluator.id == "Evaluator"
    assert evaluator.executor_spec.executor_class is executor.Executor
    assert set(evaluator.outputs) == {"evaluation", "blessing"}
    assert evaluator.outputs["blessing"].type is standard_artifacts.ModelBlessing
    assert evaluator.outputs["evaluation"].type is standard_artifacts.ModelEvaluation


def test_what_the_cache_must_know_is_an_execution_property():
    properties = _evaluator(code_version="abc").exec_properties
    assert properties["code_version"] == "abc"
    assert properties != _evaluator(code_version="def").exec_properties
    strict = EvaluationConfig.model_validate({"thresholds": {"silhouette": {"min": 0.9}}})
    other = Evaluator(
        examples=Channel(standard_artifacts.Examples),
        model=Channel(standard_artifacts.Model),
        evaluation=strict.model_dump_json(),
        code_version="abc",
    )
    assert properties["eval_config"] != other.exec_properties["eval_config"]


def test_every_threshold_of_the_section_arrives():
    config = tfma.EvalConfig()
    from google.protobuf import json_format

    json_format.Parse(_evaluator().exec_properties["eval_config"], config)
    assert set(config.metrics_specs[0].per_slice_thresholds) == {*DEFAULT_THRESHOLDS, "customers"}
