"""Purchases added up: partial sums per customer that can be added in any grouping.

What is carried is as small as the features that are asked for allow (`Sums`): a row per customer, one per customer
and order where orders are counted, and one per customer and day, product, category or weekday where those are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.convert import DAY_MICROSECONDS
from components.example_gen.period import RETURNED
from components.example_gen.rows import HASH, ID
from components.example_gen.times import local_days, weekdays
from configs.transactions import TransactionsConfig

ORDER, MOMENT = "\x01order", "\x01moment"
LINES, AMOUNT, FIRST, LAST = "\x01lines", "\x01amount", "\x01first", "\x01last"
RECENT, BEFORE = "\x01recent", "\x01before"
KEY, VALUE = "\x01key", "\x01value"
_HOW = {
    HASH: "min", LINES: "sum", AMOUNT: "sum", FIRST: "min", LAST: "max", RECENT: "sum", BEFORE: "sum",
}  # fmt: skip

# Table of `Sums` -> what it is made for.
TOTALS, DAYS, PRODUCTS, CATEGORIES, WEEKDAYS, RETURNS = (
    "totals", "days", "products", "categories", "weekdays", "returns",
)  # fmt: skip

# TOTALS: ID, ORDER and MOMENT as far as they are kept apart, HASH, LINES, AMOUNT, FIRST, LAST, and RECENT and BEFORE
# for the trend. The others: ID, KEY, and VALUE, the sum under that key. Each key once.
Sums = dict[str, pa.Table]


def partial_sums(rows: pa.Table, config: TransactionsConfig, end: int | None = None) -> Sums:
    """Some transactions, added up.

    Args:
      rows: with ID and HASH, and the columns that `config` names: time in timestamp[us] UTC, numbers double, category
        and product text, the order anything, text unless it is one of them; RETURNED where returns are told apart.
        Lines without an order are an order each.
      config: decides which tables are made.
      end: of the period, microseconds since 1970-01-01 UTC; needed for the trend only.
    """
    sums: Sums = {}
    if RETURNED in rows.column_names:
        returned = rows.filter(rows[RETURNED])
        rows = rows.filter(pc.invert(rows[RETURNED]))
        sums[RETURNS] = _keyed(returned[ID], np.zeros(len(returned), np.int8), np.ones(len(returned)))
    if config.amount is not None:
        amount = rows[config.amount]
    else:
        amount = pc.multiply(rows[config.quantity], rows[config.price])
    time = pc.cast(rows[config.time], pa.int64())
    totals = {
        ID: rows[ID], HASH: rows[HASH], LINES: pa.repeat(pa.scalar(1, pa.int64()), len(rows)),
        AMOUNT: amount, FIRST: time, LAST: time,
    }  # fmt: skip
    if counts_orders(config):
        totals[ORDER] = rows[config.order] if config.order else pa.nulls(len(rows), pa.string())
    if config.makes("interpurchase_std_days"):
        totals[MOMENT] = pc.if_else(totals[ORDER].is_valid(), pa.scalar(None, pa.int64()), time)
    value = pc.max_element_wise(amount, 0.0) if config.shares_of == "amount" else np.ones(len(rows))
    if config.makes("trend"):
        # Without an end there are no purchases.
        totals |= _trend_parts(time, value, end or 0, config.trend_span * DAY_MICROSECONDS)
    sums[TOTALS] = _added(pa.table(totals))
    if config.makes("distinct_products"):
        sums[PRODUCTS] = _keyed(rows[ID], rows[config.product], value)
    if config.category is not None:
        sums[CATEGORIES] = _keyed(rows[ID], rows[config.category], value)
    if counts_days(config) or config.makes("weekday_shares", "weekend_share"):
        days = local_days(_flat(time), config.timezone)
        if counts_days(config):
            sums[DAYS] = _keyed(rows[ID], days, amount)
        if config.makes("weekday_shares", "weekend_share"):
            sums[WEEKDAYS] = _keyed(rows[ID], weekdays(days), value)
    return sums


def add_partial_sums(parts: Sequence[Sums]) -> Sums:
    """The sums over all transactions of several."""
    return {name: _added(pa.concat_tables([part[name] for part in parts])) for name in parts[0]}


def counts_orders(config: TransactionsConfig) -> bool:
    """Whether orders are kept apart."""
    counted = config.frequency == "orders" and config.makes("frequency", "average_basket")
    return counted or config.makes("interpurchase_days", "interpurchase_std_days")


def counts_days(config: TransactionsConfig) -> bool:
    """Whether the days of purchases are kept apart."""
    if config.frequency == "days" and config.makes("frequency", "average_basket"):
        return True
    return config.makes("repeat_frequency", "repeat_recency_days", "age_days", "mean_repeat_value")


def _trend_parts(
    time: pa.ChunkedArray, value: pa.ChunkedArray | np.ndarray, end: int, span: int
) -> dict[str, np.ndarray]:
    ago, values = end - _flat(time).to_numpy(), np.asarray(value)
    is_recent = ago < span
    return {
        RECENT: np.where(is_recent, values, 0.0),
        BEFORE: np.where(~is_recent & (ago < 2 * span), values, 0.0),
    }


def _keyed(
    ids: pa.ChunkedArray, keys: pa.ChunkedArray | np.ndarray, values: pa.ChunkedArray | np.ndarray
) -> pa.Table:
    return _added(pa.table({ID: ids, KEY: keys, VALUE: values}))


def _added(lines: pa.Table) -> pa.Table:
    how = {name: _HOW.get(name, "sum") for name in lines.column_names if name in _HOW or name == VALUE}
    keys = [name for name in lines.column_names if name not in how]
    grouped = lines.group_by(keys).aggregate(list(how.items()))
    return grouped.rename_columns([*how, *keys]).select([*keys, *how])


def _flat(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)
