"""`segments check`: is the config right, is the data there, what would happen to each column."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from components.example_gen.source import Source, resolve_source
from configs.pipeline import PipelineConfig
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
from pipeline.columns import planned_features
from pipeline.plan import schema_digest


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
        schema_digest(loaded)
        content: dict[str, Any] = {
            "status": "ok",
            "name": loaded.name,
            "files": list(source.files),
            "span": source.span_name,
            "spans": source.span_names,
            "id_column": source.id_column,
            "features": {} if source.is_queried else _treatments(loaded, source),
            "k": loaded.model.k,
            "candidates": [loaded.tuner.min_k, loaded.tuner.max_k] if loaded.model.k == "auto" else None,
            "notes": _notes(loaded, source),
            "workspace": place.root,
        }
    if as_json:
        print_json(content)
    else:
        _show(content, source)


def _notes(config: PipelineConfig, source: Source) -> list[str]:
    """What is in the config and has no effect, or cannot be checked."""
    notes = ["what becomes of each column is known when the query has run"] if source.is_queried else []
    if config.model.k != "auto" and "tuner" in config.model_fields_set:
        notes.append(f"section tuner is not used: model.k is {config.model.k}, not auto")
    if "selection" in config.model_fields_set and not config.selection.is_on:
        notes.append("section selection is not used: selection.method is off")
    return notes


def _treatments(config: PipelineConfig, source: Source) -> dict[str, str]:
    """What becomes of each column of the customer table but the id."""
    plan = planned_features(config, source)
    treatments = {name: "not a feature" for name in source.customer_columns if name != source.id_name}
    for number in plan.numeric:
        options = number.options
        steps = [f"missing: {options.impute}", "log1p" if options.log1p else "", options.normalize]
        treatments[number.name] = "numeric: " + _steps(steps, options.weight)
    for text in plan.texts:
        categories = text.options
        most = f"at most {categories.max_categories} categories" if categories.encode == "one_hot" else ""
        treatments[text.name] = "categorical: " + _steps([categories.encode, most], categories.weight)
    if config.selection.is_on:
        droppable = set(plan.names) - set(config.selection.keep)
        treatments.update({name: f"{treatments[name]}, unless it is dropped" for name in sorted(droppable)})
        if config.selection.target:
            treatments[config.selection.target] = "not a feature: the target of selection"
    return treatments


def _steps(steps: list[str], weight: float) -> str:
    return ", ".join(filter(None, [*steps, "" if weight == 1.0 else f"weight {weight:g}"]))


def _show(content: dict[str, Any], source: Source) -> None:
    files = content["files"]
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    names = source.span_names
    span = f" (span{'s' if len(names) > 1 else ''} {', '.join(map(str, names))})" if names else ""
    out.print(f"[bold]{content['name']}[/]: {escape(files[0])}{more}{span}")
    identity = source.id_column or "none; row numbers stand in, so customers cannot be followed between runs"
    out.print(f"customer id: {identity}", markup=False)
    table = Table("column", "what becomes of it", box=None, pad_edge=False, header_style="bold")
    for column, treatment in content["features"].items():
        table.add_row(escape(column), escape(treatment))
    out.print(table)
    for note in content["notes"]:
        out.print(f"note: {note}", markup=False)
    tried = " (from {} to {})".format(*content["candidates"]) if content["candidates"] else ""
    out.print(f"k = {content['k']}{tried}, workspace {content['workspace']}", markup=False)
