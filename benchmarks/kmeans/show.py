"""The tables and verdicts of the k-means benchmark, for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from benchmarks.kmeans.summary import Standing, Verdict


def show_standings(console: Console, title: str, baseline: str, table: Sequence[Standing]) -> None:
    """Prints a case, a line per contender."""
    paced = all(standing.pace for standing in table)
    shown = Table(title=title, title_justify="left")
    shown.add_column("contender", no_wrap=True)
    shown.add_column("package", no_wrap=True)
    numbers = [
        "seconds",
        f"by {baseline}",
        "by best",
        "inertia",
        "above best",
        "iterations",
        "peak MB",
        "fit MB",
    ]
    for column in [*numbers, *(["Mrows/s/iteration"] if paced else [])]:
        shown.add_column(column, justify="right")
    for standing in table:
        pace = [f"{standing.pace / 1e6:.1f}"] if paced and standing.pace else []
        shown.add_row(
            standing.contender,
            standing.version,
            f"{standing.seconds:.3f}",
            "-" if standing.by_baseline is None else f"{standing.by_baseline:.2f}",
            f"{standing.by_best:.2f}",
            f"{standing.inertia:.6g}",
            f"{standing.above_best:.3%} {'✓' if standing.reached else '✗'}",
            f"{standing.iterations:g}",
            f"{standing.peak_mb:,.0f}",
            f"{standing.fit_mb:,.0f}",
            *pace,
        )
    console.print(shown)


def show_verdict(console: Console, verdict: Verdict) -> None:
    """Prints whether a target holds, and its goal."""
    bound = "at least" if verdict.at_least else "at most"
    said = f"target {bound} {verdict.limit:,.4g} {verdict.unit}: {_word(verdict.holds)}"
    if verdict.goal is not None:
        said += f"; goal {verdict.goal:,.3g} {verdict.unit}: {_word(bool(verdict.holds_goal))}"
    if not verdict.reached:
        said += "; its inertia is more than 0.1 % above the best"
    console.print(f"{verdict.what}: {verdict.value:,.2f} {verdict.unit} ({said})")


def _word(holds: bool) -> str:
    return "[green]holds[/]" if holds else "[red]does not hold[/]"
