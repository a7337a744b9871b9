"""Rows grouped by segment, with what the linear-cost metrics need of each segment. NumPy only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_BLOCK = 2**18
"""Numbers in a block: its float64 copy stays in the processor's cache."""


@dataclass(frozen=True)
class Partition:
    """Rows sorted by segment, and the moments of each segment; m segments have rows.

    Attributes:
      rows: float32 or float64 [n, d], sorted by segment, as they came: float64 copies are made block by block.
      labels: int [n], the segment's place in the arrays below, ascending.
      origin: float64 [d], mean of all rows. What follows is relative to it.
      sizes: int [m], rows per segment.
      means: float64 [m, d], mean of each segment's own rows (which need not be the model's centroid).
      variances: float64 [m], mean squared Euclidean distance of a segment's rows to that mean.
      spreads: float64 [m], mean Euclidean distance of a segment's rows to that mean.
    """

    rows: npt.NDArray[np.floating]
    labels: npt.NDArray[np.intp]
    origin: Floats
    sizes: npt.NDArray[np.int64]
    means: Floats
    variances: Floats
    spreads: Floats

    @classmethod
    def of(cls, features: npt.ArrayLike, segments: npt.ArrayLike) -> Partition:
        """Groups `features` [n, d] by `segments` [n] (any sortable values).

        Raises:
          ValueError: `features` is not a matrix, or the two differ in length.
        """
        matrix = np.asarray(features)
        if matrix.dtype not in (np.float32, np.float64):
            matrix = matrix.astype(np.float64)
        ids = np.asarray(segments)
        if matrix.ndim != 2 or ids.shape != matrix.shape[:1]:
            raise ValueError(f"features must be [n, d] and segments [n]; got {matrix.shape} and {ids.shape}")
        _, labels = np.unique(ids, return_inverse=True)
        order = np.argsort(labels, kind="stable")
        rows, labels = matrix[order], labels[order]
        # Far from the origin float64 would lose in sums and squares what distinguishes the rows.
        origin = rows.mean(axis=0, dtype=np.float64) if len(rows) else np.zeros(rows.shape[1])
        sizes = np.bincount(labels)
        means = np.zeros((len(sizes), rows.shape[1]))
        for part, block in _blocks(rows, origin):
            present, starts = np.unique(labels[part], return_index=True)
            means[present] += np.add.reduceat(block, starts, axis=0)
        means /= sizes[:, None]
        variances, spreads = np.zeros(len(sizes)), np.zeros(len(sizes))
        for part, block in _blocks(rows, origin):
            block -= means[labels[part]]
            squares = squared_norms(block)
            variances += np.bincount(labels[part], squares, len(sizes))
            spreads += np.bincount(labels[part], np.sqrt(squares), len(sizes))
        return cls(rows, labels, origin, sizes, means, variances / sizes, spreads / sizes)

    @property
    def comparable(self) -> bool:
        """Whether there is something to compare: at least two segments, not all of them single rows."""
        return 2 <= len(self.sizes) < len(self.rows)

    @property
    def finite(self) -> bool:
        """Whether every number is finite."""
        return bool(np.isfinite(self.origin).all())

    def blocks(self) -> Iterator[tuple[slice, Floats]]:
        """The rows in blocks: where they are, and their float64 copy [b, d] relative to `origin`."""
        return _blocks(self.rows, self.origin)


def _blocks(rows: npt.NDArray[np.floating], origin: Floats) -> Iterator[tuple[slice, Floats]]:
    size = max(1, _BLOCK // max(1, rows.shape[1]))
    for start in range(0, len(rows), size):
        part = slice(start, start + size)
        yield part, rows[part] - origin


def squared_norms(rows: Floats) -> Floats:
    """[n, d] -> [n]."""
    return np.einsum("ij,ij->i", rows, rows)
