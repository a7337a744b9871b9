"""Lloyd's algorithm on all the data, in passes that each end in one reduction."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import nearest, scores
from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.replicas import Kernel, Replicas, Round
from components.trainer.kmeans.reseeding import farthest_points
from components.trainer.kmeans.result import Iteration

# Rounding in float32 disturbs a squared distance by about 2e-7 |x|^2. Where clusters are so tight that their
# inertia is below this share of the spread, that blurs them, and passes are made in float64 instead.
_TIGHT = 1e-3
# How far, relative to its size, a centroid of equal points may lie from them after rounding.
_ROUNDING = {False: 1e-4, True: 1e-12}


@dataclasses.dataclass(frozen=True)
class Table:
    """Rows in the frame of a fit, and what is known about them.

    Attributes:
      rounds: starts a pass over this worker's rows.
      replicas: who takes part.
      rows: number of rows of all workers.
      spread: weighted sum of |x|^2 over all rows.
    """

    rounds: Callable[[], Iterable[Round]]
    replicas: Replicas
    rows: int
    spread: float


@dataclasses.dataclass(frozen=True)
class Fit:
    """Where Lloyd's algorithm ended, in the frame: see `KMeansResult`. Arrays are float64."""

    centroids: np.ndarray
    weights: np.ndarray
    inertia: float
    converged: bool
    history: list[Iteration]


def lloyd(table: Table, start: np.ndarray, tolerance: float, max_iterations: int) -> Fit:
    """Moves centroids to the means of their clusters until they rest.

    An empty cluster moves to a point far from all others, at most once per iteration; each such move lowers
    the inertia, so the loop cannot circle. Where no point is left for it, it stays where it is.

    Args:
      table: the rows.
      start: float64 [k, d], starting centroids.
      tolerance: the fit has converged when the sum of squared movements is at most this.
      max_iterations: upper limit on passes.
    """
    centroids, precise, converged = start, False, False
    history: list[Iteration] = []
    while not converged and len(history) < max_iterations:
        began = time.perf_counter()
        sums, weights, inertia = _partition(table, centroids, precise)
        filled = weights > 0
        moved = centroids.copy()
        moved[filled] = sums[filled] / weights[filled, None]
        reseeded = _reseed(table, moved, filled, precise)
        movement = float(np.square(moved - centroids).sum())
        coarse = not precise and inertia < _TIGHT * table.spread
        converged = movement <= tolerance and not reseeded and not coarse
        precise = precise or coarse
        centroids = moved
        history.append(Iteration(inertia, float(np.sqrt(movement)), reseeded, time.perf_counter() - began))
    inertia, weights = _measure(table, centroids, precise)
    return Fit(centroids, weights, inertia, converged, history)


def _partition(table: Table, centroids: np.ndarray, precise: bool) -> tuple[np.ndarray, np.ndarray, float]:
    """Returns the sums [k, d] and the weights [k] of the clusters, and the inertia."""
    k, columns = centroids.shape
    sizes = [k * columns, k, 1, 1]
    parts = _pass(table, _PARTITION[precise], centroids, sizes)
    return parts[0].reshape(k, columns), parts[1], max(0.0, table.spread + 2.0 * float(parts[2][0]))


def _measure(table: Table, centroids: np.ndarray, precise: bool) -> tuple[float, np.ndarray]:
    """Returns the inertia, from distances free of cancellation, and the weights [k] of the clusters."""
    weights, inertia, _ = _pass(table, _MEASURE[precise], centroids, [len(centroids), 1, 1])
    return float(inertia[0]), weights


def _pass(table: Table, kernel: Kernel, centroids: np.ndarray, sizes: list[int]) -> list[np.ndarray]:
    """Sums a kernel over all rows and splits the vector; the kernel's last number counts the rows."""
    total = table.replicas.total(kernel, table.rounds(), centroids, sum(sizes))
    if total[-1] != table.rows:
        raise KMeansError(
            f"data: a later pass over the dataset yielded {int(total[-1])} rows, the first one "
            f"{table.rows}; every pass must yield the same rows (cache() a generator)"
        )
    return np.split(total, np.cumsum(sizes)[:-1])


def _reseed(table: Table, centroids: np.ndarray, filled: np.ndarray, precise: bool) -> tuple[int, ...]:
    """Moves the centroids of empty clusters in place; returns those that found a new place."""
    empty = np.flatnonzero(~filled)
    if len(empty) == 0:
        return ()
    points = farthest_points(table.rounds, table.replicas, centroids[filled], len(empty), _ROUNDING[precise])
    reseeded = empty[: len(points)]
    centroids[reseeded] = points
    return tuple(int(j) for j in reseeded)


def _partition_kernel(dtype: tf.DType) -> Kernel:
    def kernel(rows: tf.Tensor, weights: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
        rows, weights, centroids = (tf.cast(t, dtype) for t in (rows, weights, centroids))
        table = scores(rows, centroids)
        lowest = tf.reduce_min(table, axis=0)
        # One product gives every cluster its weighted sum, its weight and its number of rows.
        addends = tf.concat(
            [rows * weights[:, None], weights[:, None], tf.ones_like(weights)[:, None]], axis=1
        )
        sums = tf.matmul(tf.cast(tf.equal(table, lowest), dtype), addends)
        # Comparing with the minimum takes half the time of argmin, but counts a row twice where scores tie.
        count = tf.cast(tf.size(weights), dtype)
        sums = tf.cond(
            tf.reduce_sum(sums[:, -1]) > count,
            lambda: tf.matmul(_lowest_only(table), addends),
            lambda: sums,
        )
        return _vector(sums[:, :-2], sums[:, -2], tf.reduce_sum(weights * lowest), count)

    return kernel


def _lowest_only(table: tf.Tensor) -> tf.Tensor:
    """Marks in every column the first of its lowest scores."""
    return tf.one_hot(tf.argmin(table, axis=0), tf.shape(table)[0], axis=0, dtype=table.dtype)


def _measure_kernel(dtype: tf.DType) -> Kernel:
    def kernel(rows: tf.Tensor, weights: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
        rows, weights, centroids = (tf.cast(t, dtype) for t in (rows, weights, centroids))
        labels, squared = nearest(rows, centroids)
        sizes = tf.math.unsorted_segment_sum(weights, labels, tf.shape(centroids)[0])
        return _vector(sizes, tf.reduce_sum(weights * squared), tf.size(weights))

    return kernel


def _vector(*parts: tf.Tensor) -> tf.Tensor:
    return tf.concat([tf.cast(tf.reshape(part, [-1]), tf.float64) for part in parts], axis=0)


# By precision: False for float32. Made once, so that their graphs are too.
_PARTITION = {False: _partition_kernel(tf.float32), True: _partition_kernel(tf.float64)}
_MEASURE = {False: _measure_kernel(tf.float32), True: _measure_kernel(tf.float64)}
