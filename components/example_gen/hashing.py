"""Hashes of text that are the same in every run and on every machine, computed a column at a time."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The multipliers of MurmurHash3's 64-bit finalizer (Appleby, public domain) and the golden ratio in 64 bits.
_MULTIPLY_1 = np.uint64(0xFF51AFD7ED558CCD)
_MULTIPLY_2 = np.uint64(0xC4CEB9FE1A85EC53)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(33)
_WORD = 8
_FIRST_BYTES = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], dtype="<u8")

BUCKET_BITS = 16
SPLIT_BITS = 64 - BUCKET_BITS


def hash_text(column: pa.Array, seed: int = 0) -> np.ndarray:
    """A 64-bit hash of each value of a text column.

    Args:
      column: strings [n]; missing values hash alike, and unlike any text.
      seed: another seed is another, independent hash.

    Returns:
      uint64 [n].
    """
    offsets = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    start, length = offsets[:-1].astype(np.int64), np.diff(offsets).astype(np.int64)
    hashed = _mix(length.astype(np.uint64) * _GOLDEN + np.uint64(seed))
    words = _words(column.buffers()[2])
    # A pass per eight bytes, over the values that are that long.
    for position in range(0, int(length.max(initial=0)), _WORD):
        active = np.flatnonzero(length > position)
        word = words[start[active] + position].view("<u8").ravel()
        word &= _FIRST_BYTES[np.minimum(length[active] - position, _WORD)]
        hashed[active] = _mix((hashed[active] ^ word) * _GOLDEN + np.uint64(position))
    if column.null_count:
        missing = column.is_null().to_numpy(zero_copy_only=False)
        hashed[missing] = _mix(np.full(1, ~np.uint64(seed), np.uint64))
    return hashed


def hash_rows(columns: list[pa.Array], seed: int) -> np.ndarray:
    """A 64-bit hash of each row over text columns [n]; uint64 [n]."""
    hashed = np.full(len(columns[0]), seed, np.uint64)
    for column in columns:
        hashed = _mix(hashed * _GOLDEN + hash_text(column, seed))
    return hashed


def buckets(hashed: np.ndarray, count: int) -> np.ndarray:
    """The bucket of each hash, from its lowest bits: int64 [n] in [0, count)."""
    return (hashed & np.uint64((1 << BUCKET_BITS) - 1)).astype(np.int64) % count


def split_positions(hashed: np.ndarray) -> np.ndarray:
    """Where each hash stands in [0, 2**48), from the bits that no bucket depends on: int64 [n]."""
    return (hashed >> np.uint64(BUCKET_BITS)).astype(np.int64)


def as_text(column: pa.Array) -> pa.Array:
    """Any flat column as text, equal where the values are equal."""
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _words(data: pa.Buffer | None) -> np.ndarray:
    """Every eight bytes in a row of a buffer: uint8 [bytes, 8], without copying them."""
    content = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
    padded = np.concatenate([content, np.zeros(_WORD, np.uint8)])
    return np.lib.stride_tricks.sliding_window_view(padded, _WORD)


def _mix(hashed: np.ndarray) -> np.ndarray:
    hashed = (hashed ^ (hashed >> _SHIFT)) * _MULTIPLY_1
    hashed = (hashed ^ (hashed >> _SHIFT)) * _MULTIPLY_2
    return hashed ^ (hashed >> _SHIFT)
