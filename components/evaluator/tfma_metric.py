"""The clustering metrics as one TFMA metric: no labels, blocks of rows, one pass, a difference that means it.

Named in an `EvalConfig` by `module` and `class_name`. Of the model's `evaluate` signature it reads `features`
float32 [b, d], `segment_id` int64 [b], `distance` float32 [b] and `distances` float32 [b, k].
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.metrics import metric_types
from tensorflow_model_analysis.utils import model_util

from components.metrics.clustering import clustering_metrics
from configs.evaluation import HIGHER_IS_BETTER

CUSTOMERS = "customers"
"""Name of the number of evaluated rows, computed beside the metrics."""

MODEL_OUTPUTS = ("features", "segment_id", "distance", "distances")

_SAME = 1e-6
"""Relative difference up to which two values are the same: the models compute in float32."""


@dataclass(frozen=True)
class Rows:
    """Some rows as one model sees them: what the metrics need, and nothing else."""

    features: npt.NDArray[np.float32]
    segments: npt.NDArray[np.int64]
    distance: npt.NDArray[np.float32]
    k: int

    @classmethod
    def of(cls, outputs: dict[str, Any]) -> Rows:
        """From the outputs of the `evaluate` signature, for a block of rows or (stock TFMA) a single row."""
        return cls(
            features=np.atleast_2d(outputs["features"]),
            segments=np.atleast_1d(outputs["segment_id"]),
            distance=np.atleast_1d(outputs["distance"]),
            k=outputs["distances"].shape[-1],
        )

    @classmethod
    def concatenate(cls, blocks: list[Rows]) -> Rows:
        """All rows of at least one block, in order."""
        return cls(
            features=np.concatenate([block.features for block in blocks]),
            segments=np.concatenate([block.segments for block in blocks]),
            distance=np.concatenate([block.distance for block in blocks]),
            k=blocks[0].k,
        )


class ClusteringMetrics(metric_types.Metric):
    """Every metric of `configs.evaluation.HIGHER_IS_BETTER`, and `customers`, from a single computation.

    The rows themselves are accumulated (4 (d + 3) bytes each; the evaluation split is bounded), because the
    distances to a segment's mean can only be summed once that mean is known.
    """

    def __init__(self, name: str = "clustering") -> None:
        super().__init__(_computations, name=name)


def _key(metric: str, model_name: str) -> metric_types.MetricKey:
    # The key that TFMA makes for a threshold says nothing about weights; a key's default says "not weighted".
    return metric_types.MetricKey(metric, model_name, example_weighted=None)


def _computations(
    name: str, eval_config: tfma.EvalConfig | None = None, model_names: list[str] | None = None
) -> list[Any]:
    del name
    computations: list[Any] = []
    baseline = model_util.get_baseline_model_spec(eval_config) if eval_config else None
    for model_name in model_names or [""]:
        keys = [_key(metric, model_name) for metric in (*HIGHER_IS_BETTER, CUSTOMERS)]
        computations.append(
            metric_types.MetricComputation(
                keys=keys, preprocessors=[_ToRows(model_name)], combiner=_Accumulate(model_name)
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
        # Only where several models are evaluated does TFMA key the outputs by model.
        yield Rows.of(outputs.get(self._model_name, outputs))


class _Accumulate(beam.CombineFn):
    """Collects blocks of rows, then computes every metric at once."""

    def __init__(self, model_name: str) -> None:
        super().__init__()
        self._model_name = model_name

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
        values = clustering_metrics(rows.features, rows.segments, rows.distance, rows.k)
        values[CUSTOMERS] = float(len(rows.segments))
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
