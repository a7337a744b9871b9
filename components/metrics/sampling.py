"""Samples of rows that do not depend on the order in which the rows came."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def sample_rows(rows: npt.ArrayLike, size: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """Draws rows without replacement, each equally likely, by a hash of what they hold.

    Which rows are drawn, and the order they are returned in, follows from the set of rows and the seed. Beam
    splits and merges data in any order; a figure computed from such a sample is the same in all of them.

    Args:
      rows: [n, d] of numbers.
      size: how many to draw; all of them where there are fewer.
      seed: another seed, another sample.

    Returns:
      Indices int64 [min(size, n)].
    """
    with np.errstate(over="ignore"):
        return _sample(np.ascontiguousarray(rows, np.float64), size, seed)


def _sample(matrix: npt.NDArray[np.float64], size: int, seed: int) -> npt.NDArray[np.int64]:
    # -0.0 equals 0.0 and has other bits.
    bits = (matrix + 0.0).view(np.uint64)
    keys = np.full(len(matrix), seed + 1, np.uint64) * _MULTIPLIER
    for column in bits.T:
        keys = _mix(keys ^ column)
    # Equal rows have equal keys: without their number among their equals, all or none of them would be drawn.
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = (
        np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, np.int64)
    )
    counts = np.diff(np.r_[first, len(ordered)])
    number = np.arange(len(ordered)) - np.repeat(first, counts)
    drawn = np.argsort(_mix(ordered + number.astype(np.uint64) * _MULTIPLIER), kind="stable")[:size]
    return order[drawn].astype(np.int64)


def _mix(keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """A bijection that spreads every bit (the finalizer of splitmix64, shortened)."""
    keys = (keys ^ (keys >> _SHIFT)) * _MULTIPLIER
    return keys ^ (keys >> _SHIFT)
