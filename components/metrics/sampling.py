"""Samples of rows that do not depend on the order in which the rows came."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_BLOCK = 65_536


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
    return draw(row_keys(rows), size, seed)


def draw(keys: Keys, size: int, seed: int = 0) -> npt.NDArray[np.int64]:
    """`sample_rows` of rows that are known by a key each, equal rows by equal keys.

    A smaller `size` draws the first of those that a larger one draws.

    Args:
      keys: uint64 [n].
      size: how many to draw.
      seed: another seed, another sample.

    Returns:
      Indices int64 [min(size, n)].
    """
    if not len(keys):
        return np.zeros(0, np.int64)
    with np.errstate(over="ignore"):
        seeded = _mix(keys ^ (np.full(1, seed + 1, np.uint64) * _MULTIPLIER))
        # Equal rows have equal keys: without their number among their equals, all or none would be drawn.
        order = np.argsort(seeded, kind="stable")
        ordered = seeded[order]
        first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
        counts = np.diff(np.r_[first, len(ordered)])
        number = np.arange(len(ordered)) - np.repeat(first, counts)
        drawn = np.argsort(_mix(ordered + number.astype(np.uint64) * _MULTIPLIER), kind="stable")[:size]
    return order[drawn].astype(np.int64)


def row_keys(rows: npt.ArrayLike) -> Keys:
    """A hash of the numbers in each row: [n, d] -> uint64 [n]."""
    matrix = np.asarray(rows)
    keys = np.empty(len(matrix), np.uint64)
    with np.errstate(over="ignore"):
        for start in range(0, len(matrix), _BLOCK):
            # -0.0 equals 0.0 and has other bits.
            bits = (matrix[start : start + _BLOCK].astype(np.float64, order="C") + 0.0).view(np.uint64)
            block = np.zeros(len(bits), np.uint64)
            for column in bits.T:
                block = _mix(block ^ column)
            keys[start : start + _BLOCK] = block
    return keys


def text_keys(values: npt.NDArray[np.uint8], offsets: npt.NDArray[np.integer]) -> Keys:
    """A hash of each of several byte strings that lie one after the other, as Arrow stores them.

    Args:
      values: uint8, all bytes.
      offsets: int [n + 1], where each string starts, and where the last one ends.

    Returns:
      uint64 [n].
    """
    lengths = np.diff(offsets).astype(np.int64)
    keys = lengths.astype(np.uint64)
    if lengths.any():
        with np.errstate(over="ignore"):
            powers = np.multiply.accumulate(np.full(int(lengths.max()), _MULTIPLIER))
            starts = np.repeat(offsets[:-1], lengths)
            begin, end = int(offsets[0]), int(offsets[-1])
            position = np.arange(begin, end) - starts
            terms = (values[begin:end].astype(np.uint64) + np.uint64(1)) * powers[position]
            filled = lengths > 0
            keys[filled] += np.add.reduceat(terms, offsets[:-1][filled] - begin)
    with np.errstate(over="ignore"):
        return _mix(keys)


def _mix(keys: Keys) -> Keys:
    """A bijection that spreads every bit (the finalizer of splitmix64, shortened)."""
    keys = (keys ^ (keys >> _SHIFT)) * _MULTIPLIER
    return keys ^ (keys >> _SHIFT)
