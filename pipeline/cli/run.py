"""`segments run`: the whole pipeline, a line per component while it works."""

from __future__ import annotations

from typing import Annotated, Any, Optional

import typer

from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    WorkspaceOption,
    err,
    errors_for_people,
    load,
    out,
    print_json,
)
from pipeline.cli.progress import Progress
from pipeline.cli.summary import show_result
from pipeline.local.run import EXIT_CODES, NOTHING, run_pipeline


def run(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    span: Annotated[
        Optional[str],
        typer.Option("--span", metavar="N", help="A span in place of the newest: a number, or a date."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Run even when nothing is new.")] = False,
) -> None:
    """Run the pipeline: validate, train, evaluate, and serve the model if it is good enough.

    Exit codes: 0 a model was pushed, or nothing was new; 1 failed; 2 wrong usage or config; 3 the model was
    refused; 4 the data was rejected.
    """
    with errors_for_people(as_json, NOTHING):
        asked = [] if span is None else [f"data.span={span}"]
        loaded, place = load(config, [*(overrides or []), *asked], workspace)
        with Progress(err if as_json else out) as progress:
            result: dict[str, Any] = run_pipeline(loaded, config, place, force, progress.on_event)
    if as_json:
        print_json(result)
    else:
        show_result(result, loaded.report.customers)
    raise typer.Exit(EXIT_CODES[result["status"]])
