"""A second table joined to the customers by their id: its rows, the join, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.attribute_table import named_in_errors
from components.example_gen.convert import INTEGER, NUMBER, TEXT, TIME, TIMESTAMP
from components.example_gen.plan import Plan
from components.example_gen.rows import ID, POSITION, file_and_row, read_rows
from components.example_gen.tally import Tally, total

_STORED = {TEXT: pa.string(), INTEGER: pa.int64(), NUMBER: pa.float64(), TIME: TIMESTAMP}


def read_file(plan: Plan, file: int) -> Iterator[tuple[pa.RecordBatch, Tally]]:
    """The rows of one of the files of attributes, and which columns turned out to hold fractions.

    Raises:
      DataError: a row cannot be read.
    """
    with named_in_errors():
        for batch, tally in read_rows(plan, file):
            yield batch, Tally(promoted=tally.promoted)


def read(plan: Plan) -> tuple[list[pa.Table], Tally]:
    """All rows of a table of attributes, and which columns turned out to hold fractions.

    Raises:
      DataError: a row cannot be read.
    """
    found = [item for file in range(len(plan.source.files)) for item in read_file(plan, file)]
    return [pa.Table.from_batches([batch]) for batch, _ in found], total(tally for _, tally in found)


def join(customers: pa.Table, plan: Plan, parts: Sequence[pa.Table]) -> tuple[pa.Table, Tally]:
    """Customers with their attributes; missing ones where there are none.

    Args:
      customers: with ID.
      plan: of the table of attributes.
      parts: its rows for these customers, and others; equal types.

    Returns:
      The customers in their order, and how many have attributes; problems where an id is there twice.
    """
    if not parts:
        for name in plan.features:
            customers = customers.append_column(name, pa.nulls(len(customers), _STORED[plan.kinds[name]]))
        return customers, Tally()
    table = pa.concat_tables(parts).combine_chunks()
    repeated = _repeated(table, plan)
    at = pc.index_in(customers[ID], value_set=table[ID].combine_chunks()).combine_chunks()
    for name in plan.features:
        customers = customers.append_column(name, table[name].take(at))
    return customers, repeated + Tally(joined=len(at) - at.null_count)


def judge(tally: Tally, plan: Plan) -> Tally:
    """The tally of all customers, with a problem where attributes fit nobody."""
    if plan.attributes is None or tally.joined or not tally.customers or tally.problems:
        return tally
    problem = (
        f"{plan.attributes.source.files[0]}: no customer's id is in its column '{plan.attributes.source.id_name}';"
        " is it the id that data.id names, and written alike? data.attributes.types can make '17850.0' 17850"
    )
    return tally + Tally(problems=((0, problem),))


def _repeated(table: pa.Table, plan: Plan) -> Tally:
    """Says of the first row whose id an earlier row has that it does, and how many there are."""
    codes = table[ID].combine_chunks().dictionary_encode().indices.to_numpy()
    order = np.lexsort((table[POSITION].to_numpy(), codes))
    repeats = order[1:][np.diff(codes[order]) == 0]
    if not len(repeats):
        return Tally()
    first = int(repeats[np.argmin(table[POSITION].to_numpy()[repeats])])
    file, row = file_and_row(table[POSITION][first].as_py())
    problem = (
        f"{plan.place(file, row)}: the customer id {table[ID][first].as_py()!r} is there already; a table of"
        " attributes (data.attributes) has one row per customer: mend it"
    )
    return Tally(problems=((file, problem),))
