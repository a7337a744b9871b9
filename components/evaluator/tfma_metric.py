"""The clustering metrics as one TFMA metric: no labels, blocks of rows, one pass, a difference that means it.

Named in an `EvalConfig` by `module` and `class_name`. Of the model's `evaluate` signature it reads `features`
float32 [b, d], `segment_id` int64 [b], `distance` float32 [b], `distances` float32 [b, k] and, where there is one,
`is_outlier` bool [b].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.utils import model_util

from components.evaluator.rows import Rows
from components.metrics.clustering import Samples, clustering_metrics, sampled_metrics
from configs.evaluation import HIGHER_IS_BETTER, SAMPLED

CUSTOMERS = "customers"
"""Name of the number of evaluated rows, computed beside the metrics."""

SEGMENTS = "segments"
"""Name of the number of segments that the model has, likewise."""

ROW_KEYS = "row_keys"
"""Extract, uint64 [b]: what samples are drawn by."""

_SAME = 1e-6
"""Relative difference up to which two values are the same: the models compute in float32."""


def rows_of(metric: str) -> str:
    """Name of the number of rows that a sampled metric saw, computed beside it."""
    return f"{metric}_rows"


_KEYS = (*HIGHER_IS_BETTER, CUSTOMERS, SEGMENTS, *map(rows_of, SAMPLED))


class ClusteringMetrics(metric_types.Metric):
    """Every metric of `configs.evaluation.HIGHER_IS_BETTER`, and what they came from, in a single computation.

    The rows themselves are accumulated (4 d + 21 bytes each), because the distances to a segment's mean can
    only be summed once that mean is known. Slices get the metrics that see all rows; those of `SAMPLED` are for
    the whole only: a sample of a slice is another one than the whole's, and a fit per slice is dear.
    """

    def __init__(self, name: str = "clustering", samples: dict[str, int] | None = None) -> None:
        """A `MetricConfig` gives both in its JSON; `samples` are the fields of `Samples`."""
        super().__init__(_computations, name=name, samples=samples or {})


def _key(metric: str, model_name: str) -> metric_types.MetricKey:
    # The key that TFMA makes for a threshold says nothing about weights; a key's default says "not weighted".
    return metric_types.MetricKey(metric, model_name, example_weighted=None)


def _computations(
    name: str,
    samples: dict[str, int],
    eval_config: tfma.EvalConfig | None = None,
    model_names: list[str] | None = None,
) -> list[Any]:
    del name
    computations: list[Any] = []
    baseline = model_util.get_baseline_model_spec(eval_config) if eval_config else None
    for model_name in model_names or [""]:
        computations.append(
            metric_types.MetricComputation(
                keys=[_key(metric, model_name) for metric in _KEYS],
                preprocessors=[_ToRows(model_name)],
                combiner=_Accumulate(model_name, Samples(**samples)),
            )
        )
        if baseline and model_name != baseline.name:
            # TFMA's plain subtraction comes before these, so that they have the last word.
            computations.append(_change_from(baseline.name, model_name))
    return computations


class _ToRows(metric_types.Preprocessor):
    """Extracts of a block of rows (or a row) -> the `Rows` of one model."""

    def __init__(self, model_name: str) -> None:
        super().__init__(name=f"rows_of_{model_name}")
        self._model_name = model_name

    def process(self, extracts: dict[str, Any]) -> Iterator[Rows]:
        outputs = extracts[tfma.PREDICTIONS_KEY]
        slices = extracts.get(tfma.SLICE_KEY_TYPES_KEY)
        # Only where several models are evaluated does TFMA key the outputs by model.
        yield Rows.of(
            outputs.get(self._model_name, outputs),
            extracts.get(ROW_KEYS),
            whole=slices is None or any(len(key) == 0 for key in slices),
        )


class _Accumulate(beam.CombineFn):
    """Collects blocks of rows, then computes every metric at once."""

    def __init__(self, model_name: str, samples: Samples) -> None:
        super().__init__()
        self._model_name = model_name
        self._samples = samples

    def create_accumulator(self) -> list[Rows]:
        return []

    def add_input(self, accumulator: list[Rows], element: Rows) -> list[Rows]:
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[Rows]]) -> list[Rows]:
        return [block for accumulator in accumulators for block in accumulator]

    def compact(self, accumulator: list[Rows]) -> list[Rows]:
        return [Rows.concatenate(accumulator)] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: list[Rows]) -> dict[metric_types.MetricKey, float]:
        if not accumulator:
            return {}
        rows = Rows.concatenate(accumulator)
        values = clustering_metrics(rows.features, rows.segments, rows.distance, rows.k, rows.is_outlier)
        values[CUSTOMERS], values[SEGMENTS] = float(len(rows.segments)), float(rows.k)
        if rows.whole:
            sampled, seen = sampled_metrics(
                rows.features, rows.segments, rows.distance, rows.k, self._samples, rows.keys
            )
            values |= sampled
            values |= {rows_of(name): float(number) for name, number in seen.items()}
        else:
            # Not left out: to TFMA a bound on a metric that a slice lacks is one that did not hold.
            values |= dict.fromkeys(SAMPLED, math.nan)
        return {_key(name, self._model_name): value for name, value in values.items()}


def _change_from(baseline: str, candidate: str) -> metric_types.CIDerivedMetricComputation:
    """The candidate's metrics minus the baseline's, by `change`."""

    def result(metrics: dict[metric_types.MetricKey, Any]) -> dict[metric_types.MetricKey, float]:
        changes = {}
        for name, higher_is_better in HIGHER_IS_BETTER.items():
            key = _key(name, candidate)
            served = metrics.get(key.make_baseline_key(baseline))
            if key in metrics and served is not None:
                changes[key.make_diff_key()] = change(metrics[key], served, higher_is_better)
        return changes

    keys = [_key(name, candidate).make_diff_key() for name in HIGHER_IS_BETTER]
    return metric_types.CIDerivedMetricComputation(keys=keys, result=result)


def change(candidate: float, baseline: float, higher_is_better: bool) -> float:
    """How much `candidate` differs from `baseline`, as a threshold on regressions should see it.

    Returns:
      `candidate - baseline`; 0 where they differ by float32 rounding only, or are the same infinity. Where
      the baseline is undefined and the candidate is not, an infinite improvement: a served model that
      has collapsed to one segment must not block its successor. NaN where the candidate is undefined.
    """
    if math.isnan(baseline) and not math.isnan(candidate):
        return math.inf if higher_is_better else -math.inf
    return 0.0 if math.isclose(candidate, baseline, rel_tol=_SAME) else candidate - baseline
