"""What a person reads about drift when a run has ended."""

from __future__ import annotations

from typing import Any

from pipeline.cli.common import out


def show_drift(result: dict[str, Any]) -> None:
    """Prints in what today's customers differ from those of the model that was served, a line each."""
    drift = result.get("drift")
    if not drift:
        return
    # Of a first run nobody expects a comparison.
    reasons = [drift["reason"]] if drift["reason"] and drift["reference_version"] else []
    for note in [*reasons, *drift["notes"]]:
        out.print(f"note: drift: {note}", style="yellow", markup=False)
    if drift["sentences"]:
        out.print(f"\ndrift since version {drift['reference_version']}", style="bold yellow", markup=False)
    elif drift["skew"]:
        out.print(
            f"\nnot what version {drift['reference_version']} was made for", style="bold yellow", markup=False
        )
    for sentence in [*drift["sentences"], *drift["skew"]]:
        out.print(f"! {sentence}", style="yellow", markup=False)
