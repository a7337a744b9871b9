"""Metrics that scikit-learn lacks, as plainly as NumPy says them."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist


def dunn(rows: np.ndarray, segments: np.ndarray) -> float:
    """The smallest distance between rows of two segments over the largest within one."""
    rows = np.asarray(rows, np.float64)
    apart = np.asarray(segments)[:, None] != np.asarray(segments)
    distances = cdist(rows, rows)
    return distances[apart].min() / distances[~apart].max()


def dunn_generalized(rows: np.ndarray, segments: np.ndarray) -> float:
    """The smallest distance between means over twice the largest mean distance to one."""
    groups = [np.asarray(rows, np.float64)[segments == segment] for segment in np.unique(segments)]
    means = np.array([group.mean(axis=0) for group in groups])
    between = cdist(means, means)[~np.eye(len(groups), dtype=bool)].min()
    return between / (
        2 * max(np.linalg.norm(g - m, axis=1).mean() for g, m in zip(groups, means, strict=True))
    )


def effective_segments(sizes: np.ndarray) -> float:
    """exp of Shannon's entropy of the shares."""
    shares = sizes[sizes > 0] / sizes.sum()
    return float(np.prod(shares**-shares))
