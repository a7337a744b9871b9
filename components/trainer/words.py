"""Columns and numbers as people write them; shared by the names of segments and the report page."""

from __future__ import annotations

import math
import re

NOTHING = "-"
"""Stands where there is no number."""


def in_words(column: str) -> str:
    """A column's name as words: `recency_days` -> "recency days", `TotalCharges` -> "total charges"."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\-.\s]+", " ", column)
    return " ".join(spaced.split()).lower() or column


def as_line(value: str, limit: int = 40) -> str:
    """A value of the data on one line of at most `limit` characters, without control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in value).split())
    return line if len(line) <= limit else line[: limit - 3].rstrip() + "..."


def format_number(value: float | None) -> str:
    """A number with the digits a reader uses: 1,234,567; 842; 31.4; 2.75; 0.031."""
    if value is None or not math.isfinite(value):
        return NOTHING
    size = abs(value)
    if size >= 1e15:
        return f"{value:.3g}"
    for at_least, decimals in ((99.95, 0), (9.995, 1), (0.9995, 2)):
        if size >= at_least:
            return _without_zeros(f"{value:,.{decimals}f}")
    if size < 1e-15:
        return "0"
    # Two significant digits below 1, three from 0.1.
    decimals = 1 - math.floor(math.log10(size)) + (size >= 0.1)
    return _without_zeros(f"{value:.{decimals}f}") if decimals <= 7 else f"{value:.1e}"


def _without_zeros(text: str) -> str:
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in {"", "-0"} else text


def format_share(share: float | None) -> str:
    """A share of 1 as a percentage: 33%, 4.2%, "under 0.1%"."""
    if share is None or not math.isfinite(share):
        return NOTHING
    percent = 100 * share
    if 0 < percent < 0.1:
        return "under 0.1%"
    if 99.5 <= percent < 100 - 1e-7:
        return "over 99%"
    return f"{percent:.0f}%" if percent >= 9.95 else f"{_without_zeros(f'{percent:.1f}')}%"


def format_count(count: int, plural: str) -> str:
    """A count with its noun: "1 household", "2,469 households"."""
    return f"{count:,} {singular(plural) if count == 1 else plural}"


def singular(plural: str) -> str:
    """The singular of a regular English plural: "households" -> "household", "companies" -> "company"."""
    if plural.endswith("ies"):
        return plural[:-3] + "y"
    return plural[:-1] if plural.endswith("s") else plural


def listed(items: list[str], last: str = "and") -> str:
    """Items as a list in a sentence: "a, b and c"."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""
