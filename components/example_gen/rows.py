"""A file's rows, read, converted and kept or dropped: the part of the work that needs one batch at a time."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import hashing
from components.example_gen.conditions import describe, meets
from components.example_gen.convert import (
    INTEGER,
    NUMBER,
    TEXT,
    BadValueError,
    base_type,
    convert,
    whole_number_text,
)
from components.example_gen.plan import Plan, missing_value_remedy
from components.example_gen.readers import read_batches
from components.example_gen.tally import Tally, microseconds

# Names that no column of a source has: the customer id, its hash, where a row stands, hashes of the row.
ID, HASH, POSITION, ROW_HASHES = "\x01id", "\x01hash", "\x01position", ("\x01row_1", "\x01row_2")

_FILE_SHIFT = 40
_ROW_SEEDS = (1, 2)


def position(file: int, row: int) -> int:
    """A row's place in the source's order, in one number."""
    return file << _FILE_SHIFT | row


def file_and_row(place: int) -> tuple[int, int]:
    """The file and the row of a `position`."""
    return place >> _FILE_SHIFT, place & (1 << _FILE_SHIFT) - 1


def read_rows(plan: Plan, file: int) -> Iterator[tuple[pa.RecordBatch, Tally]]:
    """The rows of a file that are kept, batch by batch, and what was counted.

    Yields:
      ID (text), HASH (uint64 of it), POSITION (int64), with `duplicate_rows: drop` ROW_HASHES (uint64), and
      the columns of `plan.kinds`, as they are meant.

    Raises:
      DataError: a row cannot be read or a value is not what its column holds.
    """
    path, before = plan.source.files[file], 0
    for raw in read_batches(path, plan.read, plan.source, plan.data):
        yield _kept_rows(plan, file, before, raw)
        before += len(raw)


def _kept_rows(plan: Plan, file: int, before: int, raw: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    columns: dict[str, pa.Array] = {}
    for name, kind in plan.kinds.items():
        columns[name] = _meant(plan, file, before, raw, name, kind)
    ids = _ids(plan, file, before, raw)
    rows = np.arange(before + 1, before + len(raw) + 1, dtype=np.int64)
    helpers = {POSITION: pa.array(position(file, 0) + rows)}
    if plan.data.duplicate_rows == "drop":
        source_rows = [_source_text(raw, name, plan, file) for name in sorted(plan.read)]
        helpers |= {
            name: pa.array(hashing.hash_rows(source_rows, seed))
            for name, seed in zip(ROW_HASHES, _ROW_SEEDS, strict=True)
        }
    batch = pa.RecordBatch.from_pydict({ID: ids, **helpers, **columns})
    batch, dropped = _meeting_conditions(plan, batch)
    missing = batch.column(ID).null_count
    first_missing = None
    if missing:
        if plan.data.missing_ids == "drop":
            dropped["missing_ids"] = missing
        else:
            place = batch.column(POSITION)[pc.index(batch.column(ID).is_null(), True).as_py()].as_py()
            first_missing = file_and_row(place)
        batch = batch.filter(batch.column(ID).is_valid())
    latest = None
    if plan.data.transactions is not None:
        batch, late = _observed_transactions(plan, file, batch)
        dropped += Counter(after_as_of=late) if late else Counter()
        latest = pc.max(pc.cast(batch.column(plan.data.transactions.time), pa.int64())).as_py()
    hashed = pa.array(hashing.hash_text(batch.column(ID)))
    tally = Tally(
        rows_read=len(raw),
        rows_dropped=dropped,
        missing_ids=0 if first_missing is None else missing,
        first_missing_id=first_missing,
        promoted=frozenset(
            n for n, k in plan.kinds.items() if k == INTEGER and columns[n].type != pa.int64()
        ),
        latest=latest,
    )
    return pa.RecordBatch.from_arrays([*batch.columns, hashed], [*batch.schema.names, HASH]), tally


def _meant(plan: Plan, file: int, before: int, raw: pa.RecordBatch, name: str, kind: str) -> pa.Array:
    transactions = plan.data.transactions
    is_time = transactions is not None and name == transactions.time
    try:
        column = base_type(raw.column(name))
        if transactions is not None and name == transactions.order and kind == INTEGER:
            return whole_number_text(convert(column, TEXT, plan.markers(name)))
        return convert(
            column,
            kind,
            plan.markers(name),
            time_format=transactions.time_format if is_time and transactions else None,
            strict=name in plan.data.types,
        )
    except BadValueError as error:
        raise _bad_value(plan, file, before, name, kind, error) from error
    except pa.ArrowInvalid as error:
        raise DataError(f"{plan.source.files[file]}: column '{name}' is no {kind}: {error}") from error


def _bad_value(plan: Plan, file: int, before: int, name: str, kind: str, error: BadValueError) -> DataError:
    remedy = ""
    if kind in (INTEGER, NUMBER) and isinstance(error.value, str):
        remedy = "; " + missing_value_remedy(name, error.value)
    elif isinstance(error.value, float) and not np.isfinite(error.value):
        remedy = f"; set data.missing: {{{name}: ['{error.value}']}} if it stands for missing"
    where = plan.place(file, before + error.index + 1)
    return DataError(f"{where}, column '{name}': {error.value!r} {error.reason}{remedy}")


def _ids(plan: Plan, file: int, before: int, raw: pa.RecordBatch) -> pa.Array:
    """The customer ids as text; without an id column row numbers, after the file's name if there are more."""
    name = plan.source.id_column
    if name is None:
        numbers = pc.cast(pa.array(np.arange(before + 1, before + len(raw) + 1)), pa.string())
        return (
            numbers
            if len(plan.source.files) == 1
            else pc.binary_join_element_wise(_label(plan, file), numbers, ":")
        )
    try:
        column = base_type(raw.column(name))
        marked = convert(column, TEXT if pa.types.is_string(column.type) else NUMBER, plan.markers(name))
        if plan.data.types.get(name) in (INTEGER, NUMBER) or pa.types.is_floating(column.type):
            return whole_number_text(marked)
        return convert(pc.if_else(marked.is_valid(), column, pa.scalar(None, column.type)), TEXT)
    except BadValueError as error:
        raise _bad_value(plan, file, before, name, TEXT, error) from error


