"""`segments assign`: the segments of new customers, by the served model."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from components.paths import is_local
from components.served_model.versions import served_version
from configs.errors import ConfigError
from pipeline.cli.cleaning import show_cleaning
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
from pipeline.cli.quiet import quiet_tensorflow

_SUFFIXES = (".parquet", ".csv")


def assign(
    config: ConfigArgument,
    customers: Annotated[
        str,
        typer.Option(
            "--input", metavar="FILE", help="Read as the config's `data` says, in any of its formats."
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT", help="A .parquet or .csv file to write.")
    ],
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Assign new customers to segments with the served model."""
    with errors_for_people(as_json):
        loaded, place = load(config, overrides, workspace)
        _check_output(output, customers)
        version = served_version(place.serving)
        if version is None:
            raise ConfigError(f"no model is served in {place.root} yet; 'segments run {config}' makes one")
        quiet_tensorflow()
        # Here, not at the top: it loads TensorFlow, which `segments --help` does without.
        from pipeline.assigning import assign_file

        model_dir = os.path.join(place.serving, version)
        source = os.path.abspath(customers) if is_local(customers) else customers
        result = assign_file(loaded, model_dir, source, os.path.abspath(output))
    content = {"status": "ok", "version": version, **result}
    if as_json:
        print_json(content)
    else:
        _show(content, loaded.report.customers)


def _check_output(output: str, customers: str) -> None:
    if not output.endswith(_SUFFIXES):
        raise ConfigError(f"-o {output}: must end in {' or '.join(_SUFFIXES)}")
    if not os.access(os.path.dirname(os.path.abspath(output)), os.W_OK):
        raise ConfigError(f"-o {output}: its folder is missing or cannot be written")
    if os.path.exists(output) and os.path.exists(customers) and os.path.samefile(output, customers):
        raise ConfigError(f"-o {output}: is the input; name another file")


def _show(content: dict[str, Any], customers: str) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2))
    table.add_column("id", justify="right")
    table.add_column("segment")
    table.add_column(customers, justify="right")
    for segment in content["segments"]:
        table.add_row(str(segment["id"]), Text(segment["name"]), f"{segment['customers']:,}")
    out.print(table)
    show_cleaning(content)
    out.print(
        f"\n{content['customers']:,} {customers}, {content['outliers']:,} of them outliers,"
        f" by version {content['version']}: {content['output']}",
        markup=False,
    )
