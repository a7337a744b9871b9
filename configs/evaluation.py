"""Section `evaluation`: which model is good enough to be served."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from configs.data import Column
from configs.section import Section

MetricName = Literal[
    "silhouette",
    "davies_bouldin",
    "calinski_harabasz",
    "inertia_per_customer",
    "smallest_segment_share",
]

HIGHER_IS_BETTER: dict[str, bool] = {
    "silhouette": True,
    "davies_bouldin": False,
    "calinski_harabasz": True,
    "inertia_per_customer": False,
    "smallest_segment_share": True,
}

# These are measured in transformed space: they mean the same for two models only if that space is the same.
NEEDS_SAME_SPACE: frozenset[str] = frozenset({"inertia_per_customer"})


class Threshold(Section):
    """Bounds of a metric. `max_regression` is how much worse than the served model's it may be, in its units."""

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


# Refuse silly models without configuration: a sliver of a segment, or clearly worse separation than now.
DEFAULT_THRESHOLDS: dict[str, Threshold] = {
    "silhouette": Threshold(min=0.0, max_regression=0.05),
    "smallest_segment_share": Threshold(min=0.01),
}


class EvaluationConfig(Section):
    """Thresholds on the evaluation split; those not named here keep their defaults, null removes one."""

    thresholds: dict[MetricName, Threshold | None] = Field(default_factory=dict, validate_default=True)
    slices: list[Column] = Field(
        default_factory=list, description="metrics are also computed per value of these"
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
