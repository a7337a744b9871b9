"""What customers bought, as the columns of the customer table: the formulas of docs/transactions.md.

Recency, frequency and monetary value as marketers mean them: recency is the time since the last order. The customer
base of probability models (`repeat_frequency`, `repeat_recency_days`, `age_days`, `mean_repeat_value`) is that of
Fader, Hardie & Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis" (2005), with the calendar day
as the unit: frequency x counts the days with a purchase after the first, recency t_x is the time from the first to
the last, T the time from the first to the end of the period, and the monetary value the mean over the repeats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.convert import DAY_MICROSECONDS
from components.example_gen.rows import HASH, ID
from components.example_gen.times import local_day
from components.example_gen.transactions import (
    AMOUNT,
    BEFORE,
    CATEGORIES,
    DAYS,
    FIRST,
    KEY,
    LAST,
    LINES,
    MOMENT,
    ORDER,
    PRODUCTS,
    RECENT,
    RETURNS,
    TOTALS,
    VALUE,
    WEEKDAYS,
    Sums,
)
from configs.transactions import SHARE, TransactionsConfig
from configs.transactions import WEEKDAYS as DAY_NAMES

_ORDERS, _LAST_ORDER, _DAYS, _FIRST_DAY = "\x01orders", "\x01last_order", "\x01days", "\x01first_day"
_SATURDAY = 5


def customers(sums: Sums, config: TransactionsConfig, categories: Sequence[str] = ()) -> pa.Table:
    """One row for each customer with a purchase, of complete sums, in the order of their ids.

    Args:
      sums: over all transactions of these customers.
      config: what to make.
      categories: those that get a share.

    Returns:
      ID, HASH, and what `features` needs, which also depends on the end of the period.
    """
    totals = sums[TOTALS]
    orders, last_order = totals[LINES], totals[LAST]
    if ORDER in totals.column_names:
        # An order counts once, at its first line; lines without an order number count each.
        is_order = totals[ORDER].is_valid()
        orders = pc.if_else(is_order, pa.scalar(1, pa.int64()), orders)
        last_order = pc.if_else(is_order, totals[FIRST], last_order)
    how = {HASH: "min", _ORDERS: "sum", LINES: "sum", AMOUNT: "sum", FIRST: "min", LAST: "max"}
    lines = {name: totals[name] for name in (ID, HASH, LINES, AMOUNT, FIRST, LAST)} | {_ORDERS: orders}
    if config.makes("interpurchase_days", "interpurchase_std_days"):
        lines[_LAST_ORDER], how[_LAST_ORDER] = last_order, "max"
    if config.makes("trend"):
        lines |= {name: totals[name] for name in (RECENT, BEFORE)}
        how |= {RECENT: "sum", BEFORE: "sum"}
    grouped = pa.table(lines).group_by([ID]).aggregate(list(how.items()))
    table = grouped.rename_columns([*how, ID]).sort_by(ID)
    for name, column in _details(sums, table, config, categories).items():
        table = table.append_column(name, column)
    return table


def only_returns(sums: Sums, table: pa.Table) -> int:
    """How many returns are of customers without a purchase, who are no customers of `table`."""
    if RETURNS not in sums:
        return 0
    unknown = pc.invert(pc.is_in(sums[RETURNS][ID], value_set=table[ID].combine_chunks()))
    return int(pc.sum(sums[RETURNS][VALUE].filter(unknown)).as_py() or 0)


def features(table: pa.Table, config: TransactionsConfig, as_of: int) -> dict[str, pa.ChunkedArray]:
    """The columns of the customer table, each [n]: what `config.columns_made` says, in any order.

    Args:
      table: what `customers` returns.
      config: what to make.
      as_of: end of the observed period, microseconds since 1970-01-01 UTC.
    """
    frequency = table[{"orders": _ORDERS, "lines": LINES, "days": _DAYS}[config.frequency]]
    columns = {
        "recency_days": _days_between(table[LAST], as_of),
        "frequency": frequency,
        "monetary": table[AMOUNT],
        "tenure_days": _days_between(table[FIRST], as_of),
        "average_basket": pc.divide(table[AMOUNT], pc.cast(frequency, pa.float64())),
    }
    if config.makes("age_days"):
        last_day = local_day(as_of, config.timezone)
        columns["age_days"] = pc.cast(pc.subtract(last_day, table[_FIRST_DAY]), pa.float64())
    return {**columns, **{name: table[name] for name in table.column_names if name[0] != "\x01"}}


def _details(
    sums: Sums, table: pa.Table, config: TransactionsConfig, categories: Sequence[str]
) -> dict[str, pa.Array]:
    """Columns that do not depend on the end of the period, by `table`'s rows."""
    ids, count = table[ID].combine_chunks(), len(table)
    columns: dict[str, pa.Array] = {}
    if config.makes("interpurchase_days", "interpurchase_std_days"):
        columns |= _gaps(sums[TOTALS], ids, table, config)
    if PRODUCTS in sums:
        known = sums[PRODUCTS].filter(sums[PRODUCTS][KEY].is_valid())
        columns["distinct_products"] = pa.array(np.bincount(_rows(known, ids), minlength=count))
    if CATEGORIES in sums:
        columns |= _by_category(sums[CATEGORIES], ids, config, categories)
    if WEEKDAYS in sums:
        columns |= _by_weekday(sums[WEEKDAYS], ids, config)
    if config.makes("trend"):
        recent, before = table[RECENT].to_numpy(), table[BEFORE].to_numpy()
        total = recent + before
        columns["trend"] = pa.array(np.divide(recent - before, total, np.zeros(count), where=total > 0))
    if RETURNS in sums:
        known = sums[RETURNS].filter(pc.is_in(sums[RETURNS][ID], value_set=ids))
        returned = _sums(_rows(known, ids), known[VALUE].to_numpy(), count)
        columns["return_rate"] = pa.array(returned / (returned + table[LINES].to_numpy()))
    if DAYS in sums:
        columns |= _by_day(sums[DAYS], ids, config)
    return columns


