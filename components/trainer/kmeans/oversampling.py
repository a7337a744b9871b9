"""k-means||: candidates for starting centroids, drawn from all rows of all workers in a few passes.

Bahmani, Moseley, Vattani, Kumar & Vassilvitskii, "Scalable K-Means++" (2012): begin with one row; in every round each
row becomes a candidate with probability l w d^2 / cost, where d is its distance to the nearest candidate so far and
cost the sum of w d^2 over all rows; weigh each candidate by the rows nearest to it. k-means++ among the candidates
then costs nothing, and finds what no sample of a few thousand rows holds.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import in_blocks, scores
from components.trainer.kmeans.passes import Table, vector
from components.trainer.kmeans.replicas import Kernel, State
from components.trainer.kmeans.sampling import Sample, uniform
from components.trainer.kmeans.threads import in_order

_ROUNDS = 5  # the authors found no gain beyond
_PER_CLUSTER = 2  # l / k, likewise


def draw_candidates(table: Table, first: np.ndarray, k: int, seed: int) -> Sample:
    """Draws about `_ROUNDS * _PER_CLUSTER * k` candidates.

    Args:
      table: the rows.
      first: float32 [m, d], rows to begin with, the same on all workers.
      k: number of clusters.
      seed: of the draws.

    Returns:
      The candidates that are nearest to some row of positive weight, weighted by these; the same on all workers.
    """
    replicas = table.replicas
    states: list[list[State]] = [
        [(tf.fill([n], np.float32(np.inf)), tf.zeros([n], tf.int32)) for n in table.rounds.sizes(i)]
        for i in range(len(table.rounds))
    ]
    candidates, fresh, cost = first, first, 0.0
    for step in range(_ROUNDS + 1):
        if len(fresh):  # for few clusters a round may draw nothing
            arguments = [fresh, np.array(len(candidates) - len(fresh))]
            cost = table.total(_APPROACH, arguments, 1, states)[0]
        if step == _ROUNDS or cost <= 0.0:
            break
        drawn = _draw(table, states, _PER_CLUSTER * k / cost, [seed, step])
        fresh = replicas.gather_rows(drawn) if replicas.workers > 1 else drawn
        candidates = np.concatenate([candidates, fresh])
    weights = table.total(_WEIGH, [np.array(len(candidates))], len(candidates), states)
    used = weights > 0
    rows, weights = candidates[used].astype(np.float32), weights[used].astype(np.float32)
    return Sample(rows, weights, len(rows), whole=False)


def _draw(table: Table, states: list[list[State]], rate: float, seed: list[int]) -> np.ndarray:
    """This worker's rows that were drawn, float32 [m, d]: the same ones however the rows are shared out."""
    rounds, replicas = table.rounds, table.replicas
    shards = replicas.gather(np.array([rounds.rows], np.float64))[:, 0]
    before = int(shards[: replicas.worker].sum())

    def draw(index: int) -> np.ndarray:
        found = []
        chunks = zip(rounds[index], states[index], rounds.starts(index), strict=True)
        for (rows, weights), (closest, _), start in chunks:
            chances = rate * weights.numpy().astype(np.float64) * closest.numpy()
            drawn = uniform(seed, before + start, len(chances)) < chances
            found.append(rows.numpy()[np.flatnonzero(drawn)])
        return np.concatenate(found)

    nothing = np.zeros([0, rounds.columns], np.float32)
    return np.concatenate([nothing, *in_order(draw, range(len(rounds)))])


def _approach(
    rows: tf.Tensor, weights: tf.Tensor, state: State, fresh: tf.Tensor, offset: tf.Tensor
) -> tuple[State, tf.Tensor]:
    """Compares every row with the fresh candidates; the sum of w d^2 to the nearest of all."""
    closest, owner = state

    def compare(part: slice) -> tuple[tf.Tensor, tf.Tensor]:
        table = scores(rows[part], fresh)
        return tf.argmin(table, axis=0, output_type=tf.int32), tf.reduce_min(table, axis=0)

    n, m = tf.shape(rows)[0], tf.shape(fresh)[0]
    nearest, lowest = in_blocks(compare, n, m, (tf.int32, tf.float32))
    squares = tf.reduce_sum(tf.square(rows), axis=1)
    squared = squares + 2.0 * lowest
    # What is left of rounding is no distance: a row that is a candidate must not be drawn again.
    reach = tf.sqrt(squares) + tf.sqrt(tf.reduce_max(tf.reduce_sum(tf.square(fresh), axis=1)))
    blur = tf.cast(tf.shape(rows)[1] + 4, tf.float32) * np.finfo(np.float32).eps * tf.square(reach)
    squared = tf.where(squared > blur, squared, 0.0)
    nearer = squared < closest
    closest = tf.where(nearer, squared, closest)
    return (closest, tf.where(nearer, nearest + offset, owner)), vector(tf.reduce_sum(weights * closest))


def _weigh(rows: tf.Tensor, weights: tf.Tensor, state: State, count: tf.Tensor) -> tuple[State, tf.Tensor]:
    return state, vector(tf.math.unsorted_segment_sum(tf.cast(weights, tf.float64), state[1], count))


_STATE = (tf.TensorSpec([None], tf.float32), tf.TensorSpec([None], tf.int32))
_APPROACH = Kernel(_approach, _STATE, (tf.TensorSpec([None, None], tf.float32), tf.TensorSpec([], tf.int32)))
_WEIGH = Kernel(_weigh, _STATE, (tf.TensorSpec([], tf.int32),))
