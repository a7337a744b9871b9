"""Columns of the sample as numbers that scores can be computed from.

Simpler than what the model does with them, and the same for every score: a number is a number, a category is a code by
falling frequency. Where distances are taken, numbers are standardized and categories are one-hot.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.plan import Kind

Floats = npt.NDArray[np.float64]

MOST_CATEGORIES = 32
"""So many values of a category are told apart, the most frequent ones; all others are one, the last."""

_CLIPPED = 0.01


@dataclass(frozen=True)
class Encoded:
    """A feature of the sampled customers.

    Attributes:
      name: the column.
      kind: what it is.
      values: float64 [n], NaN where missing. Of categories the codes 0, 1, ... by falling frequency.
      rest: the code that all rarer categories share; None where there are none.
    """

    name: str
    kind: Kind
    values: Floats
    rest: int | None = None

    @cached_property
    def missing(self) -> float:
        """The share of customers without a value."""
        return float(np.isnan(self.values).mean())

    @cached_property
    def _counts(self) -> tuple[Floats, npt.NDArray[np.int64]]:
        values, counts = np.unique(self.values[~np.isnan(self.values)], return_counts=True)
        return values, counts

    @property
    def distinct(self) -> int:
        """How many different values there are."""
        return len(self._counts[0])

    @property
    def codes(self) -> npt.NDArray[np.int64]:
        """Of a category, int64 [n]: missing is a category of its own, the last one."""
        return np.where(np.isnan(self.values), self.distinct, self.values).astype(np.int64)

    @property
    def commonest(self) -> tuple[float, float]:
        """The most common value and the share of all customers that has it; a missing value is one, too (NaN)."""
        values, counts = self._counts
        if not len(values) or self.missing * len(self.values) > counts.max():
            return float("nan"), self.missing
        place = int(np.argmax(counts))
        return float(values[place]), float(counts[place] / len(self.values))


def encode(name: str, kind: Kind, column: pa.Array, order: Sequence[str] | None = None) -> Encoded:
    """Encodes a column.

    Args:
      name: of the column.
      kind: what it is taken for; numbers may be codes of categories.
      column: [n] of numbers, bytes or text.
      order: of ordered categories, from the lowest: their rank is a number then; others are missing.
    """
    if order is not None:
        ranks = pc.index_in(_as_text(column), pa.array(list(order), pa.string()))
        return Encoded(name, "numeric", _floats(ranks))
    if kind == "numeric":
        return Encoded(name, kind, _floats(column))
    return _encode_categories(name, column)


def stack(columns: Sequence[Encoded]) -> Floats:
    """The values side by side, float64 [n, d], NaN where missing."""
    return np.stack([column.values for column in columns], axis=1)


def blocks(column: Encoded) -> Floats:
    """A feature as coordinates whose squared distances can be added up, float64 [n, b].

    A number is clipped to its 1st and 99th percentile, standardized, and takes the median where it is missing; then a
    second coordinate says so, by 0 or 1. A category has a coordinate of 0 or 1 for each value, missing being one.
    """
    if column.kind == "numeric":
        return _standardized(column.values)
    codes = column.codes
    used, places = np.unique(codes, return_inverse=True)
    return np.eye(len(used))[places]


def _standardized(values: Floats) -> Floats:
    absent = np.isnan(values)
    there = values[~absent]
    if not len(there):
        return absent[:, np.newaxis].astype(np.float64)
    low, middle, high = np.quantile(there, (_CLIPPED, 0.5, 1 - _CLIPPED))
    # Where nearly all values are one, what is left of the others after clipping would be nothing.
    filled = np.where(absent, middle, values if low == high else np.clip(values, low, high))
    spread = filled.std()
    scaled = (filled - filled.mean()) / spread if spread > 0 else np.zeros_like(filled)
    return np.stack([scaled, absent.astype(np.float64)], axis=1) if absent.any() else scaled[:, np.newaxis]


def _encode_categories(name: str, column: pa.Array) -> Encoded:
    text = _as_text(column)
    dictionary = text.dictionary_encode()
    codes = _floats(dictionary.indices)
    words = dictionary.dictionary.to_pylist()
    present = codes[~np.isnan(codes)].astype(np.int64)
    counts = np.bincount(present, minlength=len(words))
    # By name where equally frequent: the order of the rows is no one's.
    order = sorted(range(len(words)), key=lambda place: (-counts[place], words[place]))
    places = np.empty(len(words))
    places[order] = np.arange(len(words))
    rest = MOST_CATEGORIES if len(words) > MOST_CATEGORIES else None
    ranked = np.full(len(codes), np.nan)
    ranked[~np.isnan(codes)] = np.minimum(places[present], MOST_CATEGORIES)
    return Encoded(name, "categorical", ranked, rest)


def _floats(column: pa.Array) -> Floats:
    """Numbers; what is missing or not finite is NaN, as in `transforms.inputs.numbers`."""
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan)
    values = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return np.where(np.isfinite(values), values, np.nan)


def _as_text(column: pa.Array) -> pa.Array:
    """Text as `transforms.inputs.categories` has it: an empty one is missing."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_binary(column.type):
        words = column.dictionary_encode()
        # Decoded leniently: a stray byte must not end a run.
        lenient = [
            None if word is None else word.decode("utf-8", "replace") for word in words.dictionary.to_pylist()
        ]
        column = pa.array(lenient, pa.string()).take(words.indices)
    elif not pa.types.is_string(column.type):
        column = pc.cast(column, pa.string())
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def encode_all(
    columns: Mapping[str, pa.Array], kinds: Mapping[str, Kind], orders: Mapping[str, Sequence[str]]
) -> list[Encoded]:
    """Encodes the columns of `kinds`, in the order of their names."""
    return [encode(name, kinds[name], columns[name], orders.get(name)) for name in sorted(kinds)]
