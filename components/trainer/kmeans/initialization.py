"""Starting centroids, drawn from a sample of the rows."""

from __future__ import annotations

import numpy as np

# Squared distances below this share of |x|^2 + |c|^2 are rounding errors of float64: the points are one.
_ROUNDING = 1e-14


def draw_start(
    rows: np.ndarray, weights: np.ndarray, k: int, init: str, seed: np.random.SeedSequence
) -> np.ndarray:
    """Draws k of the rows as starting centroids.

    Args:
      rows: float64 [n, d], n >= k, centred.
      weights: float64 [n], all positive.
      k: number of clusters.
      init: "k-means++" or "random".
      seed: of the draws.

    Returns:
      float64 [k, d].
    """
    random = np.random.default_rng(seed)
    if init == "random":
        return rows[random.choice(len(rows), size=k, replace=False, p=weights / weights.sum())]
    return _kmeans_plus_plus(rows, weights, k, random)


def _kmeans_plus_plus(
    rows: np.ndarray, weights: np.ndarray, k: int, random: np.random.Generator
) -> np.ndarray:
    """Greedy k-means++ (Arthur & Vassilvitskii 2007): of 2 + log k candidates per step the best is kept.

    Candidates are drawn by inverting the cumulative cost, so a row of weight N is drawn as N repeats of it
    are.
    """
    trials = 2 + int(np.log(k))
    norms = np.einsum("nd,nd->n", rows, rows)
    chosen = np.empty(k, np.int64)
    chosen[0] = _draw(weights, random.random(1))[0]
    closest = _squared_distances(rows, norms, chosen[:1])[0]
    for step in range(1, k):
        candidates = _draw(weights * closest, random.random(trials))
        distances = _squared_distances(rows, norms, candidates)
        np.minimum(distances, closest, out=distances)
        best = int(np.argmin(distances @ weights))
        chosen[step], closest = candidates[best], distances[best]
    return rows[chosen]


def _draw(costs: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Indices drawn in proportion to the costs; any index where nothing costs anything."""
    cumulative = np.cumsum(costs)
    drawn = np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
    return np.minimum(drawn, len(costs) - 1)


def _squared_distances(rows: np.ndarray, norms: np.ndarray, picked: np.ndarray) -> np.ndarray:
    """Squared distances [len(picked), n] from the picked rows to all, 0 for repeats of a picked row."""
    both = norms[picked, None] + norms
    distances = (-2.0 * rows[picked]) @ rows.T
    distances += both
    both *= _ROUNDING
    distances[distances < both] = 0.0
    return distances
