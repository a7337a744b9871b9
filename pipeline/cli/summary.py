"""What a person reads when a run has ended."""

from __future__ import annotations

from typing import Any

from rich.table import Table
from rich.text import Text

from pipeline.cli.common import err, out
from pipeline.cli.drift import show_drift


def show_result(result: dict[str, Any], customers: str) -> None:
    """Prints the end of a run: what was decided and why, the segments, where things are."""
    status = result["status"]
    if status in ("failed", "rejected", "usage"):
        _show_stop(result)
        return
    if status == "up_to_date":
        out.print(
            f"[bold green]up to date[/]: nothing is new; version {result.get('version')} is served "
            "(--force runs all the same)"
        )
        _show_places(result)
        return
    _show_segments(result, customers)
    _show_thresholds(result)
    _show_remarks(result)
    show_drift(result)
    if status == "pushed":
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
    out.print()
    for threshold in thresholds:
        if not threshold["compared"]:
            mark = ("-", "dim")
        elif threshold["held"]:
            mark = ("✓", "green")
        else:
            mark = ("✗", "red")
        out.print(Text.assemble(mark, f" {threshold['sentence']}"))


def _show_remarks(result: dict[str, Any]) -> None:
    for column in result.get("columns", []):
        if column["remark"]:
            out.print(f"note: column '{column['name']}': {column['remark']}", style="yellow", markup=False)


def _show_places(result: dict[str, Any]) -> None:
    for key in ("model", "assignments", "report"):
        if result.get(key):
            out.print(f"{key:<12}{result[key]}", markup=False)
