"""Which transactions count: purchases or returns, up to the end of the period and within its window."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.conditions import meets
from components.example_gen.convert import DAY_MICROSECONDS
from components.example_gen.plan import Plan
from components.example_gen.tally import Tally

# A column that tells returns from purchases: bool.
RETURNED = "\x01returned"


def observed(plan: Plan, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, Tally]:
    """The transactions that count, what was dropped, and when the last purchase was.

    All rows where they are no transactions. With `returns: {treat: rate}` RETURNED is added.
    """
    parts = plan.data.transactions
    if parts is None:
        return batch, Tally()
    dropped: Counter[str] = Counter()
    condition = parts.return_condition
    if condition is not None:
        returned = meets(batch.column(condition.column), condition)
        if parts.returns.treat == "drop":
            batch = _without(batch, pc.invert(returned), "returns", dropped)
        else:
            batch = pa.RecordBatch.from_arrays([*batch.columns, returned], [*batch.schema.names, RETURNED])
    if parts.time not in plan.kinds:
        return batch, Tally(rows_dropped=dropped)
    if plan.end is not None:
        times = pc.cast(batch.column(parts.time), pa.int64())
        batch = _without(batch, pc.less_equal(times, plan.end), "after_as_of", dropped)
        if parts.window_days is not None:
            times = pc.cast(batch.column(parts.time), pa.int64())
            start = plan.end - parts.window_days * DAY_MICROSECONDS
            batch = _without(batch, pc.greater(times, start), "before_window", dropped)
    times = pc.cast(batch.column(parts.time), pa.int64())
    if RETURNED in batch.schema.names:
        times = times.filter(pc.invert(batch.column(RETURNED)))
    return batch, Tally(rows_dropped=dropped, latest=pc.max(times).as_py())


def looks_ahead(plan: Plan) -> bool:
    """Whether the latest purchase has to be found before rows are added up."""
    parts = plan.data.transactions
    return parts is not None and parts.needs_end and plan.end is None


def looking_ahead(plan: Plan) -> Plan:
    """A plan that reads no more than it takes to find the latest purchase."""
    parts = plan.data.transactions
    assert parts is not None
    return reading_only(plan, parts.time)


def reading_only(plan: Plan, column: str) -> Plan:
    """A plan that reads one column of the lines that are kept: all purchases, whenever they were."""
    parts = plan.data.transactions
    assert parts is not None
    treated = parts.returns.model_copy(update={"treat": "drop"}) if parts.return_condition else parts.returns
    purchases = {"as_of": "latest", "window_days": None, "features": ["recency_days"], "returns": treated}
    # Copies of a row change neither the latest time nor what is frequent, and finding them takes all columns.
    rows = {
        "duplicate_rows": "keep",
        "missing_ids": "drop",
        "transactions": parts.model_copy(update=purchases),
    }
    data = plan.data.model_copy(update=rows)
    wanted = {column, *(condition.column for condition in data.conditions)}
    kinds = {name: kind for name, kind in plan.kinds.items() if name in wanted}
    return dataclasses.replace(plan, data=data, kinds=kinds, end=None)


def with_end(plan: Plan, latest: Iterable[int | None]) -> Plan:
    """The plan, its period ending at the latest of some purchases."""
    found = [time for time in latest if time is not None]
    return dataclasses.replace(plan, end=max(found)) if found else plan


def _without(batch: pa.RecordBatch, kept: pa.Array, rule: str, dropped: Counter[str]) -> pa.RecordBatch:
    lost = len(kept) - (pc.sum(kept).as_py() or 0)
    if not lost:
        return batch
    dropped[rule] += lost
    return batch.filter(kept)
