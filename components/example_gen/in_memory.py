"""A source as a customer table in one process: what `segments assign` reads, and what tests compare with."""

from __future__ import annotations

import pyarrow as pa

from components.errors import DataError
from components.example_gen import attributes
from components.example_gen.customers import condense, customer_columns, merge
from components.example_gen.held import Held
from components.example_gen.period import looking_ahead, looks_ahead, with_end
from components.example_gen.plan import Plan
from components.example_gen.rows import read_rows
from components.example_gen.tally import Tally, total
from components.example_gen.times import judge


def read_customers(plan: Plan) -> tuple[pa.Table, Tally]:
    """The customer table of a source, in one process and in memory.

    Raises:
      DataError: the data must be mended.
    """
    files = range(len(plan.source.files))
    if looks_ahead(plan):
        plan = with_end(plan, (latest_purchase(plan, file) for file in files))
    held, tallies, parts = Held(plan), [], []
    for file in files:
        for batch, tally in read_rows(plan, file):
            held.add(0, file, condense(plan, pa.Table.from_batches([batch])))
            tallies.append(tally)
            parts += [piece for _, _, piece in held.overflow()]
    parts += [piece for _, _, piece in held.rest()]
    attribute_parts: list[pa.Table] = []
    if plan.attributes is not None:
        attribute_parts, promoted = attributes.read(plan.attributes)
        tallies.append(promoted)
    table, found = merge(plan, parts, attribute_parts)
    tally = attributes.judge(judge(total([*tallies, found]), plan), plan)
    if not tally.is_usable:
        raise DataError("\n".join(tally.explain(plan.place)))
    return pa.table(customer_columns(plan, table, tally)), tally


def latest_purchase(plan: Plan, file: int) -> int | None:
    """When the last purchase of a file was, microseconds since 1970-01-01 UTC; what is wrong is told later."""
    try:
        return total(tally for _, tally in read_rows(looking_ahead(plan), file)).latest
    except DataError:
        return None
