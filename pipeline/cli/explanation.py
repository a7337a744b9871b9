"""What a person reads about one customer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from rich.table import Table
from rich.text import Text

from components.trainer.words import as_line, format_number, format_share, singular
from pipeline.cli.common import out

_SHOWN_FEATURES = 8
_SHOWN_CHANGES = 6
_SHOWN_CATEGORIES = 4
# Less than this share of the largest part is rounding of the model's float32.
_NOTHING = 1e-6


def show_explanation(content: Mapping[str, Any], customers: str) -> None:
    """Prints an explanation (see `components.explanation.explain`).

    Args:
      content: of `segments explain --json`.
      customers: what customers are called.
    """
    segment = content["segment"]
    name = (
        f"{singular(customers)} {content['customer']}"
        if content["customer"]
        else f"this {singular(customers)}"
    )
    out.print(Text.assemble((f"{name} is in segment {segment['id']}, {segment['name']}", "bold")))
    out.print(_typical(segment, customers), markup=False)
    if content["second"] is None:
        out.print("There is no other segment to compare with.")
        return
    second = content["second"]
    out.print(
        f"Second nearest is segment {second['id']}, {second['name']}: distance {second['distance']:.4g}"
        f" against {segment['distance']:.4g}.",
        markup=False,
    )
    out.print()
    out.print(_features(content))
    out.print(_sum(content), style="dim", markup=False)
    out.print()
    _show_changes(content)


def _typical(segment: Mapping[str, Any], customers: str) -> str:
    distance = f"Distance to its centre: {segment['distance']:.4g}"
    if segment["farther"] is None:
        ranked = f"{distance} (the table of assignments, which would say how typical that is, is not there)"
    else:
        of = f"the segment's {segment['customers']:,} {customers}"
        ranked = f"{distance}; {format_share(segment['farther'])} of {of} are farther from it"
    return f"{ranked}. {'An outlier.' if segment['is_outlier'] else 'Not an outlier.'}"


def _features(content: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    own, second = content["segment"]["id"], content["second"]["id"]
    table.add_column("what decides")
    table.add_column("value", justify="right")
    table.add_column(f"typical of {own}", justify="right")
    table.add_column(f"typical of {second}", justify="right")
    table.add_column("part", justify="right")
    table.add_column("speaks for")
    shown = content["features"][:_SHOWN_FEATURES]
    nothing = _NOTHING * max(abs(each["part"]) for each in shown)
    for each in shown:
        table.add_row(
            Text(as_line(each["feature"])),
            Text(_value(each["value"])),
            Text(_rounded(each["typical"])),
            Text(_rounded(each["typical_of_second"])),
            f"{each['part']:+.3g}",
            _favours(each["part"], nothing, own, second),
        )
    rest = content["features"][_SHOWN_FEATURES:]
    if rest:
        part = math.fsum(each["part"] for each in rest)
        table.add_row(f"{len(rest)} others", "", "", "", f"{part:+.3g}", _favours(part, nothing, own, second))
    return table


def _favours(part: float, nothing: float, own: int, second: int) -> str:
    return "neither" if abs(part) <= nothing else f"segment {own if part > 0 else second}"


def _sum(content: Mapping[str, Any]) -> str:
    own, second = content["segment"]["distance"], content["second"]["distance"]
    line = f"parts add up to {content['difference']:.4g} = {second:.4g}² - {own:.4g}²"
    if content["metric"] == "cosine":
        line += (
            ", twice the difference of the cosines: only directions count, so every feature scales the others"
        )
    return line


def _show_changes(content: Mapping[str, Any]) -> None:
    second = content["second"]
    where = f"segment {second['id']}"
    if content["changes"]:
        out.print(
            f"To {where}, one change would be enough, the model says; the smallest first:", markup=False
        )
        for change in content["changes"][:_SHOWN_CHANGES]:
            out.print(f"  {_change(change)}", markup=False)
        rest = len(content["changes"]) - _SHOWN_CHANGES
        if rest > 0:
            out.print(f"  and {rest} more (--json has all)")
        return
    out.print(f"No change of one feature alone, within what the data has, leads to {where}.", markup=False)
    if content["together"]:
        out.print(f"With values typical of {where}, these together do, the model says:", markup=False)
        for change in content["together"]:
            out.print(f"  {_change(change)}", markup=False)
    out.print(
        f"The boundary lies {format_share(content['share_of_the_way'])} of the way straight to its centre.",
        markup=False,
    )


def _change(change: Mapping[str, Any]) -> str:
    line = f"{as_line(change['feature'])}: {_value(change['from'])} -> {_value(change['to'])}"
    if change["by"] is not None:
        line += f" ({'+' if change['by'] > 0 else ''}{_value(round(change['by'], 12))})"
    if change["or"]:
        others = change["or"][:_SHOWN_CATEGORIES]
        more = len(change["or"]) - len(others)
        line += f" (or {', '.join(map(as_line, others))}{f' and {more} more' if more else ''})"
    return line


def _value(value: Any) -> str:
    """A value with all its digits: rounded, it may lie on the other side of a boundary."""
    if value is None:
        return "missing"
    return as_line(value) if isinstance(value, str) else f"{value:,}".removesuffix(".0")


def _rounded(value: Any) -> str:
    return format_number(value) if isinstance(value, float) else _value(value)
