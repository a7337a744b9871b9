"""Recency, frequency and monetary value of customers, from partial sums that can be added in any grouping.

RFM as in Fader, Hardie & Lee, "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis" (2005),
but recency is the time since the last order, as marketers mean it.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.convert import DAY_MICROSECONDS
from components.example_gen.rows import HASH, ID
from components.example_gen.source import TRANSACTION_FEATURES
from configs.transactions import TransactionsConfig

_ORDER, _LINES, _AMOUNT, _FIRST, _LAST = "\x01order", "\x01lines", "\x01amount", "\x01first", "\x01last"


def partial_sums(rows: pa.Table, config: TransactionsConfig) -> pa.Table:
    """One row for each customer and order among some transactions.

    Args:
      rows: with ID and HASH, and the columns that `config` names: time in timestamp[us], the others double,
        the order anything, text unless it is one of them. Lines without an order are an order each.
    """
    if config.amount is not None:
        amount = rows[config.amount]
    else:
        amount = pc.multiply(rows[config.quantity], rows[config.price])
    time = pc.cast(rows[config.time], pa.int64())
    order = rows[config.order] if config.order else pa.nulls(len(rows), pa.string())
    lines = pa.table({
        ID: rows[ID], HASH: rows[HASH], _ORDER: order, _LINES: pa.repeat(pa.scalar(1, pa.int64()), len(rows)),
        _AMOUNT: amount, _FIRST: time, _LAST: time,
    })  # fmt: skip
    return _added(lines, [ID, _ORDER])


def add_partial_sums(parts: Sequence[pa.Table]) -> pa.Table:
    """The partial sums over all transactions of several tables of them."""
    return _added(pa.concat_tables(parts), [ID, _ORDER])


def customers(sums: pa.Table) -> pa.Table:
    """One row for each customer of complete sums, in the order of their ids.

    Returns:
      ID, HASH, and what `features` needs, which also depends on the end of the period.
    """
    # An order counts once; lines without an order number count each.
    orders = pc.if_else(sums[_ORDER].is_valid(), pa.scalar(1, pa.int64()), sums[_LINES])
    whole = _added(sums.set_column(sums.schema.get_field_index(_LINES), _LINES, orders), [ID])
    return whole.sort_by(ID)


def features(table: pa.Table, as_of: int) -> dict[str, pa.ChunkedArray]:
    """The columns of the customer table: days (double), orders (int64) and amounts (double), each [n].

    Args:
      table: what `customers` returns.
      as_of: end of the observed period, microseconds since 1970-01-01 UTC.
    """
    frequency = table[_LINES]
    columns = {
        "recency_days": _days_until(as_of, table[_LAST]),
        "frequency": frequency,
        "monetary": table[_AMOUNT],
        "tenure_days": _days_until(as_of, table[_FIRST]),
        "average_basket": pc.divide(table[_AMOUNT], pc.cast(frequency, pa.float64())),
    }
    return {name: columns[name] for name in TRANSACTION_FEATURES}


def _days_until(as_of: int, times: pa.ChunkedArray) -> pa.ChunkedArray:
    passed = pc.cast(pc.subtract(as_of, times), pa.float64(), safe=False)
    return pc.divide(passed, float(DAY_MICROSECONDS))


def _added(lines: pa.Table, keys: list[str]) -> pa.Table:
    how = {HASH: "min", _LINES: "sum", _AMOUNT: "sum", _FIRST: "min", _LAST: "max"}
    grouped = lines.group_by(keys).aggregate(list(how.items()))
    return grouped.rename_columns([*how, *keys]).select([*keys, *how])
