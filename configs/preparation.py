"""How one column is prepared: the options of numeric and of categorical features, and what goes with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Union

from pydantic import Field, field_validator, model_validator

from configs.section import Section

Normalize = Literal["zscore", "minmax", "robust", "quantile_uniform", "quantile_normal", "none"]
Impute = Union[Literal["mean", "median"], float]
Encode = Literal["one_hot", "ordinal", "frequency", "hashed", "multi_hot", "cyclic", "embedding"]
Categories = Annotated[int, Field(ge=1, le=10_000)]
Buckets = Annotated[int, Field(ge=2, le=10_000)]
Separator = Annotated[str, Field(min_length=1)]
Positive = Annotated[float, Field(gt=0)]

# Option -> the normalizations or encodings that it means something to.
NORMALIZE_OPTIONS: Mapping[str, tuple[Normalize, ...]] = {"range": ("minmax",)}
ENCODE_OPTIONS: Mapping[str, tuple[Encode, ...]] = {
    "order": ("ordinal",),
    "max_categories": ("one_hot", "frequency", "multi_hot"),
    "buckets": ("hashed",),
    "separator": ("multi_hot",),
    "period": ("cyclic",),
    "start": ("cyclic",),
    "model": ("embedding",),
}
_NEEDED: Mapping[Encode, tuple[str, str]] = {
    "ordinal": ("order", "the categories from lowest to highest"),
    "hashed": ("buckets", "the number of coordinates that the categories share"),
    "cyclic": ("period", "after how much the values begin again, such as 12 for months"),
    "embedding": ("model", "the folder of a SavedModel that turns text into vectors"),
}


class ClipOptions(Section):
    """Bounds that values are moved to: fixed ones, or quantiles of the training data."""

    min: float | None = Field(None, description="smaller values become this")
    max: float | None = Field(None, description="larger values become this")
    quantiles: list[float] | None = Field(None, description="the shares below which, and below which not")

    @model_validator(mode="after")
    def _is_an_interval(self) -> ClipOptions:
        fixed = self.min is not None or self.max is not None
        if self.quantiles is not None:
            if fixed:
                raise ValueError("is at quantiles or at min and max, not both")
            if len(self.quantiles) != 2 or not 0 <= self.quantiles[0] < self.quantiles[1] <= 1:
                raise ValueError(
                    "'quantiles' is two shares from 0 to 1, the lower first, such as [0.01, 0.99]"
                )
        elif not fixed:
            raise ValueError("needs 'quantiles', such as [0.01, 0.99], or 'min' or 'max'")
        if self.min is not None and self.max is not None and self.min >= self.max:
            raise ValueError(f"'min' must be below 'max', found {self.min:g} and {self.max:g}")
        return self


Clip = Union[ClipOptions, Literal["none"]]


class NumericOptions(Section):
    """How a numeric column is prepared: clip, log1p, impute, normalize, weight, in this order."""

    clip: Clip = Field("none", description="moves extreme values to bounds, before anything else")
    log1p: bool = Field(False, description="sign(x) * log(1 + |x|) before normalizing, for skewed amounts")
    impute: Impute = Field(
        "mean", description="what stands for a missing value, after clip and log1p where statistical"
    )
    normalize: Normalize = "zscore"
    range: list[float] | None = Field(
        None, description="minmax: where minimum and maximum go, [0, 1] by default"
    )
    weight: Positive = 1.0

    @field_validator("range")
    @classmethod
    def _range_is_one(cls, value: list[float] | None) -> list[float] | None:
        if value is not None and (len(value) != 2 or value[0] >= value[1]):
            raise ValueError("must be two numbers, the lower first, such as [-1, 1]")
        return value

    @model_validator(mode="after")
    def _options_fit(self) -> NumericOptions:
        if self.range is not None and self.normalize not in NORMALIZE_OPTIONS["range"]:
            raise ValueError("'range' needs normalize: minmax")
        return self

    @property
    def interval(self) -> tuple[float, float]:
        """Where `minmax` puts minimum and maximum."""
        return (self.range[0], self.range[1]) if self.range else (0.0, 1.0)


class CategoricalOptions(Section):
    """How a categorical column is encoded."""

    encode: Encode = "one_hot"
    order: list[str] | None = Field(None, description="ordinal: the categories from lowest to highest")
    max_categories: Categories | None = Field(
        None,
        description="the most frequent ones are kept, the others share one place: 32, of frequency 10,000",
    )
    buckets: Buckets | None = Field(None, description="hashed: the number of places")
    separator: Separator | None = Field(None, description="multi_hot: between the items of a list, ','")
    period: Positive | None = Field(None, description="cyclic: after how much the values begin again")
    start: float | None = Field(None, description="cyclic: the value at the angle 0, 0 by default")
    model: Separator | None = Field(None, description="embedding: the folder of a SavedModel")
    weight: Positive = 1.0

    @model_validator(mode="after")
    def _options_fit(self) -> CategoricalOptions:
        for option, encodings in ENCODE_OPTIONS.items():
            if getattr(self, option) is not None and self.encode not in encodings:
                raise ValueError(f"'{option}' needs encode: {' or '.join(encodings)}")
        needed = _NEEDED.get(self.encode)
        if needed and not getattr(self, needed[0]):
            raise ValueError(f"encode: {self.encode} needs '{needed[0]}', {needed[1]}")
        if self.order and len(set(self.order)) != len(self.order):
            raise ValueError("'order' names a category twice")
        return self

    @property
    def most_categories(self) -> int:
        """How many categories are told apart."""
        # A share is one number, whatever the number of categories; a place for each is a coordinate for each.
        return self.max_categories or (10_000 if self.encode == "frequency" else 32)


class PcaConfig(Section):
    """Principal components in place of the numeric coordinates."""

    components: Union[Annotated[int, Field(ge=1)], Annotated[float, Field(gt=0, lt=1)], None] = Field(
        0.95, description="how many, or the share of the variance that they explain at least; null: all"
    )
    whiten: bool = Field(False, description="each component is divided by its standard deviation")
