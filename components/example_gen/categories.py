"""Which categories get a share: the most frequent of all lines, found in a pass of its own."""

from __future__ import annotations

from collections import Counter

import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen.period import reading_only
from components.example_gen.plan import make_plan
from components.example_gen.rows import read_rows
from components.example_gen.source import Source
from configs.data import DataConfig


def most_frequent(data: DataConfig, source: Source) -> tuple[str, ...]:
    """The names of the `category_shares` most frequent categories, in alphabetical order.

    Lines are counted that `data.keep` keeps and that have a customer id; of equally frequent categories the first by
    name are taken, so the order of rows and files does not matter.

    Raises:
      DataError: a row cannot be read, or no line has a category.
    """
    parts = data.transactions
    assert parts is not None and parts.category is not None and isinstance(parts.category_shares, int)
    plan = reading_only(make_plan(data, source), parts.category)
    counts: Counter[str] = Counter()
    for file in range(len(source.files)):
        for batch, _ in read_rows(plan, file):
            for each in pc.value_counts(batch.column(parts.category).drop_null()).to_pylist():
                counts[each["values"]] += each["counts"]
    if not counts:
        raise DataError(f"data.transactions.category_shares: no line has a value in '{parts.category}'")
    ranked = sorted(counts, key=lambda name: (-counts[name], name))
    return tuple(sorted(ranked[: parts.category_shares]))
