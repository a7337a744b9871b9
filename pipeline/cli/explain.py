"""`segments explain`: one customer's segment, why, and what would move the customer to another."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from components.served_model.versions import served_version
from configs.errors import ConfigError
from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    WorkspaceOption,
    errors_for_people,
    load,
    print_json,
)
from pipeline.cli.explanation import show_explanation
from pipeline.cli.quiet import quiet_tensorflow
from pipeline.cli.row import given_row


def explain(
    config: ConfigArgument,
    customer: Annotated[
        Optional[str], typer.Option("--id", metavar="X", help="A customer of the last run's data.")
    ] = None,
    row: Annotated[
        Optional[str],
        typer.Option("--row", metavar="JSON", help="""A customer given directly: '{"age": 34}'."""),
    ] = None,
    row_file: Annotated[
        Optional[str], typer.Option("--row-file", metavar="FILE", help="The same, in a file.")
    ] = None,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain one customer: the segment, how typical, what decides, and what would move the customer elsewhere."""
    with errors_for_people(as_json):
        loaded, place = load(config, overrides, workspace)
        if sum(each is not None for each in (customer, row, row_file)) != 1:
            raise ConfigError("say which customer: one of --id, --row and --row-file")
        given = given_row(row, row_file)
        version = served_version(place.serving)
        if version is None:
            raise ConfigError(f"no model is served in {place.root} yet; 'segments run {config}' makes one")
        quiet_tensorflow()
        # Here, not at the top: it loads TensorFlow, which `segments --help` does without.
        from pipeline.explaining import explain_customer, explain_row

        if given is None:
            content = explain_customer(loaded, place, version, str(customer))
        else:
            content = explain_row(loaded, place, version, given, row_file or "--row")
    if as_json:
        print_json({"status": "ok", **content})
    else:
        show_explanation(content, loaded.report.customers)
