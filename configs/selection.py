"""Section `selection`: which of the features the model is made of."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.condition import Column
from configs.features import FeaturesConfig
from configs.section import Section

Method = Literal["off", "auto", "filters", "unsupervised", "importances", "rfe"]
Share = Annotated[float, Field(ge=0, le=1)]


class FiltersConfig(Section):
    """What a feature must not be; null switches a filter off."""

    missing: Share | None = Field(
        0.5, description="dropped where a larger share of the customers has no value"
    )
    near_constant: Share | None = Field(
        0.99,
        description="dropped where so large a share of the customers, or a larger one, has the same value",
    )
    correlated: Share | None = Field(
        0.95, description="dropped where it is associated more strongly than this with a feature that is kept"
    )


class SelectionConfig(Section):
    """Which features are dropped before anything is transformed; off by default."""

    method: Method = Field("off", description="how the features are judged that pass the filters")
    target: Column | None = Field(
        None, description="column that features are to tell, such as churn; never a feature itself"
    )
    filters: FiltersConfig = Field(default_factory=FiltersConfig)
    max_features: Annotated[int, Field(ge=1)] | None = Field(None, description="at most so many, the best")
    min_features: Annotated[int, Field(ge=1)] = Field(
        2, description="scores drop no more than leaves so many; filters may"
    )
    keep: list[Column] = Field(default_factory=list, description="never dropped")
    leak: Share | None = Field(
        0.98,
        description="warned of: a feature that alone tells the target so well (ROC AUC, or R2); null: no warning",
    )
    hysteresis: Share = Field(
        0.5, description="how much more it takes to drop what the served model uses: docs/selection.md"
    )
    sample: Annotated[int, Field(ge=100)] = Field(20_000, description="customers at most that are looked at")
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0

    @field_validator("method", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        # YAML reads a bare `off` as false.
        return "off" if value is False else value

    @model_validator(mode="after")
    def _consistent(self) -> SelectionConfig:
        if self.target is not None and self.target in self.keep:
            raise ValueError(f"'{self.target}' is both 'target' and in 'keep': a target is never a feature")
        if len(set(self.keep)) != len(self.keep):
            raise ValueError("'keep' names a column twice")
        if self.max_features is None:
            return self
        if self.method == "filters":
            raise ValueError("'max_features' needs scores to rank by: method filters has none")
        if "min_features" in self.model_fields_set and self.min_features > self.max_features:
            raise ValueError(f"min_features {self.min_features} is above max_features {self.max_features}")
        if len(self.keep) > self.max_features:
            raise ValueError(f"'keep' names {len(self.keep)} columns, max_features is {self.max_features}")
        return self

    @property
    def is_on(self) -> bool:
        """Whether features are selected at all."""
        return self.method != "off"

    @property
    def is_scored_by_segments(self) -> bool:
        """Whether provisional segments may stand in for a target."""
        return self.target is None and self.method in ("importances", "rfe")

    @property
    def fewest(self) -> int:
        """What scores leave at least."""
        return self.min_features if self.max_features is None else min(self.min_features, self.max_features)

    @property
    def named_columns(self) -> dict[str, str]:
        """Customer columns that this section names -> the key that names them; none where it is off."""
        if not self.is_on:
            return {}
        named = dict.fromkeys(self.keep, "selection.keep")
        return named if self.target is None else {**named, self.target: "selection.target"}

    def check_with(self, features: FeaturesConfig) -> None:
        """Refuses what contradicts the section `features`.

        Raises:
          ValueError: the target is said to be a feature, or a column to keep is said to be none.
        """
        if not self.is_on:
            return
        for key, names in (("include", features.include or []), ("columns", features.columns)):
            if self.target in names:
                raise ValueError(
                    f"selection.target: '{self.target}' is never a feature; take it out of features.{key}"
                )
        for column in self.keep:
            if not features.selects(column):
                raise ValueError(f"selection.keep: '{column}' is no feature, as the section features says")


def features_left(features: FeaturesConfig, columns: Collection[str]) -> FeaturesConfig:
    """The section `features` where a selection has left these columns: it says nothing of others any more."""
    include = None if features.include is None else [name for name in features.include if name in columns]
    own = {name: choice for name, choice in features.columns.items() if name in columns}
    return features.model_copy(update={"include": include, "columns": own})