def _gaps(
    totals: pa.Table, ids: pa.Array, table: pa.Table, config: TransactionsConfig
) -> dict[str, pa.Array]:
    """Mean and sample standard deviation of the days between consecutive orders."""
    orders = table[_ORDERS].to_numpy()
    span = (table[_LAST_ORDER].to_numpy() - table[FIRST].to_numpy()) / DAY_MICROSECONDS
    mean = span / np.maximum(orders - 1, 1)
    columns: dict[str, pa.Array] = {}
    if config.makes("interpurchase_days"):
        columns["interpurchase_days"] = pa.array(mean, mask=orders < 2)
    if config.makes("interpurchase_std_days"):
        rows, starts = _rows(totals, ids), totals[FIRST].to_numpy()
        order = np.lexsort((starts, rows))
        rows, starts = rows[order], starts[order]
        gaps = np.diff(starts) / DAY_MICROSECONDS
        within = rows[1:] == rows[:-1]
        of, deviation = rows[1:][within], gaps[within] - mean[rows[1:][within]]
        squares = _sums(of, deviation**2, len(table))
        # Lines without an order at the same moment are orders without a gap between them.
        is_moment = totals[MOMENT].is_valid().to_numpy()
        repeats = np.where(is_moment, totals[LINES].to_numpy() - 1, 0)
        squares += _sums(_rows(totals, ids), repeats, len(table)) * mean**2
        std = np.sqrt(squares / np.maximum(orders - 2, 1))
        columns["interpurchase_std_days"] = pa.array(std, mask=orders < 3)
    return columns


