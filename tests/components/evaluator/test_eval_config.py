"""Thresholds of the configuration against TFMA's own validation of values, without a pipeline."""

from __future__ import annotations

import json
import math

import pytest
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.evaluators import metrics_validator
from tensorflow_model_analysis.metrics import metric_types

from components.evaluator.eval_config import build_eval_config, without_comparison
from components.evaluator.tfma_metric import ClusteringMetrics, change
from configs.evaluation import DEFAULT_THRESHOLDS, HIGHER_IS_BETTER, EvaluationConfig

NO_THRESHOLDS = dict.fromkeys(DEFAULT_THRESHOLDS)


def _config(metric: str, slices: list[str] | None = None, **threshold: float) -> tfma.EvalConfig:
    evaluation = {"thresholds": {**NO_THRESHOLDS, metric: threshold}, "slices": slices or []}
    config = build_eval_config(EvaluationConfig.model_validate(evaluation))
    return tfma.utils.update_eval_config_with_defaults(config, has_baseline=True)


def _passes(config: tfma.EvalConfig, metric: str, candidate: float, baseline: float, slice_key=()) -> bool:
    values = {}
    for name, value in (("candidate", candidate), ("baseline", baseline)):
        values[metric_types.MetricKey(metric, name, example_weighted=None)] = value
        values[metric_types.MetricKey("customers", name, example_weighted=None)] = 5.0
    key = metric_types.MetricKey(metric, "candidate", example_weighted=None).make_diff_key()
    values[key] = change(candidate, baseline, HIGHER_IS_BETTER[metric])
    return metrics_validator.validate_metrics((slice_key, values), config).validation_ok


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
@pytest.mark.parametrize("value", [1, 2, 3])
def test_bounds_are_inclusive(metric, value):
    assert _passes(_config(metric, min=1.0), metric, value, 0)
    assert _passes(_config(metric, max=3.0), metric, value, 0)


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
def test_values_beyond_a_bound_are_refused(metric):
    config = _config(metric, min=1.0, max=3.0)
    assert _passes(config, metric, 2, 0)
    assert not _passes(config, metric, 0.999, 0)
    assert not _passes(config, metric, 3.001, 0)
    assert not _passes(config, metric, math.nan, 0)


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
def test_a_regression_is_a_change_in_the_direction_that_is_worse(metric):
    worse = -1 if HIGHER_IS_BETTER[metric] else 1
    allowed, strict = _config(metric, max_regression=0.5), _config(metric, max_regression=0.0)
    assert _passes(allowed, metric, 2 + worse * 0.5, 2)
    assert not _passes(allowed, metric, 2 + worse * 0.51, 2)
    assert _passes(allowed, metric, 2 - worse * 100, 2)
    assert _passes(strict, metric, 2, 2)
    assert _passes(strict, metric, 2 + worse * 1e-7, 2)
    assert not _passes(strict, metric, 2 + worse * 1e-4, 2)
    assert not _passes(allowed, metric, math.nan, 2)
    assert _passes(strict, metric, 2, math.nan)


@pytest.mark.parametrize("metric", DEFAULT_THRESHOLDS)
def test_a_metric_that_was_not_computed_at_all_does_not_pass(metric):
    config = _config(metric, min=-1e9)
    values = {metric_types.MetricKey("customers", "candidate", example_weighted=None): 5.0}
    assert not metrics_validator.validate_metrics(((), values), config).validation_ok


@pytest.mark.parametrize("metric", HIGHER_IS_BETTER)
def test_thresholds_bind_the_whole_and_no_slice(metric):
    config = _config(metric, slices=["region"], min=1.0, max_regression=0.0)
    assert not _passes(config, metric, math.nan, 2)
    assert _passes(config, metric, math.nan, 2, slice_key=(("region", "north"),))


def test_change():
    assert change(1.5, 1.0, True) == 0.5
    assert change(1.0, 1.0 + 5e-7, True) == 0
    assert change(math.inf, math.inf, True) == 0
    assert change(1.0, math.nan, True) == math.inf
    assert change(1.0, math.nan, False) == -math.inf
    assert math.isnan(change(math.nan, 1.0, True))
    assert math.isnan(change(math.nan, math.nan, True))


def test_what_is_left_out_loses_its_comparison_only():
    asked = _config("inertia_per_customer", max=9.0, max_regression=0.0)
    applied = without_comparison(asked, frozenset({"inertia_per_customer"}))
    assert not _passes(asked, "inertia_per_customer", 2, 1)
    assert _passes(applied, "inertia_per_customer", 2, 1)
    assert not _passes(applied, "inertia_per_customer", 10, 1)
    kept = _config("silhouette", max_regression=0.0)
    assert without_comparison(kept, frozenset({"inertia_per_customer"})) == kept


def test_the_metric_is_found_by_name_and_nothing_else_is_computed():
    evaluation = EvaluationConfig(slices=["region", "region", "tier"], stability_resamples=7)
    config = build_eval_config(evaluation)
    (metric,) = config.metrics_specs[0].metrics
    assert (metric.module, metric.class_name) == (ClusteringMetrics.__module__, "ClusteringMetrics")
    samples = {"pairs_rows": 5_000, "stability_rows": 20_000, "stability_resamples": 7}
    assert json.loads(metric.config) == {"samples": samples}
    assert config.options.include_default_metrics.value is False
    assert [list(spec.feature_keys) for spec in config.slicing_specs] == [[], ["region"], ["tier"]]
    assert [(s.name, s.is_baseline, s.signature_name) for s in config.model_specs] == [
        ("candidate", False, "evaluate"),
        ("baseline", True, "evaluate"),
    ]
