"""`segments runs`: the history of a pipeline."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from components.served_model.versions import served_version
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
from pipeline.plan import with_killed
from pipeline.records import RunRecord, read_records

_STYLES = {"pushed": "green", "not_blessed": "yellow", "running": "cyan"}


def runs(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs of a pipeline, newest first."""
    with errors_for_people(as_json):
        _, place = load(config, overrides, workspace)
        records = with_killed(read_records(place.runs), place)[::-1]
        served = served_version(place.serving)
    if as_json:
        print_json({"served": served, "runs": [_content(record) for record in records]})
        return
    if not records:
        out.print(f"no runs yet in {place.root}")
        return
    table = Table(
        "run", "status", "version", "k", "silhouette", "why", box=None, pad_edge=False, header_style="bold"
    )
    for record in records:
        content = _content(record)
        version = content["version"] or ""
        silhouette = content["metrics"].get("silhouette")
        table.add_row(
            record.run_id,
            f"[{_STYLES.get(record.status, 'red')}]{record.status.replace('_', ' ')}[/]",
            f"{version} (served)" if version and version == served else version,
            str(content["k"] or ""),
            "" if silhouette is None else f"{silhouette:.3f}",
            escape(record.message.splitlines()[0]) if record.message else "",
        )
    out.print(table)


def _content(record: RunRecord) -> dict[str, Any]:
    return {
        "run_id": record.run_id,
        "status": record.status,
        "started": record.started,
        "finished": record.finished,
        "version": record.version,
        "parent": record.parent,
        "span": record.span,
        "k": record.result.get("k"),
        "metrics": record.result.get("metrics") or {},
        "message": record.message,
        "attempts": record.attempts,
    }
