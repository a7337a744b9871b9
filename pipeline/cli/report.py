"""`segments report`: where the newest page is."""

from __future__ import annotations

import os
import webbrowser
from typing import Annotated

import typer

from configs.errors import ConfigError
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
from pipeline.records import ROLLBACK, read_records


def report(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Print the path of the newest report, or open it."""
    with errors_for_people(as_json):
        _, place = load(config, overrides, workspace)
        for record in reversed(read_records(place.runs)):
            # After a rollback the page is that of the run whose model is served again.
            restored = record.result.get("report") if record.kind == ROLLBACK else None
            page = restored or os.path.join(place.reports, record.run_id, "report.html")
            if os.path.exists(page):
                break
        else:
            raise ConfigError(f"there is no report in {place.root} yet; 'segments run {config}' makes one")
    if as_json:
        print_json({"run_id": record.run_id, "report": page})
    else:
        out.print(page, markup=False)
    if open_it:
        webbrowser.open(f"file://{page}")
