"""`segments check`: is the config right, is the data there, what would happen to each column."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from components.example_gen.source import Source, resolve_source
from configs.pipeline import PipelineConfig
from configs.preparation import ENCODE_OPTIONS, CategoricalOptions, Clip, ClipOptions, NumericOptions
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
from pipeline.text_models import text_model_digests
from transforms.plan import BlockFeature, FrequencyFeature, OrdinalFeature


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
        text_model_digests(loaded)
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
        steps = [
            _clip(options.clip),
            f"missing: {options.impute}",
            "log1p" if options.log1p else "",
            _normalized(options),
        ]
        treatments[number.name] = "numeric: " + _steps(steps, options.weight)
    for text in plan.texts:
        categories = text.options
        steps = [categories.encode, _encoding(categories), _normalized_text(text)]
        treatments[text.name] = "categorical: " + _steps(steps, categories.weight)
    if config.selection.is_on:
        droppable = set(plan.names) - set(config.selection.keep)
        treatments.update({name: f"{treatments[name]}, unless it is dropped" for name in sorted(droppable)})
        if config.selection.target:
            treatments[config.selection.target] = "not a feature: the target of selection"
    return treatments


def _clip(clip: Clip) -> str:
    if not isinstance(clip, ClipOptions):
        return ""
    if clip.quantiles:
        return f"clip at the quantiles {clip.quantiles[0]:g} and {clip.quantiles[1]:g}"
    bounds = [f"{word} {value:g}" for word, value in (("below", clip.min), ("above", clip.max))
              if value is not None]  # fmt: skip
    return "clip " + " and ".join(bounds)


def _normalized(options: NumericOptions) -> str:
    if options.range:
        return f"{options.normalize} to {options.range[0]:g}..{options.range[1]:g}"
    return options.normalize


def _normalized_text(feature: OrdinalFeature | FrequencyFeature | BlockFeature) -> str:
    return "" if isinstance(feature, BlockFeature) else _normalized(feature.scaling)


def _encoding(options: CategoricalOptions) -> str:
    """What the encoding is told."""
    if options.encode in ENCODE_OPTIONS["max_categories"]:
        most = f"at most {options.most_categories} categories"
        return most if options.encode != "multi_hot" else f"{most} between '{options.separator or ','}'"
    told = {
        "hashed": f"into {options.buckets} buckets",
        "cyclic": f"period {options.period:g} from {options.start or 0:g}" if options.period else "",
        "embedding": f"by {options.model}",
    }
    return told.get(options.encode, "")


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
