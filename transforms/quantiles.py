"""Quantiles of all columns from one analyzer, and ranks between them.

`tft.quantiles` gives float32 and leaves minimum and maximum out; this keeps float64, so that a column far from zero
(a date, an amount in cents) has its quantiles too. The sketch is the same, tfx_bsl's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl import sketches

STEPS = 1000
"""A column is described by its quantiles at 0, 1/1000, ..., 1: minimum and maximum are exact."""

EPSILON = 0.001
"""Each quantile is a value of the data whose rank is off by at most this share of the rows."""

_MOST_ROWS = 1 << 32
# As scikit-learn's QuantileTransformer: the normal quantiles of 0 and 1 would be infinite.
_FARTHEST = 5.199337582605575


def landmarks(x: tf.Tensor, name: str) -> tf.Tensor:
    """The quantiles of each column over the training data.

    Args:
      x: float64 [batch, m], NaN where missing; those are left out.
      name: of the analyzer.

    Returns:
      float64 [m, STEPS + 1], not decreasing; 0 for a column without values.
    """
    columns = int(x.shape[1])
    (table,) = tft.experimental.ptransform_analyzer(
        [x], _Landmarks(columns), [tf.float64], [[columns, STEPS + 1]], name=name
    )
    return tf.ensure_shape(table, [columns, STEPS + 1])


def quantile(table: tf.Tensor, shares: Sequence[float]) -> tf.Tensor:
    """A quantile of each row of `landmarks` [m, STEPS + 1], at its own share: float64 [m]; linear between landmarks."""
    below = [min(int(share * STEPS), STEPS - 1) for share in shares]
    part = tf.constant([share * STEPS - i for share, i in zip(shares, below, strict=True)], tf.float64)
    low = tf.gather(table, below, axis=1, batch_dims=1)
    high = tf.gather(table, [i + 1 for i in below], axis=1, batch_dims=1)
    return low * (1 - part) + high * part


def uniform_rank(x: tf.Tensor, table: tf.Tensor) -> tf.Tensor:
    """The share of the training data below each value, by linear interpolation between the landmarks.

    Args:
      x: float64 [batch, m].
      table: of `landmarks`, [m, STEPS + 1].

    Returns:
      float64 [batch, m] from 0 to 1. A value that several landmarks share (many customers have it) gets the middle of
      their ranks; the minimum and all below it get 0, the maximum and all above it 1, unless they are shared so.
    """
    columns = tf.transpose(x)
    left = tf.searchsorted(table, columns, side="left")
    right = tf.searchsorted(table, columns, side="right")
    tied = tf.cast(left + right - 1, tf.float64) / 2
    below = tf.clip_by_value(left - 1, 0, STEPS - 1)
    low = tf.gather(table, below, axis=1, batch_dims=1)
    high = tf.gather(table, below + 1, axis=1, batch_dims=1)
    # Above the last landmark there may be no step to interpolate in.
    step = tf.where(high > low, high - low, 1.0)
    part = tf.where(columns > high, tf.ones_like(step), tf.clip_by_value((columns - low) / step, 0.0, 1.0))
    rank = tf.where(right > left, tied, tf.cast(below, tf.float64) + part)
    return tf.transpose(rank / STEPS)


def normal_score(rank: tf.Tensor) -> tf.Tensor:
    """The normal distribution's quantile at each rank, at most 5.2 from 0."""
    return tf.clip_by_value(tf.math.ndtri(rank), -_FARTHEST, _FARTHEST)


class _Landmarks(beam.PTransform):
    """Batches (x [batch, m],) -> the one table of their quantiles."""

    def __init__(self, columns: int):
        super().__init__()
        self._columns = columns

    def expand(self, batches: beam.PCollection) -> tuple[beam.PCollection]:
        return (batches | beam.CombineGlobally(_QuantilesFn(self._columns)),)


class _QuantilesFn(beam.CombineFn):
    """Accumulates a sketch of all columns, and which of them have any value: the sketch leaves the others out."""

    def __init__(self, columns: int):
        super().__init__()
        self._columns = columns

    def create_accumulator(self) -> tuple[Any, np.ndarray]:
        sketch = sketches.QuantilesSketch(EPSILON, _MOST_ROWS, self._columns)
        return sketch, np.zeros(self._columns, bool)

    def add_input(self, accumulator: tuple[Any, np.ndarray], batch: tuple[np.ndarray]) -> Any:
        sketch, found = accumulator
        values = np.ascontiguousarray(batch[0], np.float64)
        sketch.AddValues(pa.array(values.ravel()))
        return sketch, found | np.isfinite(values).any(axis=0)

    def merge_accumulators(self, accumulators: Iterable[tuple[Any, np.ndarray]]) -> Any:
        merged, found = self.create_accumulator()
        for sketch, more in accumulators:
            merged.Merge(sketch)
            found = found | more
        return merged, found

    def compact(self, accumulator: tuple[Any, np.ndarray]) -> Any:
        accumulator[0].Compact()
        return accumulator

    def extract_output(self, accumulator: tuple[Any, np.ndarray]) -> np.ndarray:
        sketch, found = accumulator
        table = np.zeros([self._columns, STEPS + 1])
        if found.any():
            table[found] = np.array(sketch.GetQuantiles(STEPS).to_pylist(), np.float64)
        return table
