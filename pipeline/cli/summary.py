"""What a person reads when a run has ended."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from pipeline.cli.changes import show_changes, show_choice
from pipeline.cli.cleaning import show_cleaning
from pipeline.cli.common import err, out
from pipeline.cli.drift import show_drift
from pipeline.cli.selection import show_selection


def show_result(result: dict[str, Any], customers: str) -> None:
    """Prints the end of a run: what was decided and why, the segments, where things are."""
    _show_end(result, customers)
    removed = result.get("removed") or {}
    if "error" in removed:
        err.print(f"note: {removed['error']}", style="yellow", markup=False)
    elif removed.get("bytes"):
        size = f"{removed['bytes'] / 1e6:,.1f} MB"
        err.print(f"removed {size} of old runs, as 'retention' says", style="dim", markup=False)


def _show_end(result: dict[str, Any], customers: str) -> None:
    status = result["status"]
    if status in ("failed", "rejected", "usage"):
        _show_stop(result)
        return
    if status == "up_to_date":
        out.print(f"[bold green]up to date[/]: {result['message']} (--force runs all the same)")
        _show_places(result)
        return
    _show_segments(result, customers)
    show_choice(result)
    show_selection(result)
    show_changes(result, customers)
    _show_thresholds(result)
    show_cleaning(result.get("data") or {})
    _show_remarks(result)
    show_drift(result)
    if status == "kept":
        out.print(f"\n[bold green]kept[/]: {result['message']}, which is served (--force trains a new model)")
    elif status == "pushed":
        out.print(f"\n[bold green]pushed[/]: version {result['version']} is served")
    else:
        out.print("\n[bold red]not blessed[/]: the model was refused; what was served before is served still")
        for reason in result.get("reasons", []):
            out.print(f"  {reason}", markup=False)
    _show_places(result)


def _show_stop(result: dict[str, Any]) -> None:
    where = f" in {result['component']}" if result.get("component") else ""
    err.print(f"[bold red]{result['status']}[/]{where}:", end=" ")
    err.print(Text(str(result.get("message", ""))))
    if result.get("component") == "DataGate":
        err.print(
            "mend the data, change the schema (validation.schema), or list features under validation.warn_only"
        )
    if result.get("component") == "DriftCheck":
        err.print("mend the data, or let them through: --set drift.action=warn, or thresholds under drift")
    err.print(f"the full log: {result['log']}", style="dim", markup=False)


def _show_segments(result: dict[str, Any], customers: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
    table.add_column("id", justify="right")
    table.add_column("segment")
    table.add_column(customers, justify="right")
    table.add_column("share", justify="right")
    for segment in result["segments"]:
        table.add_row(
            str(segment["id"]), Text(segment["name"]), f"{segment['size']:,}", f"{segment['share']:.1%}"
        )
    out.print()
    out.print(table)


def _show_thresholds(result: dict[str, Any]) -> None:
    thresholds = result.get("thresholds", [])
    if not thresholds:
        return
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading, justify in (("", "left"), ("metric", "left"), ("value", "right"), ("must be", "left")):
        table.add_column(heading, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    table.add_column("served", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    served = result.get("baseline_metrics") or {}
    for threshold in thresholds:
        mark, word, style = _outcome(threshold)
        table.add_row(
            Text(mark, style),
            threshold["metric"],
            _number(threshold["value"]),
            _bound(threshold),
            _number(served[threshold["metric"]]) if threshold["metric"] in served else "-",
            Text(word, style),
        )
    out.print()
    out.print(table)
    for note in _notes(result):
        out.print(note, style="dim", markup=False)


def _outcome(threshold: dict[str, Any]) -> tuple[str, str, str]:
    """Mark, word and colour."""
    if not threshold["compared"]:
        return "-", "not compared", "dim"
    return ("✓", "held", "green") if threshold["held"] else ("✗", "not held", "red")


def _bound(threshold: dict[str, Any]) -> str:
    words = {"min": "≥ {}", "max": "≤ {}", "max_regression": "≤ {} worse"}
    return words[threshold["kind"]].format(_number(threshold["bound"]))


def _number(value: Any) -> str:
    # JSON has neither NaN nor infinities: null stands for them in a run's result.
    return "not finite" if value is None else f"{value:.4g}"


def _notes(result: dict[str, Any]) -> list[str]:
    """What the table has no room for: from how many customers a value is, why nothing was compared."""
    thresholds = result["thresholds"]
    rows = result.get("metric_rows") or {}
    most = max(rows.values(), default=0)
    sampled: dict[int, list[str]] = {}
    for metric in dict.fromkeys(t["metric"] for t in thresholds):
        if rows.get(metric, most) < most:
            sampled.setdefault(rows[metric], []).append(metric)
    notes = [f"{', '.join(names)}: from {n:,} of {most:,} customers" for n, names in sampled.items()]
    reasons = [t["sentence"].partition("is not compared: ")[2] for t in thresholds if not t["compared"]]
    return notes + [f"not compared: {reason}" for reason in dict.fromkeys(reasons)]


def _show_remarks(result: dict[str, Any]) -> None:
    for column in result.get("columns", []):
        if column["remark"]:
            out.print(f"note: column '{column['name']}': {column['remark']}", style="yellow", markup=False)


def _show_places(result: dict[str, Any]) -> None:
    for key in ("model", "assignments", "report"):
        if result.get(key):
            out.print(f"{key:<12}{result[key]}", markup=False)