def _by_category(
    by_category: pa.Table, ids: pa.Array, config: TransactionsConfig, categories: Sequence[str]
) -> dict[str, pa.Array]:
    rows, values = _rows(by_category, ids), by_category[VALUE].to_numpy()
    columns: dict[str, pa.Array] = {}
    if config.makes("favourite_category"):
        named = by_category[KEY].is_valid().to_numpy() & (values > 0)
        names = by_category[KEY].combine_chunks().filter(pa.array(named))
        by_name = np.argsort(pc.array_sort_indices(names).to_numpy())
        # Of equal ones the first by name, whatever order they came in.
        order = np.lexsort((by_name, -values[named], rows[named]))
        owners, first = np.unique(rows[named][order], return_index=True)
        best = np.zeros(len(ids), np.int64)
        best[owners] = order[first]
        has = np.zeros(len(ids), bool)
        has[owners] = True
        columns["favourite_category"] = names.take(pa.array(best, mask=~has))
    listed = config.category_shares if isinstance(config.category_shares, list) else categories
    total = _sums(rows, values, len(ids))
    for category in listed if config.category_shares is not None else ():
        mine = pc.fill_null(pc.equal(by_category[KEY], category), False).to_numpy()
        columns[f"{SHARE}{category}"] = _share(_sums(rows[mine], values[mine], len(ids)), total)
    return columns


def _by_weekday(by_weekday: pa.Table, ids: pa.Array, config: TransactionsConfig) -> dict[str, pa.Array]:
    sums = np.zeros((len(ids), len(DAY_NAMES)))
    sums[_rows(by_weekday, ids), by_weekday[KEY].to_numpy()] = by_weekday[VALUE].to_numpy()
    total = sums.sum(axis=1)
    columns: dict[str, pa.Array] = {}
    if config.makes("weekday_shares"):
        columns |= {f"{name}_share": _share(sums[:, day], total) for day, name in enumerate(DAY_NAMES)}
    if config.makes("weekend_share"):
        columns["weekend_share"] = _share(sums[:, _SATURDAY:].sum(axis=1), total)
    return columns


def _by_day(by_day: pa.Table, ids: pa.Array, config: TransactionsConfig) -> dict[str, pa.Array]:
    rows, days, values = _rows(by_day, ids), by_day[KEY].to_numpy(), by_day[VALUE].to_numpy()
    order = np.lexsort((days, rows))
    rows, days, values = rows[order], days[order], values[order]
    starts = np.flatnonzero(np.diff(rows, prepend=-1))
    counts = np.diff(starts, append=len(rows))
    repeats = counts - 1
    after_first = np.ones(len(rows), bool)
    after_first[starts] = False
    total = _sums(rows[after_first], values[after_first], len(ids))
    columns = {_DAYS: pa.array(counts), _FIRST_DAY: pa.array(days[starts])}
    if config.makes("repeat_frequency"):
        columns["repeat_frequency"] = pa.array(repeats)
    if config.makes("repeat_recency_days"):
        last = days[starts + repeats]
        columns["repeat_recency_days"] = pa.array((last - days[starts]).astype(np.float64))
    if config.makes("mean_repeat_value"):
        columns["mean_repeat_value"] = pa.array(total / np.maximum(repeats, 1))
    return columns


def _sums(rows: np.ndarray, values: np.ndarray, count: int) -> np.ndarray:
    """The sum of the values of each row of the customer table: double [count]."""
    # Of no values at all NumPy makes whole numbers.
    return np.bincount(rows, values, count).astype(np.float64, copy=False)


def _rows(detail: pa.Table, ids: pa.Array) -> np.ndarray:
    """The row of the customer table that each row of a detail belongs to: int64 [m]."""
    return pc.index_in(detail[ID], value_set=ids).to_numpy().astype(np.int64)


def _share(part: np.ndarray, total: np.ndarray) -> pa.Array:
    """part / total [n]; missing where the customer has nothing to share out."""
    shares = np.divide(part, total, np.zeros(len(total)), where=total > 0)
    return pa.array(shares, mask=total <= 0)


def _days_between(times: pa.ChunkedArray, as_of: int) -> pa.ChunkedArray:
    passed = pc.cast(pc.subtract(as_of, times), pa.float64(), safe=False)
    return pc.divide(passed, float(DAY_MICROSECONDS))
