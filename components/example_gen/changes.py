"""What cleaning did to values, counted by column and rule, and what it could not read."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping

# The rules that change a value and keep its row.
MARKED_MISSING = "marked_missing"
UNREADABLE = "unreadable"
OUT_OF_BOUNDS = "out_of_bounds"
CLIPPED = "clipped"

_WORDS = {
    MARKED_MISSING: "stood for missing",
    UNREADABLE: "could not be read as a time and are missing",
    OUT_OF_BOUNDS: "were not allowed and are missing",
    CLIPPED: "were moved to the nearest bound",
}


def in_words(rule: str) -> str:
    """What a rule did to values: "3 values" and then this."""
    return _WORDS.get(rule, rule)


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """Values of a column that could not be read and became missing.

    Attributes:
      count: of them.
      first: (file, row) of the first.
      value: which it is.
      reason: what is wrong with it.
      most: so many may be; below 1, such a share of the rows.
    """

    count: int
    first: tuple[int, int]
    value: str
    reason: str
    most: float

    def __add__(self, other: Unreadable) -> Unreadable:
        first = min(self, other, key=lambda one: one.first)
        return dataclasses.replace(first, count=self.count + other.count)


@dataclasses.dataclass(frozen=True)
class Changes:
    """Counts over a part of the rows; `+` gives those over two parts, in any order.

    Attributes:
      values: (column, rule) -> values that it changed.
      unreadable: column -> what could not be read.
    """

    values: Counter[tuple[str, str]] = dataclasses.field(default_factory=Counter)
    unreadable: Mapping[str, Unreadable] = dataclasses.field(default_factory=dict)

    def __add__(self, other: Changes) -> Changes:
        unreadable = dict(self.unreadable)
        for column, found in other.unreadable.items():
            unreadable[column] = unreadable[column] + found if column in unreadable else found
        return Changes(self.values + other.values, unreadable)

    def too_many(self, rows: int) -> dict[str, Unreadable]:
        """The columns of which, of so many rows, more could not be read than may be."""
        return {
            column: found
            for column, found in sorted(self.unreadable.items())
            if found.count > (found.most * rows if 0 < found.most < 1 else found.most)
        }

    def explain(self, rows: int, place: Callable[[int, int], str]) -> list[str]:
        """A line for each of them; `place(file, row)` says where a row is."""
        return [
            f"{place(*found.first)}, column '{column}': {found.value!r} {found.reason}, the first of"
            f" {found.count:,} such values of {rows:,}, where data.dates.{column}.max_bad allows {found.most:g};"
            " mend them, add their format to 'formats', or raise 'max_bad'"
            for column, found in self.too_many(rows).items()
        ]

    def by_column(self) -> dict[str, dict[str, int]]:
        """Column -> rule -> values, in the order of their names."""
        result: dict[str, dict[str, int]] = {}
        for (column, rule), count in sorted(self.values.items()):
            result.setdefault(column, {})[rule] = count
        return result
