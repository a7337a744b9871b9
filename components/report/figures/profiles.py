"""The heat maps: every segment's typical values beside those of all customers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from components.report.figures.palette import difference_colour
from components.trainer.naming import numeric_difference, share_difference, share_of, uses_mean
from components.trainer.profiles import TOP_VALUES, Profile
from components.trainer.words import NOTHING, as_line, format_number, format_share, in_words

MOST_VALUES = 6
OTHER = "(other)"
MISSING = "(missing)"


@dataclasses.dataclass(frozen=True)
class Cell:
    """A segment's value.

    Attributes:
      value: the number; None where there is none.
      text: the number as shown.
      difference: from all customers, in their quartiles (`naming.numeric_difference`).
      colour: the class for it.
    """

    value: float | None
    text: str
    difference: float
    colour: str


@dataclasses.dataclass(frozen=True)
class Row:
    """A numeric column, or a value of a categorical one.

    Attributes:
      name: the column or the value, as in the data.
      label: the same for people.
      everyone: the value of all customers.
      everyone_text: the same as shown.
      cells: one per segment.
      statistic: what the values are: `median`, `mean` or `share`.
    """

    name: str
    label: str
    everyone: float | None
    everyone_text: str
    cells: list[Cell]
    statistic: str

    @property
    def strength(self) -> float:
        """How much the column tells: the mean difference, over the segments."""
        return sum(abs(cell.difference) for cell in self.cells) / max(len(self.cells), 1)


@dataclasses.dataclass(frozen=True)
class Category:
    """A categorical column: a row per value, shares of customers."""

    name: str
    label: str
    rows: list[Row]

    @property
    def strength(self) -> float:
        """How much the column tells: the largest difference of each segment, in the mean."""
        by_segment = zip(*(row.cells for row in self.rows), strict=True)
        largest = [max(abs(cell.difference) for cell in cells) for cells in by_segment]
        return sum(largest) / max(len(largest), 1)


def numeric_rows(population: Profile, profiles: Sequence[Profile]) -> list[Row]:
    """A row per numeric column: medians, or means where over half of the customers share one value."""
    return [
        _numeric_row(column, everyone, [profile["numeric"][column] for profile in profiles])
        for column, everyone in population["numeric"].items()
    ]


def _numeric_row(column: str, everyone: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> Row:
    statistic = "mean" if uses_mean(everyone) else "median"
    cells = []
    for segment in segments:
        difference = numeric_difference(everyone, segment)
        cells.append(_cell(segment[statistic], format_number(segment[statistic]), difference))
    label = as_line(in_words(column)) + (" (mean)" if statistic == "mean" else "")
    return Row(column, label, everyone[statistic], format_number(everyone[statistic]), cells, statistic)


def categories(population: Profile, profiles: Sequence[Profile]) -> list[Category]:
    """A table per categorical column: the values that are most frequent in all or in any segment."""
    return [
        _category(column, everyone, [profile["categorical"][column] for profile in profiles])
        for column, everyone in population["categorical"].items()
    ]


def _category(column: str, everyone: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> Category:
    largest: dict[str, float] = {}
    for profile in (everyone, *segments):
        for value, share in profile["values"].items():
            largest[value] = max(largest.get(value, 0.0), share)
    chosen = sorted(largest, key=lambda value: (-largest[value], value))[:MOST_VALUES]
    chosen.sort(key=lambda value: (-share_of(value, everyone), value))
    rows = [
        _share_row(value, as_line(value), _listed(value, everyone), [_listed(value, s) for s in segments])
        for value in chosen
    ]
    if len(largest) > len(chosen):
        rest = [1 - s["missing"] - sum(_listed(v, s) or 0.0 for v in chosen) for s in (everyone, *segments)]
        empty = [not s["values"] and not s["missing"] for s in (everyone, *segments)]
        shares = [None if none else max(share, 0.0) for share, none in zip(rest, empty, strict=True)]
        rows.append(_share_row(OTHER, OTHER, shares[0], shares[1:]))
    if any(profile["missing"] for profile in (everyone, *segments)):
        rows.append(_share_row(MISSING, MISSING, everyone["missing"], [s["missing"] for s in segments]))
    return Category(column, as_line(in_words(column)), rows)


def _listed(value: str, column: Mapping[str, Any]) -> float | None:
    """The share of a value; None where it is too rare to be listed, or the segment is empty."""
    shares = column["values"]
    if value in shares:
        return float(shares[value])
    return 0.0 if 0 < len(shares) < TOP_VALUES else None


def _share_row(name: str, label: str, everyone: float | None, segments: Sequence[float | None]) -> Row:
    cells = [
        _cell(
            share, format_share(share), share_difference(everyone or 0.0, share) if share is not None else 0.0
        )
        for share in segments
    ]
    return Row(name, label, everyone, format_share(everyone), cells, "share")


def _cell(value: float | None, text: str, difference: float) -> Cell:
    return Cell(value, text if value is not None else NOTHING, difference, difference_colour(difference))
