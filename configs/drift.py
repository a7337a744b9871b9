"""Section `drift`: how far today's customers may be from those that the served model was made from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from configs.data import Column
from configs.section import Section

Share = Annotated[float, Field(ge=0, le=1)]


class FeatureDriftConfig(Section):
    """Thresholds of single features; null switches a comparison off."""

    numeric: Share | None = Field(
        0.05, description="Jensen-Shannon divergence in bits: 0 the same, 1 nothing in common"
    )
    categorical: Share | None = Field(0.1, description="largest change of a category's share (L-infinity)")
    missing: Share | None = Field(0.1, description="change of the share of customers without a value")
    columns: dict[Column, Share | None] = Field(
        default_factory=dict, description="column -> its own numeric or categorical threshold"
    )

    def threshold(self, column: str, kind: Literal["numeric", "categorical"]) -> float | None:
        """The threshold of a column's values; None where they are not compared."""
        if column in self.columns:
            return self.columns[column]
        return self.numeric if kind == "numeric" else self.categorical


class DriftConfig(Section):
    """Thresholds between the data that the served model was made from and today's; null switches one off."""

    action: Literal["warn", "retrain", "stop"] = Field(
        "warn",
        description="warn: new data always makes a new model; retrain: only drift does, else the served model is kept "
        "and assigns the new customers; stop: drift ends the run",
    )
    features: FeatureDriftConfig = Field(default_factory=FeatureDriftConfig)
    requests: list[str] | None = Field(
        None,
        description="files of the rows that the served model was asked about; the customers that it was made from are "
        "compared with them",
    )
    segments: Annotated[float, Field(ge=0)] | None = Field(
        0.25, description="population stability index of the segments' shares"
    )
    distance: Share | None = Field(
        0.1, description="Kolmogorov-Smirnov distance of the distances to the centroids"
    )
    outliers: Share | None = Field(0.05, description="rise of the share of outliers")
    max_customers: Annotated[int, Field(ge=100)] = Field(
        50_000, description="of more than this, only the held-out ones are assigned by the served model"
    )

    @field_validator("requests", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value
