"""Passes that leave out the rows whose nearest centroid cannot have changed. Cheaper where there are many centroids.

For every row the label of its nearest centroid is kept, and a lower bound on its gap: how much farther away the
second nearest is. When centroids move, the own one comes at most by its movement farther away, and every other one
at most by the largest movement of the others nearer, so the gap shrinks by no more than the sum of both (triangle
inequality; Hamerly 2010 keeps the two distances apart, which takes twice the work per row). While the bound is not
negative the label is right and nothing else about the row has to be computed. Sums of clusters are kept, too, and
corrected by the rows that changed sides. The result is that of `PlainPasses` up to rounding.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import in_blocks, sum_in_blocks
from components.trainer.kmeans.passes import Partition, Table, vector
from components.trainer.kmeans.replicas import Kernel, State

# Movements are rounded up by this share, and gaps down.
_CAREFUL = 1.0 + 1e-6
_ROUNDED = 1.0 - 2e-7
# In the first pass every row changes sides: a few at a time stay in the cache.
_MOVED_AT_ONCE = 8_192


class BoundedPasses:
    """Keeps 8 bytes per row between passes: the label int32 and the gap float32, both on the row's device."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._states: list[list[State]] = []
        self._centroids: np.ndarray | None = None
        self._precise = False
        self._clusters = np.zeros([0, 0])

    def partition(self, centroids: np.ndarray, precise: bool) -> Partition:
        k, columns = centroids.shape
        if self._centroids is None:
            # Nobody's cluster, number k, is where every row comes from.
            self._states = self._fill(k)
            self._clusters = np.zeros([k + 1, columns + 2])
        size = (k + 1) * (columns + 2)
        shrink = self._shrink(centroids, precise)
        total = self._table.total(_PARTITION[precise], [centroids, shrink], size + 1, self._states)
        self._clusters = self._clusters + total[:-1].reshape(k + 1, columns + 2)
        self._centroids, self._precise = centroids.copy(), precise
        clusters = self._clusters[:k]
        # Counts of rows are exact, sums of weights are not: a cluster that lost all its rows has none.
        present = clusters[:, -1:] > 0.5
        clusters = np.where(present, clusters, 0.0)
        return Partition(clusters[:, :columns], clusters[:, columns], int(total[-1]))

    def measure(self, centroids: np.ndarray, precise: bool) -> tuple[float, np.ndarray]:
        weights = self.partition(centroids, precise).weights
        inertia = self._table.total(_MEASURE, [centroids], 1, self._states)
        return float(inertia[0]), weights

    def save(self) -> dict[str, np.ndarray]:
        kept = {"clusters": self._clusters, "precise": np.array(self._precise)}
        if self._centroids is not None:
            kept["centroids"] = self._centroids
            states = [state for round_ in self._states for state in round_]
            kept["labels"] = np.concatenate([np.zeros(0, np.int32), *(s[0].numpy() for s in states)])
            kept["gaps"] = np.concatenate([np.zeros(0, np.float32), *(s[1].numpy() for s in states)])
        return kept

    def load(self, kept: dict[str, np.ndarray]) -> None:
        self._clusters, self._precise = kept["clusters"], bool(kept["precise"])
        if "centroids" not in kept:
            return
        self._centroids = kept["centroids"]
        self._states = self._fill(len(self._centroids))
        at = 0
        for i, round_ in enumerate(self._states):
            for j, (labels, _) in enumerate(round_):
                part = slice(at, at + len(labels))
                at = part.stop
                with tf.device(self._table.replicas.devices[j]):
                    self._states[i][j] = tf.constant(kept["labels"][part]), tf.constant(kept["gaps"][part])

    def _fill(self, k: int) -> list[list[State]]:
        states = []
        for i in range(len(self._table.rounds)):
            sizes = self._table.rounds.sizes(i)
            states.append([(tf.fill([n], k), tf.zeros([n])) for n in sizes])
        return states

    def _shrink(self, centroids: np.ndarray, precise: bool) -> np.ndarray:
        """By how much the gaps of each cluster's rows shrink, [k + 1]; infinite where nothing is known of them."""
        k = len(centroids)
        if self._centroids is None or precise != self._precise:
            return np.full(k + 1, np.inf)
        moved = np.sqrt(np.square(centroids - self._centroids).sum(axis=1))
        others = np.full(k, moved.max())
        first = int(np.argmax(moved))
        others[first] = np.delete(moved, first).max(initial=0.0)
        return np.append((moved + others) * _CAREFUL, np.inf)


