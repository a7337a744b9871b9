"""The configuration of an evaluation in TFMA's terms."""

from __future__ import annotations

import json

import tensorflow_model_analysis as tfma
from google.protobuf import wrappers_pb2
from tensorflow_model_analysis import constants

from components.evaluator.tfma_metric import CUSTOMERS, ClusteringMetrics
from configs.evaluation import HIGHER_IS_BETTER, EvaluationConfig, Threshold

SIGNATURE = "evaluate"


def build_eval_config(evaluation: EvaluationConfig) -> tfma.EvalConfig:
    """What TFMA computes and what it lets pass.

    Bounds are inclusive and hold for all customers together, not per slice. `max_regression` bounds the
    change from the served model's value in the direction that is worse for the metric, so an equal model
    passes with 0. Without any threshold a model passes as soon as there are customers to evaluate it on:
    TFX leaves one that nothing was asked of without a blessing, and it would never be pushed.

    Args:
      evaluation: section `evaluation` of the pipeline's configuration.

    Returns:
      An EvalConfig with a candidate and a baseline; where there is no model to compare with, TFX takes the
      baseline and all bounds on changes out of it.
    """
    metrics = tfma.MetricsSpec(
        metrics=[
            tfma.MetricConfig(
                class_name=ClusteringMetrics.__name__,
                module=ClusteringMetrics.__module__,
                config=json.dumps({"samples": _samples(evaluation)}),
            )
        ]
    )
    thresholds = {name: _threshold(name, t) for name, t in evaluation.active_thresholds.items()}
    thresholds[CUSTOMERS] = tfma.MetricThreshold(value_threshold=_value_threshold(minimum=1))
    for name, threshold in thresholds.items():
        metrics.per_slice_thresholds[name].thresholds.append(
            # An empty slicing spec is the whole; a threshold outside a slicing spec would bind every slice.
            tfma.PerSliceMetricThreshold(slicing_specs=[tfma.SlicingSpec()], threshold=threshold)
        )
    config = tfma.EvalConfig(
        model_specs=[_model_spec(constants.CANDIDATE_KEY), _model_spec(constants.BASELINE_KEY)],
        metrics_specs=[metrics],
        slicing_specs=[
            tfma.SlicingSpec(),
            *(tfma.SlicingSpec(feature_keys=[column]) for column in dict.fromkeys(evaluation.slices)),
        ],
    )
    config.options.include_default_metrics.value = False
    return config


def _samples(evaluation: EvaluationConfig) -> dict[str, int]:
    return {
        "pairs_rows": evaluation.pairs_customers,
        "stability_rows": evaluation.stability_customers,
        "stability_resamples": evaluation.stability_resamples,
    }


def _model_spec(name: str) -> tfma.ModelSpec:
    return tfma.ModelSpec(
        name=name,
        is_baseline=name == constants.BASELINE_KEY,
        signature_name=SIGNATURE,
        # Said, because TFMA would try to load the model with Keras to find out.
        model_type=constants.TF_GENERIC,
    )


def _threshold(metric: str, threshold: Threshold) -> tfma.MetricThreshold:
    result = tfma.MetricThreshold()
    if threshold.min is not None or threshold.max is not None:
        result.value_threshold.CopyFrom(_value_threshold(threshold.min, threshold.max))
    if threshold.max_regression is not None:
        higher = HIGHER_IS_BETTER[metric]
        result.change_threshold.CopyFrom(
            tfma.GenericChangeThreshold(
                direction=tfma.MetricDirection.HIGHER_IS_BETTER
                if higher
                else tfma.MetricDirection.LOWER_IS_BETTER,
                absolute=wrappers_pb2.DoubleValue(
                    value=-threshold.max_regression if higher else threshold.max_regression
                ),
            )
        )
    return result


def _value_threshold(minimum: float | None, maximum: float | None = None) -> tfma.GenericValueThreshold:
    result = tfma.GenericValueThreshold()
    if minimum is not None:
        result.lower_bound.value = minimum
    if maximum is not None:
        result.upper_bound.value = maximum
    return result


def without_comparison(config: tfma.EvalConfig, metrics: frozenset[str]) -> tfma.EvalConfig:
    """A copy of `config` that does not bound the change of these `metrics`."""
    result = tfma.EvalConfig()
    result.CopyFrom(config)
    for spec in result.metrics_specs:
        for name in metrics & set(spec.per_slice_thresholds):
            for per_slice in spec.per_slice_thresholds[name].thresholds:
                per_slice.threshold.ClearField("change_threshold")
    return result
