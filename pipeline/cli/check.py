"""`segments check`: is the config right, is the data there, what would happen to each column."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from components.example_gen.source import Source, resolve_source
from configs import PipelineConfig
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


def check(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check the config and the data's columns, without running anything."""
    with errors_for_people(as_json):
        loaded, place = load(config, overrides, workspace)
        source = resolve_source(loaded)
        columns = [column for column in source.customer_columns if column != source.id_column]
        content: dict[str, Any] = {
            "status": "ok",
            "name": loaded.name,
            "files": list(source.files),
            "span": source.span,
            "id_column": source.id_column,
            "features": {column: _treatment(loaded, column) for column in columns},
            "k": loaded.model.k,
            "workspace": place.root,
        }
    if as_json:
        print_json(content)
    else:
        _show(content, source)


def _treatment(config: PipelineConfig, column: str) -> str:
    if not config.features.selects(column):
        return "not a feature"
    choice = config.features.columns.get(column)
    kind = choice.kind if choice else None
    if config.data.transactions is not None:
        kind = "numeric"
    numeric = (
        choice.numeric(config.features.numeric)
        if choice and kind != "categorical"
        else config.features.numeric
    )
    number = " ".join(
        filter(None, ["log1p" if numeric.log1p else "", numeric.normalize, f"missing: {numeric.impute}"])
    )
    if kind == "numeric":
        return f"numeric: {number}" + _weight(numeric.weight)
    categorical = (
        choice.categorical(config.features.categorical)
        if choice and kind == "categorical"
        else config.features.categorical
    )
    if kind == "categorical":
        return f"categorical: {categorical.encode}" + _weight(categorical.weight)
    return f"if numbers: {number}; if text: {categorical.encode}" + _weight(numeric.weight)


def _weight(weight: float) -> str:
    return "" if weight == 1.0 else f", weight {weight:g}"


def _show(content: dict[str, Any], source: Source) -> None:
    files = content["files"]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    span = f" (span {source.span})" if source.span is not None else ""
    out.print(f"[bold]{content['name']}[/]: {files[0]}{more}{span}")
    identity = source.id_column or "none; row numbers stand in, so customers cannot be followed between runs"
    out.print(f"customer id: {identity}")
    table = Table("column", "what becomes of it", box=None, pad_edge=False, header_style="bold")
    for column, treatment in content["features"].items():
        table.add_row(column, treatment)
    out.print(table)
    out.print(f"k = {content['k']}, workspace {content['workspace']}")
