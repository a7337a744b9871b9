"""One judge for all: every contender's centroids are measured on all rows with the same arithmetic."""

from __future__ import annotations

import numpy as np

_CHUNK_ROWS = 65_536


def inertia(rows: np.ndarray, centroids: np.ndarray) -> float:
    """The sum over all rows of the squared distance to the nearest centroid, in float64.

    Args:
        rows: Numbers [n, d]; a memory map is read in chunks.
        centroids: Numbers [k, d].

    Raises:
        ValueError: if a centroid is not finite.
    """
    centroids = np.asarray(centroids, np.float64)
    if not np.isfinite(centroids).all():
        raise ValueError("a centroid is not finite")
    norms = np.einsum("kd,kd->k", centroids, centroids)
    total = 0.0
    for start in range(0, len(rows), _CHUNK_ROWS):
        chunk = np.asarray(rows[start : start + _CHUNK_ROWS], np.float64)
        nearest = (norms - 2.0 * (chunk @ centroids.T)).min(axis=1)
        total += float((np.einsum("nd,nd->n", chunk, chunk) + nearest).sum())
    return total
