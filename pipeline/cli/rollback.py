"""`segments rollback`: an older model becomes the served one."""

from __future__ import annotations

from typing import Annotated

import typer

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
from pipeline.rollback import roll_back


def rollback(
    config: ConfigArgument,
    to: Annotated[str, typer.Option("--to", metavar="VERSION", help="The version to serve again.")],
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Serve an older model again; the next retrain goes on from it.

    The version is copied under a new number, since model servers serve the highest one. Until the data, the config
    or the code change, 'segments run' has nothing to do: it would only train again what was taken out of service.
    """
    with errors_for_people(as_json):
        _, place = load(config, overrides, workspace)
        record = roll_back(place, config, to)
    if as_json:
        print_json(record.result)
        return
    result = record.result
    out.print(
        f"[bold green]rolled back[/]: version {record.version} is served, a copy of version {record.restored} "
        f"in place of version {record.parent}"
    )
    for key in ("model", "assignments", "report"):
        if result.get(key):
            out.print(f"{key:<12}{result[key]}", markup=False)
    out.print(
        "'segments run' does nothing until there is something new; --force runs all the same", style="dim"
    )
