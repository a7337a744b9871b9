"""Starting centroids made of the segments of the model in production. NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

_BLOCK = 16_384


def segment_means(vectors: np.ndarray, labels: np.ndarray, n: int) -> tuple[Matrix, Matrix]:
    """Where the customers of each segment are now.

    Args:
      vectors: float32 [m, d].
      labels: int [m], each customer's segment, 0 to n - 1; m is at least 1.
      n: number of segments.

    Returns:
      The means [p, d] of the segments that have customers, and how many these have, [p].
    """
    weights = np.bincount(labels, minlength=n).astype(np.float64)
    filled = np.flatnonzero(weights)
    order = np.argsort(labels, kind="stable")
    starts = np.r_[0, np.cumsum(weights[filled])[:-1]].astype(np.int64)
    sums = np.add.reduceat(vectors[order], starts, axis=0, dtype=np.float64)
    return sums / weights[filled, None], weights[filled]


def merge_closest(centroids: Matrix, weights: Matrix, k: int) -> Matrix:
    """Joins two clusters at a time until k are left, each time those whose union costs least.

    Joining clusters of n and m rows raises the inertia by n m / (n + m) times the squared distance of their
    means (Ward 1963).
    """
    centroids, weights = centroids.copy(), weights.copy()
    while len(centroids) > k:
        cost = squared_distances(centroids, centroids) * np.outer(weights, weights)
        cost /= np.add.outer(weights, weights)
        np.fill_diagonal(cost, np.inf)
        i, j = sorted(np.unravel_index(int(np.argmin(cost)), cost.shape))
        both = weights[i] + weights[j]
        centroids[i] = (weights[i] * centroids[i] + weights[j] * centroids[j]) / both
        weights[i] = both
        centroids, weights = np.delete(centroids, j, axis=0), np.delete(weights, j)
    return centroids


def drop_cheapest(vectors: np.ndarray, centroids: Matrix, k: int) -> Matrix:
    """Leaves out one centroid at a time until k are left, each time the one that is missed least.

    What a centroid is missed by is how much farther the second nearest is from its rows. k is at least 1.
    """
    while len(centroids) > k:
        missed = np.zeros(len(centroids))
        for start in range(0, len(vectors), _BLOCK):
            distances = squared_distances(vectors[start : start + _BLOCK], centroids)
            nearest = np.argmin(distances, axis=1)
            two = np.partition(distances, 1, axis=1)[:, :2]
            missed += np.bincount(nearest, two[:, 1] - two[:, 0], minlength=len(centroids))
        centroids = np.delete(centroids, int(np.argmin(missed)), axis=0)
    return centroids


def add_seeds(vectors: np.ndarray, centroids: Matrix, k: int, random: np.random.Generator) -> Matrix:
    """Adds rows as centroids until there are k: greedy k-means++ that begins with centroids it has.

    A row is drawn in proportion to its squared distance to the nearest centroid (Arthur & Vassilvitskii 2007); of
    2 + log k such candidates the one that lowers the inertia most is kept.

    Args:
      vectors: float32 [m, d].
      centroids: [p, d], p from 1 to k.
      k: how many to have.
      random: draws the candidates.
    """
    trials = 2 + int(np.log(k))
    closest = nearest_squared(vectors, centroids)
    while len(centroids) < k:
        cumulative = np.cumsum(closest)
        drawn = np.searchsorted(cumulative, random.random(trials) * cumulative[-1], side="right")
        candidates = vectors[np.minimum(drawn, len(vectors) - 1)].astype(np.float64)
        after = [np.minimum(closest, nearest_squared(vectors, candidate[None])) for candidate in candidates]
        best = int(np.argmin([distances.sum() for distances in after]))
        centroids, closest = np.concatenate([centroids, candidates[best : best + 1]]), after[best]
    return centroids


def nearest_squared(vectors: np.ndarray, centroids: Matrix) -> Matrix:
    """The squared distance [m] of each row to its nearest centroid."""
    nearest = np.empty(len(vectors))
    for start in range(0, len(vectors), _BLOCK):
        part = slice(start, start + _BLOCK)
        nearest[part] = squared_distances(vectors[part], centroids).min(axis=1)
    return nearest


def squared_distances(rows: np.ndarray, others: np.ndarray) -> Matrix:
    """[n, m], in float64, never negative."""
    x, y = rows.astype(np.float64), others.astype(np.float64)
    squares = np.einsum("nd,nd->n", x, x)[:, None] - 2.0 * (x @ y.T) + np.einsum("nd,nd->n", y, y)
    return np.maximum(squares, 0.0)
