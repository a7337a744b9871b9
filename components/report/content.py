"""What the page says, as plain values: the template prints them and `report.json` holds them."""

from __future__ import annotations

import dataclasses

from components.report.decision import Decision, decide
from components.report.figures.distributions import Distribution
from components.report.figures.growth import Growth, draw_growth
from components.report.figures.palette import segment_colours
from components.report.figures.profiles import Category, Row, categories, numeric_rows
from components.report.figures.sweep import Line, draw_sweep
from components.report.inputs import RunFacts
from components.report.metrics import (
    MetricView,
    SliceTable,
    ThresholdView,
    metric_views,
    slice_tables,
    threshold_views,
)
from components.report.migration import Migration, Version, history_of, migration_of
from components.report.pictures import Pictures
from components.trainer.naming import describe_segment
from components.tuner.sweep import Sweep, sweep_of

CANDIDATE = "this model"


@dataclasses.dataclass(frozen=True)
class SegmentView:
    """A segment in the list of segments.

    Attributes:
      id, name: as the model gives them.
      colour: its class.
      size, share: its customers, and their share of all.
      bar: the length of its bar, 0 to 1, the largest segment's being 1.
      description: a sentence.
      share_before: its share in the model that was served before; None where it had no such segment.
    """

    id: int
    name: str
    colour: str
    size: int
    share: float
    bar: float
    description: str
    share_before: float | None


@dataclasses.dataclass(frozen=True)
class Content:
    """The whole page.

    Attributes:
      title: the heading.
      customers_word: what customers are called.
      run_id: of the run.
      made_at: when the page was made, ISO 8601, UTC.
      decision: what was decided about the model.
      segments: largest bar 1.
      migration: what changed since the model that was served; None without one.
      growth: the segments over past versions; None without any.
      numeric: the heat map of numeric columns, the most telling first.
      categorical: those of categorical columns, the most telling first.
      distributions: of numeric columns, the most telling first.
      pictures: figures of sampled customers.
      metrics, thresholds, slices: the evaluation.
      sweep: the search for the number of segments; None where it was given.
      sweep_lines: its pictures.
      facts: everything else.
    """

    title: str
    customers_word: str
    run_id: str
    made_at: str
    decision: Decision
    segments: list[SegmentView]
    migration: Migration | None
    growth: Growth | None
    numeric: list[Row]
    categorical: list[Category]
    distributions: list[Distribution]
    pictures: Pictures
    metrics: list[MetricView]
    thresholds: list[ThresholdView]
    slices: list[SliceTable]
    sweep: Sweep | None
    sweep_lines: list[Line]
    facts: RunFacts


def build_content(
    facts: RunFacts, *, title: str, customers_word: str, run_id: str, made_at: str, pictures: Pictures
) -> Content:
    """Puts a run's facts into the order and the words of the page."""
    described = facts.segments["segments"]
    population = facts.segments["population"]["profile"]
    profiles = [segment["profile"] for segment in described]
    numeric = sorted(numeric_rows(population, profiles), key=lambda row: -row.strength)
    order = {row.name: place for place, row in enumerate(numeric)}
    metrics = metric_views(facts.evaluation, customers_word)
    sweep = sweep_of(facts.sweep) if facts.sweep else None
    return Content(
        title=title,
        customers_word=customers_word,
        run_id=run_id,
        made_at=made_at,
        decision=decide(
            pushed_version=facts.pushed_version,
            served_before=facts.served_before,
            verdict=facts.evaluation,
            blessed=facts.blessed,
            infra_blessed=facts.infra_blessed,
            infra_problems=facts.infra_problems,
            kept=facts.kept,
        ),
        segments=_segments(facts, customers_word),
        migration=migration_of(facts.migration, customers_word) if facts.migration else None,
        growth=_growth(facts),
        numeric=numeric,
        categorical=sorted(categories(population, profiles), key=lambda category: -category.strength),
        distributions=sorted(pictures.distributions, key=lambda figure: order.get(figure.name, len(order))),
        pictures=pictures,
        metrics=metrics,
        thresholds=threshold_views(facts.evaluation),
        slices=slice_tables(facts.evaluation.slices, metrics),
        sweep=sweep,
        sweep_lines=draw_sweep(sweep) if sweep else [],
        facts=facts,
    )


def _segments(facts: RunFacts, customers_word: str) -> list[SegmentView]:
    described = facts.segments["segments"]
    population = facts.segments["population"]["profile"]
    colours = segment_colours(segment["id"] for segment in described)
    largest = max(facts.sizes.values(), default=0) or 1
    history = history_of(facts.migration) if facts.migration else []
    before = {
        segment_id: share
        for version in history
        if version.version == facts.served_before
        for segment_id, _, share in version.segments
    }
    return [
        SegmentView(
            id=segment["id"],
            name=segment["name"],
            colour=colours[segment["id"]],
            size=facts.sizes[segment["id"]],
            share=facts.share(segment["id"]),
            bar=facts.sizes[segment["id"]] / largest,
            description=describe_segment(population, segment["profile"], segment["size"], customers_word),
            share_before=before.get(segment["id"]),
        )
        for segment in described
    ]


def _growth(facts: RunFacts) -> Growth | None:
    if not facts.migration:
        return None
    history = history_of(facts.migration)
    current = [(s["id"], s["name"], facts.share(s["id"])) for s in facts.segments["segments"]]
    past = [segment_id for version in history for segment_id, _, _ in version.segments]
    # The current segments choose first, so that their colours are those of the whole page.
    colours = segment_colours(dict.fromkeys([*(segment_id for segment_id, _, _ in current), *past]))
    label = f"version {facts.pushed_version}" if facts.pushed_version else CANDIDATE
    return draw_growth(history, Version(facts.pushed_version or "", "", current), label, colours)
