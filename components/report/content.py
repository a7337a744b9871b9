"""What the page says, as plain values: the template prints them and `report.json` holds them."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from components.evaluator.verdict import ThresholdResult
from components.report.decision import Decision, decide
from components.report.figures.palette import segment_colour
from components.report.figures.profiles import Category, Row, categories, numeric_rows
from components.report.figures.scatter import Scatter
from components.report.inputs import RunFacts
from components.trainer.naming import describe_segment
from components.trainer.words import format_number, format_share

# Metric -> its name for people, and what it tells, in a line.
METRICS = {
    "silhouette": (
        "Silhouette",
        "How much closer customers are to their own segment than to the next: 1 is far apart, 0 is touching, "
        "below 0 is mixed up. Higher is better.",
    ),
    "davies_bouldin": (
        "Davies-Bouldin index",
        "How much the two most similar segments overlap, averaged over the segments: 0 is not at all. "
        "Lower is better.",
    ),
    "calinski_harabasz": (
        "Calinski-Harabasz index",
        "How far the segments are spread out, compared with the spread inside them. Higher is better.",
    ),
    "inertia_per_customer": (
        "Inertia per customer",
        "The mean squared distance of customers from the centre of their segment, in the model's own units. "
        "Lower is better, for the same features.",
    ),
    "smallest_segment_share": (
        "Smallest segment",
        "The share of customers in the smallest segment: a sliver is seldom worth a campaign of its own.",
    ),
}


@dataclasses.dataclass(frozen=True)
class SegmentView:
    """A segment in the list of segments.

    Attributes:
      id, name: as the model gives them.
      colour: its class.
      size, share: its customers, and their share of all.
      bar: the length of its bar, 0 to 1, the largest segment's being 1.
      description: a sentence.
    """

    id: int
    name: str
    colour: str
    size: int
    share: float
    bar: float
    description: str


@dataclasses.dataclass(frozen=True)
class MetricView:
    """A metric: its value, the served model's on the same customers, and the thresholds on it."""

    name: str
    label: str
    meaning: str
    value: float
    baseline: float | None
    thresholds: list[ThresholdResult]

    def text(self, value: float | None) -> str:
        """A value of this metric as shown."""
        return format_share(value) if self.name.endswith("_share") else format_number(value)


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
      numeric: the heat map of numeric columns, the most telling first.
      categorical: those of categorical columns, the most telling first.
      scatter: the picture; None where the model did not answer.
      no_scatter: why not.
      metrics: with thresholds.
      facts: everything else.
    """

    title: str
    customers_word: str
    run_id: str
    made_at: str
    decision: Decision
    segments: list[SegmentView]
    numeric: list[Row]
    categorical: list[Category]
    scatter: Scatter | None
    no_scatter: str
    metrics: list[MetricView]
    facts: RunFacts


def build_content(
    facts: RunFacts,
    *,
    title: str,
    customers_word: str,
    run_id: str,
    made_at: str,
    scatter: Scatter | None,
    no_scatter: str = "",
) -> Content:
    """Puts a run's facts into the order and the words of the page."""
    described = facts.segments["segments"]
    population = facts.segments["population"]["profile"]
    profiles = [segment["profile"] for segment in described]
    largest = max(facts.sizes.values(), default=0) or 1
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
        ),
        segments=[
            SegmentView(
                id=segment["id"],
                name=segment["name"],
                colour=segment_colour(position),
                size=facts.sizes[segment["id"]],
                share=facts.share(segment["id"]),
                bar=facts.sizes[segment["id"]] / largest,
                description=describe_segment(population, segment["profile"], segment["size"], customers_word),
            )
            for position, segment in enumerate(described)
        ],
        numeric=sorted(numeric_rows(population, profiles), key=lambda row: -row.strength),
        categorical=sorted(categories(population, profiles), key=lambda category: -category.strength),
        scatter=scatter,
        no_scatter=no_scatter,
        metrics=_metrics(facts),
        facts=facts,
    )


def _metrics(facts: RunFacts) -> list[MetricView]:
    evaluation = facts.evaluation
    views = []
    known = [name for name in METRICS if name in evaluation.metrics]
    for name in [*known, *sorted(set(evaluation.metrics) - set(known))]:
        label, meaning = METRICS.get(name, (name.replace("_", " "), ""))
        thresholds = [item for item in evaluation.thresholds if item.metric == name]
        baseline = evaluation.baseline_metrics.get(name)
        views.append(MetricView(name, label, meaning, evaluation.metrics[name], baseline, thresholds))
    return views


def as_json(content: Content, report_path: str) -> dict[str, Any]:
    """`report.json`: what `segments run --json` shows, and the data of every figure. Strict JSON."""
    facts, evaluation = content.facts, content.facts.evaluation
    return _strict(
        {
            "run_id": content.run_id,
            "status": content.decision.status,
            "headline": content.decision.headline,
            "consequence": content.decision.consequence,
            "reasons": content.decision.reasons,
            "made_at": content.made_at,
            "model": facts.pushed_destination,
            "version": facts.pushed_version,
            "served_before": facts.served_before,
            "assignments": facts.assignments,
            "report": report_path,
            "k": len(content.segments),
            "customers": facts.customers,
            "counted": facts.counted,
            "sizes_from": "assignments" if facts.assignments else "training",
            "metrics": evaluation.metrics,
            "baseline_metrics": evaluation.baseline_metrics,
            "metric_rows": evaluation.rows,
            "thresholds": [dataclasses.asdict(item) for item in evaluation.thresholds],
            "slices": [dataclasses.asdict(item) for item in evaluation.slices],
            "segments": [
                {key: getattr(segment, key) for key in ("id", "name", "size", "share", "description")}
                for segment in content.segments
            ],
            "figures": {
                "numeric": [_row(row) for row in content.numeric],
                "categorical": [
                    {"name": category.name, "values": [_row(row) for row in category.rows]}
                    for category in content.categorical
                ],
                "scatter": _scatter(content.scatter),
            },
            "data": {**facts.ingest, **(facts.segments.get("data") or {})},
            "gate": facts.gate,
            "columns": [dataclasses.asdict(column) for column in facts.columns],
            "config_hash": facts.segments.get("config_hash"),
            "parent": {"version": facts.served_before} if facts.served_before else None,
            "fit": facts.segments.get("fit"),
            "versions": facts.segments.get("versions"),
        }
    )


def _row(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "statistic": row.statistic,
        "all": row.everyone,
        "segments": [{"value": cell.value, "difference": cell.difference} for cell in row.cells],
    }


def _scatter(scatter: Scatter | None) -> dict[str, Any] | None:
    if scatter is None:
        return None
    return {
        "split": scatter.split,
        "customers": scatter.customers,
        "explained": scatter.explained,
        "axes": scatter.axes,
        "segments": [{"id": g.id, "points": g.points, "centroid": g.centroid} for g in scatter.groups],
    }


def _strict(value: Any) -> Any:
    """JSON has neither NaN nor infinities: null stands for both."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
