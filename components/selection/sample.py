"""A sample of the customer table that depends on no order: neither of its rows, nor of its columns or files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tfx.dsl.io import fileio

from components.example_gen.hashing import hash_text
from components.paths import is_local

# The multipliers of SplitMix64 (Steele, Lea & Flood 2014) and the golden ratio in 64 bits.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLY_2 = np.uint64(0x94D049BB133111EB)

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True)
class Sample:
    """Customers of a split.

    Attributes:
      columns: name -> values [n], one per customer, null where missing; rows in an order that follows from their
        content.
      of: how many customers the split has.
    """

    columns: dict[str, pa.Array]
    of: int

    @property
    def customers(self) -> int:
        """n."""
        return len(next(iter(self.columns.values())))


def read_sample(files: Sequence[str], columns: Sequence[str], limit: int) -> Sample:
    """Reads columns of some customers.

    Who is in the sample follows from a hash of the customer's values in these columns. Customers with the same values
    are told apart by counting them, so that a table of few different rows is sampled as well as any. All rows are
    hashed, a row group at a time; those of the sample are then read again.

    Args:
      files: Parquet files as ExampleGen writes the table: a list of at most one value per cell.
      columns: at least one.
      limit: customers at most.
    """
    names = sorted(columns)
    hashes = [_hash_rows(group) for file in files for group in _row_groups(file, names)]
    ranks = _unequal(np.concatenate([np.zeros(0, np.uint64), *hashes]))
    chosen = np.sort(np.argsort(ranks, kind="stable")[:limit])
    parts, start = [], 0
    for group in (group for file in files for group in _row_groups(file, names)):
        end = start + group.num_rows
        inside = chosen[(chosen >= start) & (chosen < end)] - start
        parts.append(group.take(pa.array(inside)))
        start = end
    table = pa.concat_tables(parts).take(pa.array(np.argsort(ranks[chosen], kind="stable")))
    flat = {name: _whole(table[name]) for name in names}
    return Sample(flat, len(ranks))


def _row_groups(path: str, names: list[str]) -> Iterator[pa.Table]:
    """The columns of each row group, a value per customer."""
    if is_local(path):
        file = pq.ParquetFile(path)
    else:
        # TFX's remote files are not the file objects that Arrow asks for.
        with fileio.open(path, "rb") as opened:
            file = pq.ParquetFile(pa.BufferReader(opened.read()))
    for number in range(file.num_row_groups):
        group = file.read_row_group(number, columns=names)
        yield pa.table({name: _first_values(_whole(group[name])) for name in names})


def _whole(column: pa.ChunkedArray) -> pa.Array:
    if column.num_chunks == 1:
        return column.chunk(0)
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(column.chunks)


def _first_values(column: pa.Array) -> pa.Array:
    """A list per customer -> its first value, or null."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        return column
    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False).astype(np.int64)
    starts = np.cumsum(lengths) - lengths
    values = column.flatten().take(pa.array(starts, mask=lengths == 0))
    # Hashes read offsets of 32 bits, which do for a row group.
    return values.cast(pa.binary()) if pa.types.is_large_binary(values.type) else values


def _hash_rows(table: pa.Table) -> Hashes:
    """A hash of each row: a sum over columns, so that their order does not count."""
    total = np.zeros(table.num_rows, np.uint64)
    for name in table.column_names:
        (salt,) = hash_text(pa.array([name], pa.string()))
        total += _mix(_hash_column(_whole(table[name])) ^ salt)
    return total


def _hash_column(column: pa.Array) -> Hashes:
    if pa.types.is_null(column.type):
        return np.zeros(len(column), np.uint64)
    if pa.types.is_binary(column.type) or pa.types.is_string(column.type):
        return hash_text(column)
    numbers = pc.cast(column, pa.float64(), safe=False)
    values = pc.fill_null(numbers, 0.0).to_numpy(zero_copy_only=False)
    # 0 is added so that -0.0 is 0.0.
    hashed = _mix((values + 0.0).view(np.uint64) + _GOLDEN)
    hashed[column.is_null().to_numpy(zero_copy_only=False)] = 0
    return hashed


def _unequal(hashes: Hashes) -> Hashes:
    """Hashes that also tell equal rows apart, by a number each."""
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    first = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(ordered) else np.zeros(0, bool)
    begins = np.maximum.accumulate(np.where(first, np.arange(len(ordered)), 0)) if len(ordered) else order
    number = np.empty(len(ordered), np.uint64)
    number[order] = (np.arange(len(ordered)) - begins).astype(np.uint64)
    return _mix(hashes + number * _GOLDEN)


def _mix(hashed: Hashes) -> Hashes:
    hashed = (hashed ^ (hashed >> np.uint64(30))) * _MULTIPLY_1
    hashed = (hashed ^ (hashed >> np.uint64(27))) * _MULTIPLY_2
    return hashed ^ (hashed >> np.uint64(31))
