"""What a person reads about the choice of features when a run has ended."""

from __future__ import annotations

from typing import Any

from components.trainer.words import listed
from pipeline.cli.common import out

_NAMED = 8


def show_selection(result: dict[str, Any]) -> None:
    """Prints which features were dropped, in a line, and warnings about the target."""
    selection = result.get("selection")
    if not selection:
        return
    out.print(f"\n{selection['sentences'][0]}", markup=False)
    dropped = selection["dropped"]
    if dropped:
        shown = dropped[:_NAMED] + ([f"{len(dropped) - _NAMED} more"] if len(dropped) > _NAMED else [])
        out.print(f"dropped: {listed(shown)} (the report says why)", markup=False)
    for warning in selection["warnings"]:
        out.print(f"! {warning}", style="yellow", markup=False)
