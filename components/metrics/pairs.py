"""Metrics that look at every pair of rows, O(n^2 d): for a sample of the rows. NumPy only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.metrics.partition import Floats, Partition, squared_norms
from components.metrics.separation import ratio_of_extremes, silhouettes

_BLOCK = 128
"""Rows whose distances to all others are in memory at once."""

_CANCELLED = 1e-6
"""Below this share of |x|^2 + |y|^2, |x|^2 - 2 x.y + |y|^2 has lost too many of its sixteen digits."""


@dataclass(frozen=True)
class Pairs:
    """What one pass over all pairs of rows of a partition tells.

    Attributes:
      silhouettes: float64 [n], of each row, under Euclidean distance.
      separation: the smallest distance between rows of two segments.
      diameter: the largest distance between rows of one segment.
    """

    silhouettes: Floats
    separation: float
    diameter: float

    @classmethod
    def of(cls, partition: Partition) -> Pairs | None:
        """Looks at all pairs, a block of rows against all at a time; None where nothing is comparable."""
        if not partition.comparable or not partition.finite:
            return None
        rows = partition.rows - partition.origin
        norms, sizes = squared_norms(rows), partition.sizes
        starts = np.cumsum(sizes) - sizes
        scores, separation, diameter = np.empty(len(rows)), np.inf, 0.0
        for start in range(0, len(rows), _BLOCK):
            part = slice(start, start + _BLOCK)
            distances = _distances(rows, norms, part)
            labels = partition.labels[part]
            here = np.arange(len(labels)), labels
            farthest = np.maximum.reduceat(distances, starts, axis=1)[here]
            nearest = np.minimum.reduceat(distances, starts, axis=1)
            nearest[here] = np.inf
            means = np.add.reduceat(distances, starts, axis=1)
            own = means[here] / np.maximum(sizes[labels] - 1, 1)
            means /= sizes
            means[here] = np.inf
            scores[part] = silhouettes(own, means.min(axis=1), sizes[labels])
            separation = min(separation, float(nearest.min()))
            diameter = max(diameter, float(farthest.max()))
        return cls(scores, separation, diameter)


def _distances(rows: Floats, norms: Floats, part: slice) -> Floats:
    """Euclidean distances [b, n] of the rows of `part` to all rows."""
    block = rows[part]
    both = norms[part, None] + norms
    squared = both - 2.0 * (block @ rows.T)
    # Directly, where little is left of the difference: rows that are close together, or the same.
    first, second = np.nonzero(squared < _CANCELLED * both)
    squared[first, second] = squared_norms(block[first] - rows[second])
    return np.sqrt(np.maximum(squared, 0.0, out=squared), out=squared)


def silhouette_euclidean(pairs: Pairs | None) -> float:
    """Mean silhouette under Euclidean distance, the ordinary one (see `separation.silhouette`).

    Returns:
      A number in [-1, 1], higher is better; equal to scikit-learn's `silhouette_score` on the same rows. NaN
      where there are no `pairs`.
    """
    return float(pairs.silhouettes.mean()) if pairs else float("nan")


def dunn(pairs: Pairs | None) -> float:
    """Dunn index: the smallest distance between rows of two segments over the largest within one.

    min over segments i < j, x in i, y in j of |x - y|, over max over i, x and y in i of |x - y| (Dunn 1974,
    doi:10.1080/01969727408546059). It hangs on single rows: of a sample it is higher than of all rows.

    Returns:
      A number >= 0, higher is better; infinite where segments are single points apart. NaN where there are no
      `pairs`, and where all rows are in one place.
    """
    return ratio_of_extremes(pairs.separation, pairs.diameter) if pairs else float("nan")
