"""Section `features`: how each column becomes coordinates of a customer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from configs.condition import Column
from configs.preparation import (
    ENCODE_OPTIONS,
    NORMALIZE_OPTIONS,
    Buckets,
    CategoricalOptions,
    Categories,
    Clip,
    Encode,
    Impute,
    Normalize,
    NumericOptions,
    PcaConfig,
    Positive,
    Separator,
)
from configs.section import Section

_NUMERIC_ONLY = {"clip", "log1p", "impute", "normalize", "range"}
_CATEGORICAL_ONLY = {"encode", *ENCODE_OPTIONS}


class FeatureConfig(Section):
    """Choices for one column; what is not said comes from `features.numeric` or `features.categorical`."""

    type: Literal["auto", "numeric", "categorical"] = "auto"
    normalize: Normalize | None = None
    clip: Clip | None = None
    log1p: bool | None = None
    impute: Impute | None = None
    range: list[float] | None = None
    encode: Encode | None = None
    order: list[str] | None = None
    max_categories: Categories | None = None
    buckets: Buckets | None = None
    separator: Separator | None = None
    period: Positive | None = None
    start: float | None = None
    model: Separator | None = None
    weight: Positive | None = None

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
        said = self._said(_NUMERIC_ONLY | {"weight"})
        return NumericOptions(**_over(defaults, said, "normalize", NORMALIZE_OPTIONS))

    def categorical(self, defaults: CategoricalOptions) -> CategoricalOptions:
        """These choices over the defaults of categorical features."""
        said = self._said(_CATEGORICAL_ONLY | {"weight"})
        return CategoricalOptions(**_over(defaults, said, "encode", ENCODE_OPTIONS))


def _over(
    defaults: Section, said: Mapping[str, Any], method: str, options: Mapping[str, tuple[str, ...]]
) -> dict[str, Any]:
    """What is said over the defaults, without those defaults that belong to another method than the one said."""
    merged = {name: getattr(defaults, name) for name in type(defaults).model_fields} | dict(said)
    left_out = {name for name, methods in options.items() if merged[method] not in methods} - set(said)
    return {name: value for name, value in merged.items() if name not in left_out}


class FeaturesConfig(Section):
    """Which columns make up a customer. By default: every column but the id."""

    include: list[Column] | None = Field(None, description="only these columns")
    exclude: list[Column] = Field(default_factory=list, description="all columns but these")
    numeric: NumericOptions = Field(default_factory=NumericOptions)
    categorical: CategoricalOptions = Field(default_factory=CategoricalOptions)
    columns: dict[Column, FeatureConfig] = Field(default_factory=dict)
    pca: PcaConfig | None = Field(None, description="principal components of the numeric coordinates")

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

    @property
    def text_models(self) -> dict[str, str]:
        """The folder of each SavedModel that is named -> a key that names it."""
        named = {self.categorical.model: "features.categorical.model"}
        named.update({f.model: f"features.columns.{name}.model" for name, f in self.columns.items()})
        return {path: key for path, key in named.items() if path is not None}

    def selects(self, column: str) -> bool:
        """Whether a column of the customer table is a feature."""
        if self.include is not None:
            return column in self.include
        return column not in self.exclude


def _first_message(error: ValueError) -> str:
    details = getattr(error, "errors", None)
    message = details()[0]["msg"] if details else str(error)
    return message.removeprefix("Value error, ")
