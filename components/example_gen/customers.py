"""Rows of a bucket of customer ids into customers, and customers into the columns of the customer table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen import attributes, hashing, purchase_features, transactions
from components.example_gen.convert import INTEGER, TEXT, TIME
from components.example_gen.dates import as_number, is_whole
from components.example_gen.plan import Plan
from components.example_gen.rows import FILE_SHIFT, HASH, ID, POSITION, ROW_HASHES, file_and_row
from components.example_gen.tally import Tally
from components.example_gen.transactions import Sums
from configs.cleaning import DateConfig, RepeatsConfig

# What `condense` makes of rows: them as they are, or their partial sums.
ROWS = "rows"
Piece = dict[str, pa.Table]


def bucket_keys(plan: Plan, batch: pa.RecordBatch) -> np.ndarray:
    """uint64 [n]: what decides where a row goes. All rows of a customer, and all equal rows, meet there."""
    # Where row numbers are the ids, equal rows have different ones.
    by_row = plan.source.id_column is None and plan.data.duplicate_rows == "drop"
    return batch.column(next(iter(ROW_HASHES)) if by_row else HASH).to_numpy()


def condense(plan: Plan, table: pa.Table) -> Piece:
    """Rows in as few as can be merged with those of other batches: partial sums of transactions."""
    if not sums_up_early(plan):
        return {ROWS: table}
    assert plan.data.transactions is not None
    return transactions.partial_sums(table, plan.data.transactions, plan.end)


def sums_up_early(plan: Plan) -> bool:
    """Whether a batch can be added up before it is known which rows are copies of others."""
    return plan.data.transactions is not None and plan.data.duplicate_rows == "keep"


def merge(
    plan: Plan, parts: Sequence[Piece], attribute_parts: Sequence[pa.Table] = ()
) -> tuple[pa.Table, Tally]:
    """The customers of a bucket.

    Args:
      plan: what the columns mean.
      parts: what `condense` made of all rows of the bucket, in the source's order.
      attribute_parts: all rows of the bucket of the table of attributes.

    Returns:
      One row per customer: with ID, HASH, the features, or what they are made of for transactions, and the
      attributes.
    """
    if sums_up_early(plan):
        table, counted = _purchases(plan, transactions.add_partial_sums(parts))
    else:
        table, counted = _merge_rows(plan, pa.concat_tables(_same_types([part[ROWS] for part in parts])))
    if plan.attributes is not None:
        table, found = attributes.join(
            table, plan.attributes, _same_types(attribute_parts) if attribute_parts else ()
        )
        counted += found
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
    parts = plan.data.transactions
    joined = plan.attributes.features if plan.attributes else ()
    # Joined attributes have their own dates: none.
    dates = {name: plan.data.dates.get(name) for name in plan.features} | dict.fromkeys(joined)
    columns = {name: _table_column(table[name], name in tally.promoted, rule) for name, rule in dates.items()}
    if parts is not None:
        end = tally.end(plan.data)
        assert end is not None
        made = purchase_features.features(table, parts, end)
        columns = {name: made[name] for name in parts.columns_made(plan.source.categories)} | columns
    columns = {plan.source.id_name: table[ID], **columns}
    return {name: column.combine_chunks() for name, column in columns.items()}


def column_types(plan: Plan, tally: Tally) -> dict[str, str]:
    """text, integer or number, of every column of the customer table."""
    kinds = {name: plan.kinds[name] for name in plan.features}
    if plan.attributes is not None:
        kinds |= {name: plan.attributes.kinds[name] for name in plan.attributes.features}
    times = {name for name, kind in kinds.items() if kind == TIME}
    kinds |= {name: "number" for name in times | tally.promoted if name in kinds}
    kinds |= {name: INTEGER for name in times & set(plan.features) if is_whole(plan.data.dates.get(name))}
    if plan.data.transactions is not None:
        kinds = plan.data.transactions.columns_made(plan.source.categories) | kinds
    return {plan.source.id_name: TEXT, **kinds}


def _purchases(plan: Plan, sums: Sums) -> tuple[pa.Table, Tally]:
    parts = plan.data.transactions
    assert parts is not None
    table = purchase_features.customers(sums, parts, plan.source.categories)
    lost = purchase_features.only_returns(sums, table)
    return table, Tally(rows_dropped=Counter(only_returns=lost) if lost else Counter())


def _merge_rows(plan: Plan, table: pa.Table) -> tuple[pa.Table, Tally]:
    copies = Tally()
    if plan.data.transactions is None and len(set(plan.source.file_spans)) > 1:
        # Before copies go: the copy that stays might be the older one.
        table, copies = _newest_span(plan, table)
    if plan.data.duplicate_rows == "drop":
        table, dropped = _without_copies(table)
        copies += dropped
    if plan.data.transactions is not None:
        purchases, lost = _purchases(plan, transactions.partial_sums(table, plan.data.transactions, plan.end))
        return purchases, copies + lost
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
