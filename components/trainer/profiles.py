"""Segment profiles: what the customers of each segment look like in the units of the source table.

NumPy and Arrow only, and one pass per column: 1,000,000 customers with 10 columns take about a second.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# {"numeric": {column: {"mean", "median", "p25", "p75", "missing"}},
#  "categorical": {column: {"values": {value: share}, "missing": share}}}
Profile: TypeAlias = dict[str, Any]
Text: TypeAlias = npt.NDArray[Any] | pa.Array | pa.ChunkedArray

TOP_VALUES = 12
"""So many values of a categorical column are listed, the most frequent first."""

_QUARTILES = (0.25, 0.5, 0.75)


def profile_segments(
    numeric: Mapping[str, npt.NDArray[Any]],
    categorical: Mapping[str, Text],
    labels: npt.NDArray[np.integer[Any]],
    k: int,
) -> tuple[Profile, list[Profile]]:
    """Profiles all customers, and the customers of each segment.

    Args:
      numeric: column -> [n] numbers; a value that is not finite is missing.
      categorical: column -> [n] str or bytes, as a NumPy or Arrow array; "" and null are missing.
      labels: int [n], the segment's index of each customer, 0 to k - 1.
      k: the number of segments; one without customers gets a profile without values.

    Returns:
      The profile of the population and the k profiles of the segments. Quartiles interpolate linearly between
      the values that are there, as NumPy's do; a statistic of no values is None. Shares, of values as well as
      of missing ones, are of all customers of the profile, so that they add up to at most 1.

    Raises:
      ValueError: a column's length differs from that of `labels`, or a label is outside 0 to k - 1.
    """
    labels = np.asarray(labels)
    if labels.size and (labels.min() < 0 or labels.max() >= k):
        raise ValueError(f"labels must lie in 0 to {k - 1}, found {labels.min()} to {labels.max()}")
    # Customers ordered by segment: each segment becomes a slice of a column. 16 bits sort by radix.
    order = np.argsort(labels.astype(np.uint16) if k <= 2**16 else labels, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(labels, minlength=k))]).astype(np.int64)
    groups = [slice(0, labels.size), *(slice(bounds[j], bounds[j + 1]) for j in range(k))]

    profiles: list[Profile] = [{"numeric": {}, "categorical": {}} for _ in groups]
    for column, numbers in numeric.items():
        ordered = _of_length(column, np.asarray(numbers), labels.size).astype(np.float64)[order]
        for profile, group in zip(profiles, groups, strict=True):
            profile["numeric"][column] = _numeric_statistics(ordered[group])
    for column, text in categorical.items():
        codes, values = _encode(text)
        codes = _of_length(column, codes, labels.size)[order]
        for profile, group in zip(profiles, groups, strict=True):
            profile["categorical"][column] = _value_shares(codes[group], values)
    return profiles[0], profiles[1:]


def _of_length(column: str, values: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:
    if values.shape != (n,):
        raise ValueError(f"column '{column}' has shape {values.shape}, labels have {(n,)}")
    return values


def _numeric_statistics(values: npt.NDArray[np.float64]) -> dict[str, float | None]:
    present = values[np.isfinite(values)]
    missing = 1 - present.size / values.size if values.size else 0.0
    if not present.size:
        return {"mean": None, "median": None, "p25": None, "p75": None, "missing": missing}
    p25, median, p75 = np.quantile(present, _QUARTILES).tolist()
    return {"mean": float(present.mean()), "median": median, "p25": p25, "p75": p75, "missing": missing}


def _encode(text: Text) -> tuple[npt.NDArray[np.int64], list[str]]:
    """Text as codes [n] into its distinct values in alphabetical order; a missing value's code is -1."""
    column = text if isinstance(text, (pa.Array, pa.ChunkedArray)) else pa.array(text)
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    distinct = [_as_text(value) for value in column.dictionary.to_pylist()]
    ranked = pc.sort_indices(pa.array(distinct, pa.string())).to_numpy()
    # Two byte strings may read the same once undecodable bytes are replaced: they share a code then.
    values: list[str] = []
    code_of = np.empty(len(distinct) + 1, np.int64)
    code_of[-1] = -1
    for index in ranked.tolist():
        if distinct[index] and (not values or values[-1] != distinct[index]):
            values.append(distinct[index])
        code_of[index] = len(values) - 1 if distinct[index] else -1
    indices = pc.fill_null(column.indices, len(distinct)) if column.null_count else column.indices
    return code_of[indices.to_numpy(zero_copy_only=False)], values


def _as_text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return "" if value is None else str(value)


def _value_shares(codes: npt.NDArray[np.int64], values: Sequence[str]) -> dict[str, Any]:
    counts = np.bincount(codes + 1, minlength=len(values) + 1)
    missing, counts = int(counts[0]), counts[1:]
    n = max(codes.size, 1)
    return {
        "values": {values[i]: int(counts[i]) / n for i in _largest(counts, TOP_VALUES)},
        "missing": missing / n,
    }


def _largest(counts: npt.NDArray[np.int64], most: int) -> list[int]:
    """Indices of the largest counts above 0, the largest first, equal ones in their order. O(n)."""
    cut = max(int(np.partition(counts, -most)[-most]), 1) if counts.size > most else 1
    chosen = np.concatenate([np.flatnonzero(counts > cut), np.flatnonzero(counts == cut)])[:most]
    ranked: list[int] = chosen[np.argsort(-counts[chosen], kind="stable")].tolist()
    return ranked
