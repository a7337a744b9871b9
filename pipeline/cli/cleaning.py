"""What cleaning did, for whoever reads the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from components.example_gen.changes import in_words
from pipeline.cli.common import out


def show_cleaning(data: Mapping[str, Any]) -> None:
    """A line for each rule that dropped rows or changed values.

    Args:
      data: `rows_dropped` (rule -> rows) and `values_changed` (column -> rule -> values), where there are any.
    """
    for rule, rows in (data.get("rows_dropped") or {}).items():
        if rows:
            out.print(f"note: {rows:,} rows dropped by '{rule}'", style="yellow", markup=False)
    for column, rules in (data.get("values_changed") or {}).items():
        said = ", ".join(f"{values:,} values {in_words(rule)}" for rule, values in rules.items())
        out.print(f"note: column '{column}': {said}", style="yellow", markup=False)
