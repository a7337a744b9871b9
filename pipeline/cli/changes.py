"""What a person reads about the number of segments, and about what became of the served ones, when a run has ended."""

from __future__ import annotations

from typing import Any

from components.trainer.words import format_share, listed
from pipeline.cli.common import out


def show_choice(result: dict[str, Any]) -> None:
    """Prints why there are so many segments, where that was searched for."""
    sweep = result.get("sweep")
    if sweep:
        out.print(f"\n{sweep['reason']}", markup=False)


def show_changes(result: dict[str, Any], customers: str) -> None:
    """Prints who moved since the served model, and which segments are new or gone."""
    migration = result.get("migration")
    if not migration or migration["parent_version"] is None:
        return
    moved = migration["moved"]
    line = (
        f"since version {migration['parent_version']}: {format_share(moved['share'])} of the {customers} are in "
        f"another segment ({moved['customers']:,} of {migration['customers']:,}"
    )
    if moved["own_change"] is not None and moved["customers"]:
        line += f", {moved['own_change']:,} because they changed themselves"
    out.print(f"\n{line})", markup=False)
    events = {
        kind: [each for each in migration["segments"] if each["kind"] == kind]
        for kind in ("new", "split", "merged")
    }
    for word, segments in {**events, "gone": migration["retired"]}.items():
        if segments:
            named = listed([f"{each['id']} ({each['name']})" for each in segments])
            out.print(f"{word}: {named}", markup=False)