def _label(plan: Plan, file: int) -> str:
    """What tells a file from the others: its path below the folder they share."""
    parts = [path.split("/") for path in plan.source.files]
    shared = 0
    while len({tuple(path[: shared + 1]) for path in parts}) == 1:
        shared += 1
    return "/".join(parts[file][shared:])


def _source_text(raw: pa.RecordBatch, name: str, plan: Plan, file: int) -> pa.Array:
    try:
        return hashing.as_text(base_type(raw.column(name)))
    except TypeError as error:
        path = plan.source.files[file]
        raise DataError(
            f"{path}: column '{name}' holds {error}; duplicate_rows: drop cannot compare such rows"
        ) from error


def _meeting_conditions(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Counter[str]]:
    dropped: Counter[str] = Counter()
    for condition in plan.data.keep:
        name = ID if condition.column == plan.source.id_column else condition.column
        met = meets(batch.column(name), condition)
        lost = len(met) - (pc.sum(met).as_py() or 0)
        if lost:
            dropped[describe(condition)] += lost
            batch = batch.filter(met)
    return batch, dropped


def _observed_transactions(plan: Plan, file: int, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, int]:
    """The transactions before `as_of`, and how many are not."""
    parts = plan.data.transactions
    assert parts is not None
    for name in (parts.time, *filter(None, (parts.amount, parts.quantity, parts.price))):
        if batch.column(name).null_count:
            first = pc.index(batch.column(name).is_null(), True).as_py()
            where = plan.place(*file_and_row(batch.column(POSITION)[first].as_py()))
            raise DataError(
                f"{where}, column '{name}': is missing in a transaction; mend it, or drop such rows with"
                f" data.keep: [{{column: {name}, missing: false}}]"
            )
    if not isinstance(parts.as_of, datetime.date):
        return batch, 0
    times = pc.cast(batch.column(parts.time), pa.int64())
    observed = batch.filter(pc.less(times, microseconds(parts.as_of)))
    return observed, len(batch) - len(observed)
