"""The ordinary silhouette of every row of a sample. NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 512


def silhouettes(features: npt.ArrayLike, segments: npt.ArrayLike) -> Floats:
    """The silhouette of each row under Euclidean distance, in O(n^2 d).

    (b - a) / max(a, b), where a is a row's mean distance to the others of its segment and b the smallest of
    its mean distances to the rows of another segment; 0 for the only row of a segment (Rousseeuw 1987,
    doi:10.1016/0377-0427(87)90125-7).

    Args:
      features: [n, d] of finite numbers.
      segments: [n], the segment of each row.

    Returns:
      float64 [n], each in [-1, 1]; equal to scikit-learn's `silhouette_samples`. NaN in every row where there
      are fewer than two segments, or where every row has a segment of its own.
    """
    rows = np.asarray(features, np.float64)
    labels = np.unique(np.asarray(segments), return_inverse=True)[1]
    sizes = np.bincount(labels)
    n, m = len(rows), len(sizes)
    if not 2 <= m < n:
        return np.full(n, np.nan)
    # Around the mean, |x|^2 + |y|^2 - 2 x.y cancels less.
    rows = rows - rows.mean(axis=0)
    squares = np.einsum("ij,ij->i", rows, rows)
    membership = np.zeros((n, m))
    membership[np.arange(n), labels] = 1
    sums = np.empty((n, m))
    for start in range(0, n, _BLOCK):
        block = slice(start, start + _BLOCK)
        squared = squares[block, None] + squares - 2 * rows[block] @ rows.T
        # Equal rows: rounding leaves a little more or less than nothing.
        tolerance = 1e-12 * (squares[block, None] + squares)
        squared[squared <= tolerance] = 0
        sums[block] = np.sqrt(squared) @ membership
    place = np.arange(n)
    size = sizes[labels]
    own = sums[place, labels] / np.maximum(size - 1, 1)
    others = sums / sizes
    others[place, labels] = np.inf
    nearest = others.min(axis=1)
    larger = np.maximum(own, nearest)
    counts = (size > 1) & (larger > 0)
    return np.where(counts, (nearest - own) / np.where(counts, larger, 1.0), 0.0)
