"""Rules of section `data` for single values: how numbers and dates are written, and which values are possible."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal, Union

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    field_validator,
    model_validator,
)

from configs.section import Section

Text = Annotated[str, StringConstraints(min_length=1)]

_DIRECTIVES = set("aAbBdfHIjmMpSyYzZ%")


def _as_text(value: Any) -> Any:
    # YAML reads 2024-12-31 as a date; it is compared as it would be written in the data.
    return value.isoformat() if isinstance(value, datetime.date) else value


Limit = Annotated[Union[int, float, str], BeforeValidator(_as_text)]


class BoundsConfig(Section):
    """Which values a column may hold, and what becomes of others. A missing value is never out of bounds."""

    min: Limit | None = Field(None, description="the lowest value; of numbers and times")
    max: Limit | None = Field(None, description="the highest value; of numbers and times")
    allowed: list[Limit] | None = Field(None, description="in place of the two: every value there may be")
    otherwise: Literal["reject", "drop", "clip", "missing"] = Field(
        "reject", description="the data, the row, to the nearest bound, or the value alone"
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> BoundsConfig:
        bounded = self.min is not None or self.max is not None
        if bounded == (self.allowed is not None):
            raise ValueError("needs 'min', 'max' or both, or else 'allowed'")
        if self.allowed is not None and not self.allowed:
            raise ValueError("'allowed' must name at least one value")
        if self.allowed is not None and self.otherwise == "clip":
            raise ValueError("'otherwise: clip' goes with 'min' and 'max'; there is no nearest allowed value")
        if self.min is not None and self.max is not None:
            if isinstance(self.min, str) != isinstance(self.max, str):
                raise ValueError("'min' and 'max' must both be numbers, or both times")
            if self.min > self.max:  # type: ignore[operator]
                raise ValueError(f"'min' is {self.min}, above 'max', which is {self.max}")
        return self


class NumberConfig(Section):
    """How the numbers of a column are written: `1.234,50 EUR` is {thousands: '.', decimal: ',', strip: EUR}."""

    thousands: Literal[",", ".", " ", "'", "_"] | None = Field(
        None, description="between groups of digits; ' ' stands for no-break spaces too"
    )
    decimal: Literal[".", ","] = Field(".", description="before the fraction")
    strip: Union[Text, list[Text]] = Field(
        default_factory=list, description="what may stand before or behind: a currency, a percent sign"
    )

    @model_validator(mode="after")
    def _tells_them_apart(self) -> NumberConfig:
        if self.thousands == self.decimal:
            raise ValueError(
                f"'thousands' and 'decimal' are both {self.decimal!r}; say 'decimal' too where it is a comma"
            )
        return self

    @property
    def stripped(self) -> list[str]:
        """`strip` as a list."""
        return [self.strip] if isinstance(self.strip, str) else list(self.strip)


class DateConfig(Section):
    """How the times of a column are written, and which number of the customer they become."""

    formats: list[Text] = Field(
        default_factory=list,
        description="strptime patterns, tried in this order; ISO 8601 where there are none",
    )
    as_: Literal["timestamp", "days_since", "month", "weekday"] = Field(
        "timestamp",
        alias="as",
        description="days since 1970-01-01, days until as_of, 1 to 12, or 1 (Monday) to 7",
    )
    as_of: datetime.date | None = Field(
        None, description="the day that days_since counts to (its midnight, UTC)"
    )
    max_bad: Union[Annotated[int, Field(ge=0)], Annotated[float, Field(gt=0, lt=1)]] = Field(
        0, description="so many values that are no such time become missing, or such a share of the rows"
    )

    @field_validator("formats")
    @classmethod
    def _are_patterns(cls, value: list[str]) -> list[str]:
        for pattern in value:
            directives = [part[:1] for part in pattern.replace("%%", "").split("%")[1:]]
            unknown = [directive for directive in directives if directive not in _DIRECTIVES]
            if unknown or not directives:
                problem = f"no directive %{unknown[0]}" if unknown else "no directive such as %Y"
                raise ValueError(
                    f"{pattern!r} is not a strptime pattern such as '%d.%m.%Y': it has {problem}"
                )
        return value

    @model_validator(mode="after")
    def _has_a_day_to_count_to(self) -> DateConfig:
        if (self.as_ == "days_since") != (self.as_of is not None):
            raise ValueError("'as: days_since' and 'as_of', the day to count to, go together")
        return self


class RepeatsConfig(Section):
    """Which row of a customer stays: that with the lowest (`first`) or the highest (`last`) value of a column."""

    keep: Literal["first", "last"]
    by: Text = Field(
        description="a column of times or numbers; of equal ones, the row that comes first or last"
    )


def _form(value: Any) -> str:
    return "[by]" if isinstance(value, (dict, RepeatsConfig)) else "[word]"


# Told apart by their form, or a wrong key in the second would be reported as a wrong first.
DuplicateIds = Annotated[
    Union[
        Annotated[Literal["reject", "first", "last"], Tag("[word]")], Annotated[RepeatsConfig, Tag("[by]")]
    ],
    Discriminator(_form),
]
