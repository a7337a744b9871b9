"""`report.json`: what `segments run --json` shows, and the data of every figure. Strict JSON."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from components.report.content import Content
from components.report.figures.distributions import QUANTILES, Distribution, Strip
from components.report.figures.profiles import Row
from components.report.figures.scatter import Scatter
from components.report.figures.silhouette import SilhouettePlot


def as_json(content: Content, report_path: str) -> dict[str, Any]:
    """Everything on the page as plain values.

    Args:
      content: the page.
      report_path: where it is published.
    """
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
                {
                    key: getattr(segment, key)
                    for key in ("id", "name", "size", "share", "share_before", "description")
                }
                for segment in content.segments
            ],
            "figures": {
                "numeric": [_row(row) for row in content.numeric],
                "categorical": [
                    {"name": category.name, "values": [_row(row) for row in category.rows]}
                    for category in content.categorical
                ],
                "distributions": {
                    "customers": content.pictures.sampled,
                    "columns": [_distribution(figure) for figure in content.distributions],
                },
                "scatter": _scatter(content.pictures.scatter),
                "silhouette": _silhouette(content.pictures.silhouette),
            },
            "sweep": facts.sweep or None,
            "migration": facts.migration or None,
            "drift": facts.drift or None,
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


def _distribution(figure: Distribution) -> dict[str, Any]:
    return {
        "name": figure.name,
        "edges": figure.edges,
        "quantiles": QUANTILES,
        "all": _strip(figure.everyone),
        "segments": [{"id": strip.id, **_strip(strip)} for strip in figure.strips],
    }


def _strip(strip: Strip) -> dict[str, Any]:
    return {"count": strip.count, "shares": strip.shares, "quantiles": strip.quantiles}


def _scatter(scatter: Scatter | None) -> dict[str, Any] | None:
    if scatter is None:
        return None
    return {
        "split": scatter.split,
        "customers": scatter.customers,
        "explained": scatter.explained,
        "axes": scatter.axes,
        "segments": [
            {"id": g.id, "points": g.points, "centroid": g.centroid, "neighbours": g.neighbours}
            for g in scatter.groups
        ],
    }


def _silhouette(plot: SilhouettePlot | None) -> dict[str, Any] | None:
    if plot is None:
        return None
    return {
        "split": plot.split,
        "customers": plot.rows,
        "mean": plot.mean,
        "below_zero": plot.below,
        "segments": [
            {"id": b.id, "customers": b.count, "mean": b.mean, "below_zero": b.below, "values": b.values}
            for b in plot.blades
        ],
    }


def _strict(value: Any) -> Any:
    """JSON has neither NaN nor infinities: null stands for both."""
    if isinstance(value, dict):
        return {key: _strict(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
