"""Metrics and thresholds as the page shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from components.evaluator.verdict import SliceMetrics, ThresholdResult, Verdict
from components.trainer.words import format_number, format_share, in_words

# Metric -> its name for people, and what it tells, in a line, with the word for customers. In the order of the page.
MEANINGS = {
    "silhouette": (
        "Silhouette",
        "How much closer {customers} are to their own segment than to the next, by squared distance: 1 is far "
        "apart, 0 is touching, below 0 is mixed up. Higher is better.",
    ),
    "stability": (
        "Stability",
        "Whether the same segments come back when the model is fitted on another draw of the {customers}: 1 is "
        "the same, 0 is chance (adjusted Rand index). Higher is better.",
    ),
    "inertia_ratio": (
        "Inertia ratio",
        "How much farther {customers} are from the centres than in models fitted anew to them, by squared "
        "distance: 1 is as near. Lower is better.",
    ),
    "smallest_segment_share": (
        "Smallest segment",
        "The share of {customers} in the smallest segment: a sliver is seldom worth a campaign of its own.",
    ),
    "silhouette_sampled": (
        "Silhouette, sampled",
        "The silhouette by plain distance, as textbooks define it, on a sample. Higher is better.",
    ),
    "davies_bouldin": (
        "Davies-Bouldin index",
        "How much each segment overlaps with the one most like it, in the mean: 0 is not at all. "
        "Lower is better.",
    ),
    "calinski_harabasz": (
        "Calinski-Harabasz index",
        "How far the segments are spread out, compared with the spread inside them. Higher is better.",
    ),
    "dunn": (
        "Dunn index",
        "The smallest gap between two segments over the widest segment. One odd customer can set it. "
        "Higher is better.",
    ),
    "dunn_generalized": (
        "Dunn index, generalized",
        "The same with means in place of extremes, so that one odd customer does not set it. Higher is better.",
    ),
    "largest_segment_share": (
        "Largest segment",
        "The share of {customers} in the largest segment: near 100% the others hardly matter.",
    ),
    "effective_segments": (
        "Effective segments",
        "So many segments of equal size would be as evenly filled (the exponential of the entropy of the "
        "shares). The number of segments is the most.",
    ),
    "outlier_share": (
        "Outliers",
        "The share of {customers} who lie far from every segment.",
    ),
    "inertia_per_customer": (
        "Inertia per customer",
        "The mean squared distance of {customers} from the centre of their segment, in the model's own units. "
        "Lower is better, for the same features.",
    ),
    "inertia": (
        "Inertia",
        "The sum of the squared distances of {customers} from the centre of their segment: it grows with their "
        "number.",
    ),
}
HEADLINES = ("silhouette", "stability", "smallest_segment_share")
"""Shown at once; so is every metric with a threshold that did not hold."""


@dataclasses.dataclass(frozen=True)
class MetricView:
    """A metric of the model.

    Attributes:
      name, label, meaning: as in the verdict, for people, and what it tells ("" where unknown).
      value: the candidate's.
      baseline: the served model's on the same customers; None where it was not compared.
      rows: how many customers it comes from; None where that is not said.
      headline: whether it is shown at once.
    """

    name: str
    label: str
    meaning: str
    value: float
    baseline: float | None
    rows: int | None
    headline: bool

    def text(self, value: float | None) -> str:
        """A value of this metric as shown."""
        return metric_text(self.name, value)


@dataclasses.dataclass(frozen=True)
class ThresholdView:
    """A threshold: one line of the table.

    Attributes:
      label: the metric's.
      value, bound, served: as shown; `served` is the served model's value.
      state: `held`, `unmet`, or `open` where there was nothing to compare with.
      result: what the verdict says.
    """

    label: str
    value: str
    bound: str
    served: str
    state: str
    result: ThresholdResult


@dataclasses.dataclass(frozen=True)
class SliceTable:
    """The metrics on the customers with each value of a column: metric names, and the slices."""

    column: str
    label: str
    metrics: list[MetricView]
    slices: list[SliceMetrics]


def metric_text(name: str, value: float | None) -> str:
    """A metric's value as shown; shares are percentages."""
    return format_share(value) if name.endswith("_share") else format_number(value)


def label_of(name: str) -> str:
    """A metric's name for people."""
    return MEANINGS[name][0] if name in MEANINGS else in_words(name)


def metric_views(verdict: Verdict, customers_word: str) -> list[MetricView]:
    """Every metric of the verdict, in the order of the page.

    Args:
      verdict: the evaluation.
      customers_word: what customers are called.
    """
    unmet = {item.metric for item in verdict.thresholds if not item.held}
    known = [name for name in MEANINGS if name in verdict.metrics]
    return [
        MetricView(
            name=name,
            label=label_of(name),
            meaning=MEANINGS[name][1].format(customers=customers_word) if name in MEANINGS else "",
            value=verdict.metrics[name],
            baseline=verdict.baseline_metrics.get(name),
            rows=verdict.rows.get(name),
            headline=name in HEADLINES or name in unmet,
        )
        for name in [*known, *sorted(set(verdict.metrics) - set(known))]
    ]


def threshold_views(verdict: Verdict) -> list[ThresholdView]:
    """The thresholds that did not hold first, else as the configuration orders them."""
    return sorted(
        (_threshold(item, verdict) for item in verdict.thresholds), key=lambda view: view.state != "unmet"
    )


def _threshold(item: ThresholdResult, verdict: Verdict) -> ThresholdView:
    said = {"min": "at least {}", "max": "at most {}", "max_regression": "at most {} worse than in service"}
    served = verdict.baseline_metrics.get(item.metric)
    compared = item.kind == "max_regression"
    return ThresholdView(
        label=label_of(item.metric),
        value=metric_text(item.metric, item.value),
        bound=said[item.kind].format(metric_text(item.metric, item.bound)),
        served=metric_text(item.metric, served) if compared or served is not None else "",
        state="unmet" if not item.held else "held" if item.compared else "open",
        result=item,
    )


def slice_tables(slices: Sequence[SliceMetrics], metrics: Sequence[MetricView]) -> list[SliceTable]:
    """A table per sliced column, with the metrics that any of its slices has."""
    columns: dict[str, list[SliceMetrics]] = {}
    for item in slices:
        columns.setdefault(item.column, []).append(item)
    return [
        SliceTable(
            column=column,
            label=in_words(column),
            metrics=[metric for metric in metrics if any(metric.name in item.metrics for item in found)],
            slices=found,
        )
        for column, found in columns.items()
    ]
