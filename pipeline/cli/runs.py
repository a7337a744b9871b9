"""`segments runs`: the history of a pipeline."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    WorkspaceOption,
    errors_for_people,
    load,
    out,
    print_json,
)
from pipeline.history import history

_STYLES = {
    "pushed": "green",
    "kept": "green",
    "not_blessed": "yellow",
    "running": "cyan",
    "rolled_back": "magenta",
}
_COLUMNS = ("run", "status", "span", "k", "silhouette", "version", "took", "why")


def runs(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs and rollbacks of a pipeline, newest first."""
    with errors_for_people(as_json):
        _, place = load(config, overrides, workspace)
        content = history(place)
    if as_json:
        print_json(content)
        return
    _show_schedule(content["schedule"])
    if not content["runs"]:
        out.print(f"no runs yet in {place.root}")
        return
    table = Table(*_COLUMNS, box=None, pad_edge=False, header_style="bold")
    for run in content["runs"]:
        table.add_row(*_row(run, content["served"]))
    out.print(table)


def _show_schedule(schedule: dict[str, Any] | None) -> None:
    if schedule is None:
        return
    style = {"alive": "green", "stopped": "yellow"}.get(schedule["health"], "red")
    when = f"'{schedule['cron']}' {schedule['timezone']}" if schedule["cron"] else "run once"
    out.print(f"scheduler: [{style}]{schedule['health']}[/], {escape(when)}")
    running, last = schedule["running"], schedule["last"]
    if schedule["next_run"]:
        out.print(f"next run:  {schedule['next_run']}", markup=False)
    if running:
        again = f", again at {running['retry_at']}" if running["retry_at"] else ""
        out.print(f"running:   since {running['since']}, attempt {running['attempt']}{again}", markup=False)
    if last:
        failed = [hook["target"] for hook in last["hooks"] if not hook["ok"]]
        hooks = f"; hooks that failed: {', '.join(failed)}" if failed else ""
        ended = last["status"].replace("_", " ")
        out.print(
            f"last run:  {ended} at {last['finished']}, attempt {last['attempts']}{hooks}", markup=False
        )
    if schedule["left_out"]:
        left_out = schedule["left_out"]
        out.print(f"left out:  the run of {left_out['due']}: {left_out['why']}", markup=False)
    out.print()


def _row(run: dict[str, Any], served: str | None) -> list[str]:
    version, silhouette = run["version"] or "", run["metrics"].get("silhouette")
    return [
        run["run_id"],
        f"[{_STYLES.get(run['status'], 'red')}]{run['status'].replace('_', ' ')}[/]",
        "" if run["span"] is None else str(run["span"]),
        str(run["k"] or ""),
        "" if silhouette is None else f"{silhouette:.3f}",
        f"{version} (served)" if version and version == served else version,
        duration(run["seconds"]),
        escape(run["message"].splitlines()[0]) if run["message"] else "",
    ]


def duration(seconds: float | None) -> str:
    """Seconds for people: `48 s`, `3 min 20 s`, `2 h 05 min`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
