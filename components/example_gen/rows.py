"""A file's rows, read, converted and kept or dropped: the part of the work that needs one batch at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import bounds, hashing
from components.example_gen.bad_values import count_true
from components.example_gen.changes import CLIPPED, OUT_OF_BOUNDS, Changes
from components.example_gen.conditions import describe, meets
from components.example_gen.convert import INTEGER
from components.example_gen.period import observed
from components.example_gen.plan import Plan
from components.example_gen.quotes import check_quotes
from components.example_gen.raw_batch import RawBatch
from components.example_gen.readers import read_batches
from components.example_gen.tally import Tally
from components.example_gen.times import read_columns

# Names that no column of a source has: the customer id, its hash, where a row stands, hashes of the row.
ID, HASH, POSITION = "\x01id", "\x01hash", "\x01position"

# Two of 64 bits each, with their seeds: no two rows of any table will share both by chance.
ROW_HASHES = {"\x01row_1": 1, "\x01row_2": 2}

FILE_SHIFT = 40


def position(file: int, row: int) -> int:
    """A row's place in the source's order, in one number."""
    return file << FILE_SHIFT | row


def file_and_row(place: int) -> tuple[int, int]:
    """The file and the row of a `position`."""
    return place >> FILE_SHIFT, place & (1 << FILE_SHIFT) - 1


def read_rows(plan: Plan, file: int) -> Iterator[tuple[pa.RecordBatch, Tally]]:
    """The rows of a file that are kept, batch by batch, and what was counted.

    Yields:
      ID (text), HASH (uint64 of it), POSITION (int64), with `duplicate_rows: drop` ROW_HASHES (uint64), and
      the columns of `plan.kinds`, as they are meant.

    Raises:
      DataError: a row cannot be read, a quote is not closed or a value is not what its column holds.
    """
    path, before = plan.source.files[file], 0
    if plan.delimiter is not None:
        check_quotes(path, plan.delimiter, plan.data.encoding)
    for raw in read_batches(path, plan.read, plan.source, plan.data):
        yield _kept_rows(RawBatch(plan, file, before, raw))
        before += len(raw)


def _kept_rows(raw: RawBatch) -> tuple[pa.RecordBatch, Tally]:
    plan = raw.plan
    meanings, unreadable = read_columns(raw)
    columns = {name: meaning.values for name, meaning in meanings.items()}
    helpers = {ID: raw.ids(), POSITION: pa.array(position(raw.file, 0) + raw.row_numbers())}
    if plan.data.duplicate_rows == "drop":
        helpers |= {name: raw.row_hashes(seed) for name, seed in ROW_HASHES.items()}
    whole = [name for name, kind in plan.kinds.items() if kind == INTEGER]
    tally = Tally(
        rows_read=len(raw.rows),
        changes=sum((raw.changes(name, meaning) for name, meaning in meanings.items()), Changes()),
        promoted=frozenset(name for name in whole if columns[name].type == pa.float64()),
    )
    batch = pa.RecordBatch.from_pydict({**helpers, **columns})
    if unreadable is not None:
        batch = unreadable.dropped_from(batch)
        tally += unreadable.tally
    for keep in (_meeting_conditions, _with_ids, _within_bounds, _complete, observed):
        batch, counted = keep(plan, batch)
        tally += counted
    hashed = pa.array(hashing.hash_text(batch.column(ID)))
    return pa.RecordBatch.from_arrays([*batch.columns, hashed], [*batch.schema.names, HASH]), tally


def _meeting_conditions(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    dropped: Counter[str] = Counter()
    for condition in plan.data.keep:
        name = ID if condition.column == plan.source.id_column else condition.column
        met = meets(batch.column(name), condition)
        lost = len(met) - (pc.sum(met).as_py() or 0)
        if lost:
            dropped[describe(condition)] += lost
            batch = batch.filter(met)
    return batch, Tally(rows_dropped=dropped)


def _with_ids(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    ids = batch.column(ID)
    if not ids.null_count:
        return batch, Tally()
    identified = batch.filter(ids.is_valid())
    if plan.data.missing_ids == "drop":
        return identified, Tally(rows_dropped=Counter(missing_ids=ids.null_count))
    return identified, Tally(missing_ids=ids.null_count, first_missing_id=_first_missing(batch, ID))


def _within_bounds(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    dropped: Counter[str] = Counter()
    changed: Counter[tuple[str, str]] = Counter()
    for name, rule in plan.data.bounds.items():
        column = batch.column(name)
        outside = bounds.outside(column, name, rule)
        count = count_true(outside)
        if not count:
            continue
        if rule.otherwise == "reject":
            index = pc.index(outside, True).as_py()
            where = plan.place(*file_and_row(batch.column(POSITION)[index].as_py()))
            raise DataError(f"{where}, column '{name}': {_shown(column[index])} {bounds.why(name, rule)}")
        if rule.otherwise == "drop":
            dropped[bounds.describe(name, rule)] += count
            batch = batch.filter(pc.invert(outside))
            continue
        if rule.otherwise == "clip":
            changed[name, CLIPPED] += count
            column = bounds.clip(column, rule)
        else:
            changed[name, OUT_OF_BOUNDS] += count
            column = pc.if_else(outside, pa.scalar(None, column.type), column)
        index = batch.schema.get_field_index(name)
        columns = [*batch.columns[:index], column, *batch.columns[index + 1 :]]
        batch = pa.RecordBatch.from_arrays(columns, batch.schema.names)
    return batch, Tally(rows_dropped=dropped, changes=Changes(changed))


def _shown(value: pa.Scalar) -> str:
    return str(value) if pa.types.is_timestamp(value.type) else repr(value.as_py())


def _complete(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    """The same rows: a transaction has a time and an amount, or what it is the product of."""
    parts = plan.data.transactions
    for name in (parts.time, *parts.numbers) if parts is not None else ():
        if name in plan.kinds and batch.column(name).null_count:
            where = plan.place(*_first_missing(batch, name))
            raise DataError(
                f"{where}, column '{name}': is missing in a transaction; mend it, or drop such rows with"
                f" data.keep: [{{column: {name}, missing: false}}]"
            )
    return batch, Tally()


def _first_missing(batch: pa.RecordBatch, name: str) -> tuple[int, int]:
    """The file and the row of the first missing value of a column that has one."""
    index = pc.index(batch.column(name).is_null(), True).as_py()
    return file_and_row(batch.column(POSITION)[index].as_py())
