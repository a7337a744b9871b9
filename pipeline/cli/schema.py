"""`segments schema`: infer a schema from the data, write it for curating, show what differs from a curated one."""

from __future__ import annotations

import os
from typing import Annotated, Optional

import typer
from rich.markup import escape
from rich.table import Table

from configs.errors import ConfigError
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
from pipeline.local.events import RESULT
from pipeline.local.run import EXIT_CODES, infer_schema


def schema(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    write: Annotated[
        Optional[str], typer.Option("--write", metavar="FILE", help="Write the inferred schema there.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Let --write replace an existing file.")] = False,
) -> None:
    """Show the schema that the data has now, and how it differs from the curated one (validation.schema)."""
    with errors_for_people(as_json):
        loaded, place = load(config, overrides, workspace)
        if write and os.path.exists(write) and not replace:
            raise ConfigError(f"{write} is there already; --replace overwrites it")
        if write and not os.access(os.path.dirname(os.path.abspath(write)), os.W_OK):
            raise ConfigError(f"--write {write}: its folder is missing or cannot be written")
        with Progress(err if as_json else out) as progress:
            outcome = infer_schema(loaded, place, progress.on_event)
        if outcome.kind != RESULT:
            result = {
                "status": outcome.kind,
                "component": outcome.node,
                "message": outcome.message,
                "log": os.path.join(place.logs, "schema.log"),
            }
            print_json(result) if as_json else show_result(result, "")
            raise typer.Exit(EXIT_CODES[outcome.kind])
        text = outcome.content["schema"]
        if write:
            with open(write, "w") as file:
                file.write(text)
        _show(text, loaded.validation.schema_path, write, as_json)


def _show(text: str, curated_path: str | None, written: str | None, as_json: bool) -> None:
    # Here, not at the top: the other commands need no protocol buffers.
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from pipeline.schema_file import describe_feature, read_schema, schema_differences

    inferred = text_format.Parse(text, schema_pb2.Schema())
    features = {feature.name: describe_feature(feature, inferred) for feature in inferred.feature}
    differences = schema_differences(read_schema(curated_path), inferred) if curated_path else None
    if as_json:
        print_json({"status": "ok", "features": features, "differences": differences, "written": written})
        return
    table = Table("feature", "type", "presence", "domain", box=None, pad_edge=False, header_style="bold")
    for name, aspects in features.items():
        table.add_row(*(escape(text) for text in (name, *aspects.values())))
    out.print(table)
    if differences is not None:
        out.print(
            f"\n{len(differences)} differences from {curated_path}"
            if differences
            else f"\nno difference from {curated_path}",
            markup=False,
        )
        for line in differences:
            out.print(f"  {line}", markup=False)
    if written:
        out.print(f"\nwritten to {written}; name it as validation.schema after curating it", markup=False)
