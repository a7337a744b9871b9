"""Section `features`: how each column becomes coordinates of a customer."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Union

from pydantic import Field, field_validator, model_validator

from configs.condition import Column
from configs.section import Section

Normalize = Literal["zscore", "minmax", "none"]
Impute = Union[Literal["mean", "median"], float]
Encode = Literal["one_hot", "ordinal"]


class NumericOptions(Section):
    """How a numeric column is prepared, in this order: impute, log1p, normalize, weight."""

    normalize: Normalize = "zscore"
    log1p: bool = Field(False, description="sign(x) * log(1 + |x|) before normalizing, for skewed amounts")
    impute: Impute = Field(
        "mean", description="what stands for a missing value, after log1p where statistical"
    )
    weight: Annotated[float, Field(gt=0)] = 1.0


class CategoricalOptions(Section):
    """How a categorical column is encoded."""

    encode: Encode = "one_hot"
    order: list[str] | None = Field(None, description="ordinal: the categories from lowest to highest")
    max_categories: Annotated[int, Field(ge=1, le=10_000)] = Field(
        32, description="the most frequent ones are kept, the others share one place"
    )
    weight: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _ordinal_has_an_order(self) -> CategoricalOptions:
        if self.encode == "ordinal" and not self.order:
            raise ValueError("encode: ordinal needs 'order', the categories from lowest to highest")
        if self.encode != "ordinal" and self.order:
            raise ValueError("'order' needs encode: ordinal")
        if self.order and len(set(self.order)) != len(self.order):
            raise ValueError("'order' names a category twice")
        return self


_NUMERIC_ONLY = {"normalize", "log1p", "impute"}
_CATEGORICAL_ONLY = {"encode", "order", "max_categories"}


class FeatureConfig(Section):
    """Choices for one column; what is not said comes from `features.numeric` or `features.categorical`."""

    type: Literal["auto", "numeric", "categorical"] = "auto"
    normalize: Normalize | None = None
    log1p: bool | None = None
    impute: Impute | None = None
    encode: Encode | None = None
    order: list[str] | None = None
    max_categories: Annotated[int, Field(ge=1, le=10_000)] | None = None
    weight: Annotated[float, Field(gt=0)] | None = None

    @field_validator("order", mode="before")
    @classmethod
    def _order_as_text(cls, value: Any) -> Any:
        # YAML reads `order: [0, 1, 2]` as numbers; categories are text everywhere else.
        if not isinstance(value, list):
            return value
        if any(isinstance(item, bool) for item in value):
            raise ValueError("holds true or false: YAML reads yes, no, on and off so; put quotes around them")
        return [str(item) for item in value]

    @model_validator(mode="after")
    def _options_fit_the_type(self) -> FeatureConfig:
        numeric, categorical = self._said(_NUMERIC_ONLY), self._said(_CATEGORICAL_ONLY)
        if numeric and (categorical or self.type == "categorical"):
            raise ValueError(f"'{min(numeric)}' is for numeric features, this one is categorical")
        if categorical and self.type == "numeric":
            raise ValueError(f"'{min(categorical)}' is for categorical features, this one is numeric")
        return self

    @property
    def kind(self) -> Literal["numeric", "categorical"] | None:
        """The type, said or implied by an option; None where the data decides."""
        if self.type != "auto":
            return self.type
        if self._said(_NUMERIC_ONLY):
            return "numeric"
        if self._said(_CATEGORICAL_ONLY):
            return "categorical"
        return None

    def _said(self, names: set[str]) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    def numeric(self, defaults: NumericOptions) -> NumericOptions:
        """These choices over the defaults of numeric features."""
        return NumericOptions(**{**defaults.model_dump(), **self._said(_NUMERIC_ONLY | {"weight"})})

    def categorical(self, defaults: CategoricalOptions) -> CategoricalOptions:
        """These choices over the defaults of categorical features."""
        return CategoricalOptions(**{**defaults.model_dump(), **self._said(_CATEGORICAL_ONLY | {"weight"})})


class FeaturesConfig(Section):
    """Which columns make up a customer. By default: every column but the id."""

    include: list[Column] | None = Field(None, description="only these columns")
    exclude: list[Column] = Field(default_factory=list, description="all columns but these")
    numeric: NumericOptions = Field(default_factory=NumericOptions)
    categorical: CategoricalOptions = Field(default_factory=CategoricalOptions)
    columns: dict[Column, FeatureConfig] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _consistent(self) -> FeaturesConfig:
        if self.include is not None and not self.include:
            raise ValueError("'include' must name at least one column")
        left_out = set(self.exclude)
        for source, names in (("include", self.include or []), ("columns", self.columns)):
            both = sorted(left_out & set(names))
            if both:
                raise ValueError(f"'{both[0]}' is in both '{source}' and 'exclude'")
        for name, feature in self.columns.items():
            try:
                if feature.kind == "numeric":
                    feature.numeric(self.numeric)
                elif feature.kind == "categorical":
                    feature.categorical(self.categorical)
            except ValueError as error:
                raise ValueError(f"columns.{name}: {_first_message(error)}") from error
        return self

    @property
    def named_columns(self) -> dict[str, str]:
        """Customer columns that this section names -> the key that names them."""
        named = dict.fromkeys(self.columns, "features.columns")
        named.update(dict.fromkeys(self.exclude, "features.exclude"))
        named.update(dict.fromkeys(self.include or [], "features.include"))
        return named

    def selects(self, column: str) -> bool:
        """Whether a column of the customer table is a feature."""
        if self.include is not None:
            return column in self.include
        return column not in self.exclude


def _first_message(error: ValueError) -> str:
    details = getattr(error, "errors", None)
    message = details()[0]["msg"] if details else str(error)
    return message.removeprefix("Value error, ")
