"""TFMA's results as a `Verdict`."""

from __future__ import annotations

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.proto import metrics_for_slice_pb2

from components.evaluator.baseline import Comparison
from components.evaluator.thresholds import Measured, threshold_results
from components.evaluator.verdict import SliceMetrics, Verdict
from configs.evaluation import HIGHER_IS_BETTER, SAMPLED

_Slice = tuple[tuple[str, str], ...]


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
    whole = measured.pop((), Measured())
    slices = [
        SliceMetrics(*key[0], customers=m.customers, metrics=_only_metrics(m.candidate, besides=SAMPLED))
        for key, m in measured.items()
    ]
    return Verdict(
        blessed=tfma.load_validation_result(evaluation_uri).validation_ok,
        customers=whole.customers,
        metrics=_only_metrics(whole.candidate),
        baseline_version=comparison.version,
        baseline_metrics=_only_metrics(whole.served),
        no_baseline=comparison.reason,
        slices=sorted(slices, key=lambda s: (s.column, -s.customers, s.value)),
        thresholds=list(threshold_results(asked, whole, comparison)),
        rows={name: whole.rows(name) for name in _only_metrics(whole.candidate)},
    )


def _slice(key: metrics_for_slice_pb2.SliceKey) -> _Slice:
    return tuple((single.column, _text(single)) for single in key.single_slice_keys)


def _text(single: metrics_for_slice_pb2.SingleSliceKey) -> str:
    value = getattr(single, single.WhichOneof("kind"))
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else f"{value:g}"


def _measured(metrics: metrics_for_slice_pb2.MetricsForSlice) -> Measured:
    result = Measured()
    for entry in metrics.metric_keys_and_values:
        of_model = result.served if entry.key.model_name == constants.BASELINE_KEY else result.candidate
        values = result.change if entry.key.is_diff else of_model
        values[entry.key.name] = entry.value.double_value.value
    return result


def _only_metrics(values: dict[str, float], besides: tuple[str, ...] = ()) -> dict[str, float]:
    return {name: values[name] for name in HIGHER_IS_BETTER if name in values and name not in besides}
