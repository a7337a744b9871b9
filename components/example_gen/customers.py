"""Rows of a bucket of customer ids into customers, and customers into the columns of the customer table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import hashing, transactions
from components.example_gen.convert import INTEGER, TEXT, TIME
from components.example_gen.dates import as_number, is_whole
from components.example_gen.plan import Plan
from components.example_gen.rows import FILE_SHIFT, HASH, ID, POSITION, ROW_HASHES, file_and_row, read_rows
from components.example_gen.source import TRANSACTION_FEATURES
from components.example_gen.tally import Tally, microseconds, total
from configs.cleaning import DateConfig, RepeatsConfig


def bucket_keys(plan: Plan, batch: pa.RecordBatch) -> np.ndarray:
    """uint64 [n]: what decides where a row goes. All rows of a customer, and all equal rows, meet there."""
    # Where row numbers are the ids, equal rows have different ones.
    by_row = plan.source.id_column is None and plan.data.duplicate_rows == "drop"
    return batch.column(next(iter(ROW_HASHES)) if by_row else HASH).to_numpy()


def condense(plan: Plan, table: pa.Table) -> pa.Table:
    """Rows in as few as can be merged with those of other batches: partial sums of transactions."""
    if plan.data.transactions is None or plan.data.duplicate_rows == "drop":
        return table
    return transactions.partial_sums(table, plan.data.transactions)


def merge(plan: Plan, parts: Sequence[pa.Table]) -> tuple[pa.Table, Tally]:
    """The customers of a bucket.

    Args:
      plan: what the columns mean.
      parts: what `condense` made of all rows of the bucket, in the source's order.

    Returns:
      One row per customer: with ID, HASH, and the features, or what they are made of for transactions.
    """
    if plan.data.transactions is None or plan.data.duplicate_rows == "drop":
        table, counted = _merge_rows(plan, pa.concat_tables(_same_types(parts)))
    else:
        table, counted = transactions.customers(transactions.add_partial_sums(parts)), Tally()
    if not len(table):
        return table, counted
    positions = hashing.split_positions(table[HASH].to_numpy())
    return table, counted + Tally(
        customers=len(table), lowest=int(positions.min()), highest=int(positions.max())
    )


def customer_columns(plan: Plan, table: pa.Table, tally: Tally) -> dict[str, pa.Array]:
    """The columns of the customer table: text, int64 or double, the id first.

    Args:
      plan: what the columns mean.
      table: what `merge` returns.
      tally: over the whole source.
    """
    if plan.data.transactions is None:
        columns = {
            name: _table_column(table[name], name in tally.promoted, plan.data.dates.get(name))
            for name in plan.features
        }
    else:
        columns = transactions.features(table, end_of_period(plan, tally))
    columns = {plan.source.id_name: table[ID], **columns}
    return {name: column.combine_chunks() for name, column in columns.items()}


def column_types(plan: Plan, tally: Tally) -> dict[str, str]:
    """text, integer or number, of every column of the customer table."""
    if plan.data.transactions is None:
        kinds = {name: plan.kinds[name] for name in plan.features}
        times = {name for name, kind in kinds.items() if kind == TIME}
        kinds |= {name: "number" for name in times | tally.promoted if name in kinds}
        kinds |= {name: INTEGER for name in times if is_whole(plan.data.dates.get(name))}
    else:
        kinds = dict.fromkeys(TRANSACTION_FEATURES, "number") | {"frequency": INTEGER}
    return {plan.source.id_name: TEXT, **kinds}


def end_of_period(plan: Plan, tally: Tally) -> int:
    """When the observed period ends, microseconds since 1970-01-01 UTC."""
    parts = plan.data.transactions
    assert parts is not None and tally.latest is not None
    return tally.latest if parts.as_of == "latest" else microseconds(parts.as_of)


def read_customers(plan: Plan) -> tuple[pa.Table, Tally]:
    """The customer table of a source, in one process and in memory.

    Raises:
      DataError: the data must be mended.
    """
    parts, tallies = [], []
    for file in range(len(plan.source.files)):
        for batch, tally in read_rows(plan, file):
            parts.append(condense(plan, pa.Table.from_batches([batch])))
            tallies.append(tally)
    table, found = merge(plan, parts)
    tally = total([*tallies, found])
    if not tally.is_usable:
        raise DataError("\n".join(tally.explain(plan.place)))
    return pa.table(customer_columns(plan, table, tally)), tally


def _merge_rows(plan: Plan, table: pa.Table) -> tuple[pa.Table, Tally]:
    copies = Tally()
    if plan.data.transactions is None and len(set(plan.source.file_spans)) > 1:
        # Before copies go: the copy that stays might be the older one.
        table, copies = _newest_span(plan, table)
    if plan.data.duplicate_rows == "drop":
        table, dropped = _without_copies(table)
        copies += dropped
    if plan.data.transactions is not None:
        return transactions.customers(transactions.partial_sums(table, plan.data.transactions)), copies
    table, repeats = _one_row_each(plan, table)
    return table, copies + repeats


def _same_types(parts: Sequence[pa.Table]) -> list[pa.Table]:
    """Tables with equal columns: doubles where one part holds whole numbers and another does not."""
    kinds = {field.name: field.type for field in parts[0].schema}
    for part in parts:
        kinds.update({field.name: field.type for field in part.schema if field.type == pa.float64()})
    return [part.cast(pa.schema(list(kinds.items())), safe=False) for part in parts]


def _newest_span(plan: Plan, table: pa.Table) -> tuple[pa.Table, Tally]:
    """The rows of each customer in the newest span that has any."""
    codes = table[ID].combine_chunks().dictionary_encode().indices.to_numpy()
    files = table[POSITION].to_numpy() >> FILE_SHIFT
    spans = np.asarray(plan.source.file_spans, np.int64)[files]
    newest = np.full(codes.max(initial=-1) + 1, -1, np.int64)
    np.maximum.at(newest, codes, spans)
    kept = spans == newest[codes]
    if kept.all():
        return table, Tally()
    counted = Tally(rows_dropped=Counter(older_spans=int((~kept).sum())))
    return table.filter(pa.array(kept)), counted


def _without_copies(table: pa.Table) -> tuple[pa.Table, Tally]:
    """The first of all equal rows."""
    first, second = (table[name].to_numpy() for name in ROW_HASHES)
    order = np.lexsort((table[POSITION].to_numpy(), second, first))
    is_copy = np.zeros(len(table), bool)
    is_copy[1:] = (np.diff(first[order]) == 0) & (np.diff(second[order]) == 0)
    if not is_copy.any():
        return table, Tally()
    counted = Tally(rows_dropped=Counter(duplicate_rows=int(is_copy.sum())))
    return table.take(np.sort(order[~is_copy])), counted


def _one_row_each(plan: Plan, table: pa.Table) -> tuple[pa.Table, Tally]:
    codes = table[ID].combine_chunks().dictionary_encode().indices.to_numpy()
    # Codes count up from 0 as ids appear: a row repeats an id unless it sets a new highest code.
    highest_before = np.maximum.accumulate(np.concatenate([[-1], codes]))[:-1]
    repeats = codes <= highest_before
    if not repeats.any():
        return table, Tally()
    if plan.data.duplicate_ids == "reject":
        at = int(np.argmax(repeats))
        example = (*file_and_row(table[POSITION][at].as_py()), table[ID][at].as_py())
        return table, Tally(repeated_ids=len(np.unique(codes[repeats])), example_id=example)
    counted = Tally(rows_dropped=Counter(duplicate_ids=int(repeats.sum())))
    if isinstance(plan.data.duplicate_ids, RepeatsConfig):
        by, keep = plan.data.duplicate_ids.by, plan.data.duplicate_ids.keep
        return table.take(_ranked_rows(codes, table[by], last=keep == "last")), counted
    if plan.data.duplicate_ids == "first":
        return table.filter(pa.array(~repeats)), counted
    last_row = np.zeros(codes.max() + 1, np.int64)
    np.maximum.at(last_row, codes, np.arange(len(codes)))
    return table.take(np.sort(last_row)), counted


def _ranked_rows(codes: np.ndarray, by: pa.ChunkedArray, last: bool) -> np.ndarray:
    """Of each code the row with the lowest or the highest value, int64 [customers] ascending.

    Of equal ones that which comes first or last; a row without a value stays only where no other has one.
    """
    column = by.combine_chunks()
    is_known = column.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.int64())
    values = pc.fill_null(column, 0).to_numpy()
    # Ascending, so the row that stays is the last of its code: of what is to come first, all is turned round.
    rows = np.arange(len(codes))
    order = np.lexsort((rows, values, is_known, codes) if last else (-rows, -values, is_known, codes))
    ends = np.append(np.flatnonzero(np.diff(codes[order])), len(order) - 1)
    return np.sort(order[ends])


def _table_column(column: pa.ChunkedArray, promoted: bool, date: DateConfig | None) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return as_number(column, date)
    return pc.cast(column, pa.float64(), safe=False) if promoted else column