def _partition_kernel(dtype: tf.DType) -> Kernel:
    epsilon = float(np.finfo(dtype.as_numpy_dtype).eps)

    def function(
        rows: tf.Tensor, weights: tf.Tensor, state: State, centroids: tf.Tensor, shrink: tf.Tensor
    ) -> tuple[State, tf.Tensor]:
        labels, gaps = state
        k = tf.shape(centroids)[0]
        # Made smaller by the rounding of the subtraction, too: after hundreds of passes it must still be a bound.
        gaps = gaps * _ROUNDED - tf.gather(shrink, labels)
        places = tf.where(gaps < 0)
        picked = places[:, 0]
        old = tf.gather(labels, picked)
        exact = tf.cast(centroids, dtype)

        def compare(part: slice) -> tuple[tf.Tensor, tf.Tensor]:
            values = tf.cast(tf.gather(rows, picked[part]), dtype)
            return _compare(values, old[part], exact, epsilon)

        found, gap = in_blocks(compare, tf.size(old), k, (tf.int32, dtype))
        changed = tf.where(tf.not_equal(found, old))[:, 0]
        strays, new, old = (tf.gather(t, changed) for t in (picked, found, old))

        def move(part: slice) -> tf.Tensor:
            moving, heavy = (tf.cast(tf.gather(t, strays[part]), tf.float64) for t in (rows, weights))
            present = tf.cast(heavy > 0, tf.float64)
            addends = tf.concat([moving * heavy[:, None], heavy[:, None], present[:, None]], axis=1)
            gained = tf.math.unsorted_segment_sum(addends, new[part], k + 1)
            return vector(gained - tf.math.unsorted_segment_sum(addends, old[part], k + 1))

        size = (k + 1) * (tf.shape(centroids)[1] + 2)
        clusters = sum_in_blocks(move, tf.size(new), _MOVED_AT_ONCE, size)
        return (
            tf.tensor_scatter_nd_update(labels, places, found),
            tf.tensor_scatter_nd_update(gaps, places, tf.cast(gap, tf.float32)),
        ), vector(clusters, tf.size(picked))

    return Kernel(function, _STATE, (_CENTROIDS, tf.TensorSpec([None], tf.float32)))


def _compare(
    values: tf.Tensor, old: tf.Tensor, centroids: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, tf.Tensor]:
    """Compares rows [n, d], whose nearest centroids were `old` int32 [n] (k: none yet), with all centroids.

    Returns:
      The nearest centroid of every row int32 [n], and a lower bound [n] on how much farther the second one is.
    """
    dtype = values.dtype
    n, k = tf.shape(values)[0], tf.shape(centroids)[0]
    # (|x - c|^2 - |x|^2) / 2 in one product, with a row for every row: with many centroids that takes less time
    # than the layout of `scores`.
    halves = 0.5 * tf.reduce_sum(tf.square(centroids), axis=1, keepdims=True)
    longer = tf.concat([values, tf.ones([n, 1], dtype)], axis=1)
    table = tf.matmul(longer, tf.concat([-centroids, halves], axis=1), transpose_b=True)
    lowest = tf.reduce_min(table, axis=1)
    # Few rows change sides, and argmin takes as long as the product: it is asked about those only.
    own = tf.gather(table, tf.minimum(old, k - 1), batch_dims=1)
    changed = tf.where((own > lowest) | (old == k))
    strays = tf.argmin(tf.gather(table, changed[:, 0]), axis=1, output_type=tf.int32)
    found = tf.tensor_scatter_nd_update(old, changed, strays)
    # With one centroid there is no second one, and no row ever has to be looked at again.
    others = table + tf.one_hot(found, k, on_value=dtype.max / 8, off_value=0.0, dtype=dtype)
    second = tf.reduce_min(others, axis=1)
    # Each score is off by no more than this in squared distance, so the bound holds for the exact distances.
    squares = tf.reduce_sum(tf.square(values), axis=1)
    reach = tf.sqrt(squares) + tf.sqrt(2.0 * tf.reduce_max(halves))
    blur = tf.cast(tf.shape(values)[1] + 4, dtype) * epsilon * tf.square(reach)
    near = tf.sqrt(tf.maximum(squares + 2.0 * lowest, 0.0) + blur)
    far = tf.sqrt(tf.maximum(squares + 2.0 * second - blur, 0.0))
    return found, far * _ROUNDED - near


def _measure_kernel() -> Kernel:
    def function(
        rows: tf.Tensor, weights: tf.Tensor, state: State, centroids: tf.Tensor
    ) -> tuple[State, tf.Tensor]:
        # Differences in float64, as exact as the rows themselves; this is done once per fit.
        own = tf.gather(centroids, state[0])
        squared = tf.reduce_sum(tf.math.squared_difference(tf.cast(rows, tf.float64), own), axis=1)
        return state, vector(tf.reduce_sum(tf.cast(weights, tf.float64) * squared))

    return Kernel(function, _STATE, (_CENTROIDS,))


_STATE = (tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32))
_CENTROIDS = tf.TensorSpec([None, None], tf.float64)
# By precision: False for float32. Made once, so that their graphs are too.
_PARTITION = {False: _partition_kernel(tf.float32), True: _partition_kernel(tf.float64)}
_MEASURE = _measure_kernel()
