"""Section `evaluation`: which model is good enough to be served."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from configs.condition import Column
from configs.section import Section

MetricName = Literal[
    "silhouette",
    "silhouette_sampled",
    "davies_bouldin",
    "calinski_harabasz",
    "dunn",
    "dunn_generalized",
    "stability",
    "inertia_ratio",
    "inertia",
    "inertia_per_customer",
    "smallest_segment_share",
    "largest_segment_share",
    "effective_segments",
    "outlier_share",
]

HIGHER_IS_BETTER: dict[str, bool] = {
    "silhouette": True,
    "silhouette_sampled": True,
    "davies_bouldin": False,
    "calinski_harabasz": True,
    "dunn": True,
    "dunn_generalized": True,
    "stability": True,
    "inertia_ratio": False,
    "inertia": False,
    "inertia_per_customer": False,
    "smallest_segment_share": True,
    "largest_segment_share": False,
    "effective_segments": True,
    "outlier_share": False,
}

# Computed from a sample of the customers, and for all of them together only.
SAMPLED: tuple[str, ...] = ("silhouette_sampled", "dunn", "stability", "inertia_ratio")

# These mean the same for two models only if both measure in the same transformed space: sums of squares and the
# extremes of distances change with every feature, where a silhouette stays between -1 and 1.
NEEDS_SAME_SPACE: frozenset[str] = frozenset(
    {"inertia", "inertia_per_customer", "calinski_harabasz", "dunn", "dunn_generalized"}
)

# And these only if both have the same number of segments: whatever the data, they move with it. Shares are bounded by
# 1/k, inertia can only fall as k grows, and so can the smallest of a growing number of distances.
NEEDS_SAME_K: frozenset[str] = NEEDS_SAME_SPACE | {
    "smallest_segment_share",
    "largest_segment_share",
    "effective_segments",
}


class Threshold(Section):
    """Bounds of a metric. `max_regression` is how much worse than the served model's it may be, in its units.

    A metric that is undefined, or could not be computed, holds no bound.
    """

    min: float | None = None
    max: float | None = None
    max_regression: Annotated[float, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _possible(self) -> Threshold:
        if self.min is None and self.max is None and self.max_regression is None:
            raise ValueError("needs 'min', 'max' or 'max_regression'")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min:g} is above max {self.max:g}")
        return self


# Refuse silly models without configuration: customers closer to another segment than to their own, clearly worse
# separation than now, segments that other customers would not bring out again, centroids that are not fitted to the
# customers, a sliver of a segment. docs/metrics.md has the measurements behind 0.3 and 1.2.
DEFAULT_THRESHOLDS: dict[str, Threshold] = {
    "silhouette": Threshold(min=0.0, max_regression=0.05),
    "stability": Threshold(min=0.3),
    "inertia_ratio": Threshold(max=1.2),
    "smallest_segment_share": Threshold(min=0.01),
}


class EvaluationConfig(Section):
    """Thresholds on the evaluation split; those not named here keep their defaults, null removes one."""

    thresholds: dict[MetricName, Threshold | None] = Field(default_factory=dict, validate_default=True)
    slices: list[Column] = Field(
        default_factory=list, description="metrics are also computed per value of these"
    )
    pairs_customers: Annotated[int, Field(ge=2, le=50_000)] = Field(
        5_000, description="customers at most whose pairs silhouette_sampled and dunn look at"
    )
    stability_customers: Annotated[int, Field(ge=2)] = Field(
        20_000, description="customers at most that stability and inertia_ratio cluster anew"
    )
    stability_resamples: Annotated[int, Field(ge=1, le=1_000)] = Field(
        5, description="random halves of them that are fitted to"
    )

    @field_validator("thresholds", mode="after")
    @classmethod
    def _over_defaults(cls, value: dict[str, Threshold | None]) -> dict[str, Threshold | None]:
        return {**DEFAULT_THRESHOLDS, **value}

    @property
    def active_thresholds(self) -> dict[str, Threshold]:
        """Metric -> threshold, without those switched off."""
        return {name: t for name, t in self.thresholds.items() if t is not None}

    def least(self, metric: str) -> float | None:
        """The lowest value of a metric that is let through, if there is such a bound."""
        threshold = self.active_thresholds.get(metric)
        return threshold.min if threshold else None
