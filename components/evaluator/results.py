"""TFMA's results as a `Verdict`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.baseline import Comparison
from components.evaluator.tfma_metric import CUSTOMERS
from components.evaluator.verdict import Bound, SliceMetrics, ThresholdResult, Verdict
from configs.evaluation import HIGHER_IS_BETTER

_Slice = tuple[tuple[str, str], ...]


@dataclass
class _Measured:
    """The metrics of one slice: of the candidate, of the served model, and the change between them."""

    candidate: dict[str, float] = field(default_factory=dict)
    served: dict[str, float] = field(default_factory=dict)
    change: dict[str, float] = field(default_factory=dict)


def verdict_of(evaluation_uri: str, asked: tfma.EvalConfig, comparison: Comparison) -> Verdict:
    """Reads the results that TFMA wrote.

    Args:
      evaluation_uri: where it wrote them.
      asked: the EvalConfig with every threshold that was asked for, also those that could not be applied.
      comparison: what the candidate was compared with.

    Returns:
      The verdict; `blessed` is TFMA's own.
    """
    measured = {_slice(m.slice_key): _measured(m) for m in tfma.load_metrics(evaluation_uri)}
    whole = measured.pop((), _Measured())
    slices = [
        SliceMetrics(*key[0], customers=int(m.candidate[CUSTOMERS]), metrics=_without_customers(m.candidate))
        for key, m in measured.items()
    ]
    return Verdict(
        blessed=tfma.load_validation_result(evaluation_uri).validation_ok,
        customers=int(whole.candidate.get(CUSTOMERS, 0)),
        metrics=_without_customers(whole.candidate),
        baseline_version=comparison.version,
        baseline_metrics=_without_customers(whole.served),
        no_baseline=comparison.reason,
        slices=sorted(slices, key=lambda s: (s.column, -s.customers, s.value)),
        thresholds=list(_thresholds(asked, whole, comparison)),
    )


def _slice(key: metrics_for_slice_pb2.SliceKey) -> _Slice:
    return tuple((single.column, _text(single)) for single in key.single_slice_keys)


def _text(single: metrics_for_slice_pb2.SingleSliceKey) -> str:
    value = getattr(single, single.WhichOneof("kind"))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else f"{value:g}"


def _measured(metrics: metrics_for_slice_pb2.MetricsForSlice) -> _Measured:
    result = _Measured()
    for entry in metrics.metric_keys_and_values:
        of_model = result.served if entry.key.model_name == constants.BASELINE_KEY else result.candidate
        values = result.change if entry.key.is_diff else of_model
        values[entry.key.name] = entry.value.double_value.value
    return result


def _without_customers(values: dict[str, float]) -> dict[str, float]:
    return {name: values[name] for name in HIGHER_IS_BETTER if name in values}


def _thresholds(
    asked: tfma.EvalConfig, whole: _Measured, comparison: Comparison
) -> Iterator[ThresholdResult]:
    for spec in asked.metrics_specs:
        for name in (*HIGHER_IS_BETTER, CUSTOMERS):
            per_slice = (
                spec.per_slice_thresholds[name].thresholds if name in spec.per_slice_thresholds else ()
            )
            for threshold in (item.threshold for item in per_slice):
                yield from _value_results(name, threshold.value_threshold, whole)
                if threshold.HasField("change_threshold"):
                    yield _change_result(name, threshold.change_threshold, whole, comparison)


def _value_results(
    name: str, threshold: tfma.GenericValueThreshold, whole: _Measured
) -> Iterator[ThresholdResult]:
    value = whole.candidate.get(name, 0.0 if name == CUSTOMERS else math.nan)
    bounds: tuple[tuple[Bound, str, str], ...] = (("min", "at least", "below"), ("max", "at most", "above"))
    for kind, good, bad in bounds:
        field_name = "lower_bound" if kind == "min" else "upper_bound"
        if not threshold.HasField(field_name):
            continue
        bound = getattr(threshold, field_name).value
        held = value >= bound if kind == "min" else value <= bound
        if math.isnan(value):
            sentence = f"{_undefined(name)}; it must be {good} {bound:.4g}"
        elif held:
            sentence = f"{name} {value:.4g} is {good} {bound:.4g}"
        else:
            sentence = f"{name} {value:.4g} is {bad} {bound:.4g}"
        # That there are customers goes without saying, unless there are none.
        if name != CUSTOMERS or not held:
            yield ThresholdResult(name, kind, bound, value, held, True, sentence)


def _change_result(
    name: str, threshold: tfma.GenericChangeThreshold, whole: _Measured, comparison: Comparison
) -> ThresholdResult:
    value, served = whole.candidate.get(name, math.nan), whole.served.get(name, math.nan)
    bound = abs(threshold.absolute.value)
    compared = comparison.version is not None and name not in comparison.left_out
    change = whole.change.get(name, math.nan)
    worse = -change if HIGHER_IS_BETTER[name] else change
    than = f"the served model's {'undefined value' if math.isnan(served) else format(served, '.4g')}"
    if not compared:
        reason = comparison.reason or "features or scaling differ from the served model's"
        sentence = f"{name} is not compared: {reason}"
    elif math.isnan(worse):
        sentence = f"{_undefined(name)}; it cannot be compared with {than}"
    elif worse <= 0:
        sentence = f"{name} {value:.4g} is no worse than {than}"
    else:
        sentence = f"{name} {value:.4g} is {worse:.4g} worse than {than} ({bound:.4g} is allowed)"
    return ThresholdResult(
        name, "max_regression", bound, value, not compared or worse <= bound, compared, sentence
    )


def _undefined(name: str) -> str:
    return f"{name} is undefined (it takes at least two segments with customers)"
