"""Passes over all rows that compare every row with every centroid. Cheapest where there are few centroids."""

from __future__ import annotations

import dataclasses
from typing import Protocol

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import block_rows, nearest, scores, sum_in_blocks
from components.trainer.kmeans.replicas import Kernel, Replicas, State
from components.trainer.kmeans.rounds import Rounds

EVEN = 1e6
"""Weights are even when they are within this factor: sums that are kept and corrected lose lighter rows."""


@dataclasses.dataclass(frozen=True)
class Partition:
    """The clusters around centroids: weighted sums of their rows [k, d], their weights [k], all float64.

    `examined` is the number of rows that were compared with all centroids.
    """

    sums: np.ndarray
    weights: np.ndarray
    examined: int


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows in the frame of a fit, and what is known about them.

    Attributes:
      rounds: this worker's rows.
      replicas: who takes part.
      rows: number of rows of all workers.
      spread: weighted sum of |x|^2 over all rows.
      weighs: whether rows have different weights.
      even: whether the weights of rows are within a factor of `EVEN`.
      spherical: whether centroids have length 1.
    """

    rounds: Rounds
    replicas: Replicas
    rows: int
    spread: float
    weighs: bool = False
    even: bool = True
    spherical: bool = False

    def total(
        self, kernel: Kernel, arguments: list[np.ndarray], size: int, states: list[list[State]] | None = None
    ) -> np.ndarray:
        """Sums a kernel over all rows: float64 [size]. Without `states` the kernel keeps nothing."""
        if states is None:
            states = [[()] * len(self.replicas.devices) for _ in range(len(self.rounds))]
        return self.replicas.total(kernel, self.rounds, states, arguments, size)

    def inertia(self, partition: Partition, centroids: np.ndarray) -> float:
        """Sum of w |x - c|^2 = sum of w |x|^2 - 2 c.S + W |c|^2, with the sums S and weights W of a partition."""
        cross = float(np.einsum("kd,kd->", centroids, partition.sums))
        own = float(np.square(centroids).sum(axis=1) @ partition.weights)
        return max(0.0, self.spread - 2.0 * cross + own)


class Passes(Protocol):
    """How passes over a table are made."""

    def partition(self, centroids: np.ndarray, precise: bool) -> Partition:
        """Gives every row to its nearest centroid, in float64 arithmetic if `precise`, else in float32."""

    def measure(self, centroids: np.ndarray, precise: bool) -> tuple[float, np.ndarray]:
        """The inertia, from distances free of cancellation, and the weights [k] of the clusters."""

    def save(self) -> dict[str, np.ndarray]:
        """What this worker must keep to go on from here in another process."""

    def load(self, kept: dict[str, np.ndarray]) -> None:
        """The inverse of `save`."""


class PlainPasses:
    """Every pass compares all rows with all centroids and keeps nothing."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def partition(self, centroids: np.ndarray, precise: bool) -> Partition:
        k, columns = centroids.shape
        precise = precise or not self._table.even
        total = self._table.total(_PARTITION[precise], [centroids], k * (columns + 1))
        sums, weights = np.split(total, [k * columns])
        return Partition(sums.reshape(k, columns), weights, self._table.rows)

    def measure(self, centroids: np.ndarray, precise: bool) -> tuple[float, np.ndarray]:
        precise = precise or not self._table.even
        total = self._table.total(_MEASURE[precise], [centroids], len(centroids) + 1)
        return float(total[-1]), total[:-1]

    def save(self) -> dict[str, np.ndarray]:
        return {}

    def load(self, kept: dict[str, np.ndarray]) -> None:
        pass


def vector(*parts: tf.Tensor) -> tf.Tensor:
    """Tensors as one float64 vector."""
    return tf.concat([tf.cast(tf.reshape(part, [-1]), tf.float64) for part in parts], axis=0)


def _partition_kernel(dtype: tf.DType) -> Kernel:
    def function(
        rows: tf.Tensor, weights: tf.Tensor, state: State, centroids: tf.Tensor
    ) -> tuple[State, tf.Tensor]:
        exact = tf.cast(centroids, dtype)
        k = tf.shape(centroids)[0]

        def add(part: slice) -> tf.Tensor:
            return _clusters(tf.cast(rows[part], dtype), tf.cast(weights[part], dtype), exact)

        return (), sum_in_blocks(add, tf.size(weights), block_rows(k), tf.size(centroids) + k)

    return Kernel(function, (), (tf.TensorSpec([None, None], tf.float64),))


def _clusters(rows: tf.Tensor, weights: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """The weighted sums of the rows of each cluster, and their weights."""
    table = scores(rows, centroids)
    # Comparing with the minimum takes a fraction of the time of argmin, but marks a row twice where scores tie.
    mask = tf.cast(tf.equal(table, tf.reduce_min(table, axis=0)), table.dtype)
    mask = weights * tf.cond(
        tf.reduce_sum(tf.reduce_sum(mask, axis=1)) > tf.cast(tf.size(weights), table.dtype),
        lambda: _first_only(table),
        lambda: mask,
    )
    return vector(tf.matmul(mask, rows), tf.reduce_sum(mask, axis=1))


def _first_only(table: tf.Tensor) -> tf.Tensor:
    """Marks in every column the first of its lowest scores."""
    return tf.one_hot(tf.argmin(table, axis=0), tf.shape(table)[0], axis=0, dtype=table.dtype)


def _measure_kernel(dtype: tf.DType) -> Kernel:
    def function(
        rows: tf.Tensor, weights: tf.Tensor, state: State, centroids: tf.Tensor
    ) -> tuple[State, tf.Tensor]:
        heavy = tf.cast(weights, tf.float64)
        labels, squared = nearest(rows, tf.cast(centroids, dtype))
        sizes = tf.math.unsorted_segment_sum(heavy, labels, tf.shape(centroids)[0])
        return (), vector(sizes, tf.reduce_sum(heavy * tf.cast(squared, tf.float64)))

    return Kernel(function, (), (tf.TensorSpec([None, None], tf.float64),))


# By precision: False for float32. Made once, so that their graphs are too.
_PARTITION = {False: _partition_kernel(tf.float32), True: _partition_kernel(tf.float64)}
_MEASURE = {False: _measure_kernel(tf.float32), True: _measure_kernel(tf.float64)}
