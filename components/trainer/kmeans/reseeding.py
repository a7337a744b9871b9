"""New places for empty clusters: the points that are farthest from every centroid."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import nearest
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rounds import Rounds
from components.trainer.kmeans.threads import in_order

# Every pass picks at least this share of the points wanted: up to eight empty clusters are placed one by one,
# each far from those before it, and any number costs at most eight passes.
_PASSES = 8


def farthest_points(
    rounds: Rounds, replicas: Replicas, centroids: np.ndarray, count: int, rounding: float
) -> np.ndarray:
    """Finds points far from the centroids and from each other, over all workers.

    Args:
      rounds: this worker's rows.
      replicas: who takes part.
      centroids: float64 [k, d], those of clusters that are not empty.
      count: how many points are wanted.
      rounding: distances below this share of a point's size are rounding errors of a centroid: reseeding
        there would move a cluster from one copy of a point to the next for ever.

    Returns:
      float64 [m, d], m <= count; fewer where the data has no more distinct points.
    """
    share = -(-count // _PASSES)
    found = centroids[:0]
    while len(found) < count:
        pool = _farthest(rounds, replicas, np.concatenate([centroids, found]), 4 * share + 16)
        picked = _spread_out(pool[:, 0], pool[:, 1:], min(share, count - len(found)), rounding)
        if len(picked) == 0:
            break
        found = np.concatenate([found, picked])
    return found


def _farthest(rounds: Rounds, replicas: Replicas, centroids: np.ndarray, count: int) -> np.ndarray:
    """Returns float64 [count, 1 + d]: squared distances and rows, the farthest of all workers first."""
    wanted, against = tf.constant(count), tf.constant(centroids)

    def far(index: int) -> list[np.ndarray]:
        return [_far(rows, weights, against, wanted).numpy() for rows, weights in rounds[index]]

    best = np.zeros([count, centroids.shape[1] + 1])
    for found in in_order(far, range(len(rounds))):
        best = _top(np.concatenate([best, *found]), count)
    return _top(replicas.gather(best).reshape(-1, best.shape[1]), count)


def _spread_out(distances: np.ndarray, points: np.ndarray, count: int, rounding: float) -> np.ndarray:
    """Picks up to `count` points, each as far as can be from the centroids and from those before it."""
    floor = np.square(rounding) * np.einsum("nd,nd->n", points, points)
    chosen: list[int] = []
    while len(chosen) < count:
        distances = np.where(distances > floor, distances, 0.0)
        farthest = int(np.argmax(distances))
        if distances[farthest] == 0.0:
            break
        chosen.append(farthest)
        distances = np.minimum(distances, np.square(points - points[farthest]).sum(axis=1))
    return points[chosen]


def _top(candidates: np.ndarray, count: int) -> np.ndarray:
    return candidates[np.argsort(-candidates[:, 0], kind="stable")[:count]]


@tf.function(
    autograph=False,
    input_signature=[
        tf.TensorSpec([None, None], tf.float32),
        tf.TensorSpec([None], tf.float32),
        tf.TensorSpec([None, None], tf.float64),
        tf.TensorSpec([], tf.int32),
    ],
)
def _far(rows: tf.Tensor, weights: tf.Tensor, centroids: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Returns float64 [min(count, b), 1 + d]: squared distances and rows, the farthest that have weight."""
    _, squared = nearest(rows, centroids)
    squared = tf.where(weights > 0, squared, 0.0)
    squared, indices = tf.math.top_k(squared, tf.minimum(count, tf.size(squared)))
    return tf.concat([squared[:, None], tf.cast(tf.gather(rows, indices), tf.float64)], axis=1)
