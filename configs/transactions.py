"""Section `data.transactions`: which columns make a purchase, and how purchases become customers."""

from __future__ import annotations

import datetime
import zoneinfo
from collections.abc import Sequence
from typing import Annotated, Literal, Union, get_args

from pydantic import Field, field_validator, model_validator

from configs.condition import Column, Condition
from configs.section import Section

# What can be made of a customer's purchases, in the order in which it becomes columns.
Feature = Literal[
    "recency_days",
    "frequency",
    "monetary",
    "tenure_days",
    "average_basket",
    "interpurchase_days",
    "interpurchase_std_days",
    "distinct_products",
    "favourite_category",
    "weekday_shares",
    "weekend_share",
    "trend",
    "return_rate",
    "repeat_frequency",
    "repeat_recency_days",
    "age_days",
    "mean_repeat_value",
]
DEFAULT_FEATURES: tuple[Feature, ...] = (
    "recency_days",
    "frequency",
    "monetary",
    "tenure_days",
    "average_basket",
)
# What the share of a category is called: this and the category.
SHARE = "share_"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_INTEGERS = ("frequency", "distinct_products", "repeat_frequency")
_UTC = datetime.timezone.utc
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)


class ReturnsConfig(Section):
    """Which lines are returns or cancellations, and what becomes of them."""

    treat: Literal["net", "drop", "rate"] = Field(
        "net",
        description="net: lines like all others; drop: not read; rate: in no sum and no count but return_rate",
    )
    when: Union[Literal["negative"], Condition, None] = Field(
        None,
        description="negative, as if not said: quantity below 0, or the amount where that is named; or a condition",
    )

    @model_validator(mode="after")
    def _when_is_used(self) -> ReturnsConfig:
        if self.treat == "net" and self.when is not None:
            raise ValueError("'when' says what a return is, but treat: net treats all lines alike")
        return self


class TransactionsConfig(Section):
    """The rows are purchases: they are grouped by `data.id` into one row per customer.

    docs/transactions.md has the formula of every feature.
    """

    time: Column
    time_format: str | None = Field(
        None, description="strptime pattern for times written as text; ISO 8601 else"
    )
    timezone: str | None = Field(
        None, description="IANA name: where times without an offset, weekdays and dates are meant; UTC else"
    )
    max_bad_times: Union[Annotated[int, Field(ge=0)], Annotated[float, Field(gt=0, lt=1)]] = Field(
        0, description="rows whose time cannot be read, at most: a number, or a share of all rows"
    )
    amount: Column | None = Field(None, description="value of the line; or give quantity and price")
    quantity: Column | None = None
    price: Column | None = None
    order: Column | None = Field(None, description="what groups lines into an order; else each line is one")
    category: Column | None = None
    product: Column | None = None
    returns: ReturnsConfig = Field(default_factory=ReturnsConfig)
    as_of: Union[Literal["latest"], datetime.datetime, datetime.date] = Field(
        "latest",
        description="end of the observed period: the last transaction's time, a date (its midnight) or a time",
    )
    window_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="only transactions in the so many days up to as_of count"
    )
    features: list[Feature] = Field(default_factory=lambda: list(DEFAULT_FEATURES), min_length=1)
    frequency: Literal["orders", "lines", "days"] = Field("orders", description="what frequency counts")
    category_shares: Union[Annotated[int, Field(ge=1, le=1000)], list[Column], None] = Field(
        None, description="share_<category> of the so many most frequent categories, or of these"
    )
    shares_of: Literal["amount", "lines"] = Field(
        "amount", description="what shares, favourite_category and trend add up"
    )
    trend_days: Annotated[int, Field(ge=1)] | None = Field(
        None, description="trend compares the last so many days with as many before; half the window else"
    )

    @field_validator("timezone")
    @classmethod
    def _timezone_exists(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                zoneinfo.ZoneInfo(value)
            except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
                raise ValueError(
                    f"{value!r} is not the IANA name of a time zone, such as Europe/London"
                ) from error
        return value

    @field_validator("features")
    @classmethod
    def _features_once(cls, value: list[Feature]) -> list[Feature]:
        for name in value:
            if value.count(name) > 1:
                raise ValueError(f"'{name}' is listed twice")
        return value

    @field_validator("category_shares")
    @classmethod
    def _categories_once(cls, value: int | list[str] | None) -> int | list[str] | None:
        if isinstance(value, list) and (not value or len(set(value)) < len(value)):
            raise ValueError("needs at least one category, and each of them once")
        return value

    @model_validator(mode="after")
    def _amount_or_parts(self) -> TransactionsConfig:
        parts = self.quantity is not None and self.price is not None
        any_part = self.quantity is not None or self.price is not None
        if (self.amount is not None) == any_part or any_part != parts:
            raise ValueError("needs either 'amount', or both 'quantity' and 'price'")
        return self

    @model_validator(mode="after")
    def _features_have_what_they_need(self) -> TransactionsConfig:
        of_categories = "favourite_category" in self.features or self.category_shares is not None
        if of_categories and self.category is None:
            raise ValueError("favourite_category and category_shares need 'category': name its column")
        if self.category is not None and not of_categories:
            raise ValueError(
                "'category' is named, but nothing is made of it: add favourite_category to 'features',"
                " or category_shares: 5"
            )
        if self.category is not None and self.category in (self.time, *self.numbers):
            raise ValueError("'category' must be another column than the time and the amounts")
        if "distinct_products" in self.features and self.product is None:
            raise ValueError("distinct_products needs 'product': name its column")
        if self.product is not None and "distinct_products" not in self.features:
            raise ValueError(
                "'product' is named, but nothing is made of it: add distinct_products to 'features'"
            )
        if "return_rate" in self.features and self.returns.treat != "rate":
            raise ValueError("return_rate needs returns: {treat: rate}")
        if self.frequency != "orders" and not {"frequency", "average_basket"} & set(self.features):
            raise ValueError("'frequency' is said, but neither frequency nor average_basket is in 'features'")
        return self

    @model_validator(mode="after")
    def _trend_has_its_days(self) -> TransactionsConfig:
        if "trend" not in self.features:
            if self.trend_days is not None:
                raise ValueError("'trend_days' is said, but trend is not in 'features'")
        elif self.trend_days is None:
            if self.window_days is None:
                raise ValueError("trend needs 'trend_days' or 'window_days': how long are the two parts?")
            if self.window_days < 2:
                raise ValueError("trend compares two parts of the window: window_days must be 2 or more")
        elif self.window_days is not None and self.window_days < 2 * self.trend_days:
            raise ValueError(
                f"trend compares {self.trend_days} days with the {self.trend_days} before: 'window_days' must be"
                f" {2 * self.trend_days} or more"
            )
        return self

    @property
    def columns(self) -> list[str]:
        """The source columns that the aggregation reads, besides the customer id and those of conditions."""
        named = (
            *(self.time, self.amount, self.quantity, self.price, self.order),
            *(self.category, self.product),
        )
        return list(dict.fromkeys(name for name in named if name is not None))

    @property
    def numbers(self) -> list[str]:
        """Those of them that hold numbers."""
        return [name for name in (self.amount, self.quantity, self.price) if name is not None]

    @property
    def return_condition(self) -> Condition | None:
        """What a return is, where returns are told apart."""
        if self.returns.treat == "net":
            return None
        if isinstance(self.returns.when, Condition):
            return self.returns.when
        return Condition(column=self.quantity or self.numbers[0], lt=0)

    @property
    def end(self) -> int | None:
        """`as_of` in microseconds since 1970-01-01 UTC; None: the latest transaction."""
        if self.as_of == "latest":
            return None
        moment = self.as_of
        if not isinstance(moment, datetime.datetime):
            moment = datetime.datetime.combine(moment, datetime.time())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zoneinfo.ZoneInfo(self.timezone) if self.timezone else _UTC)
        return (moment - _EPOCH) // datetime.timedelta(microseconds=1)

    @property
    def needs_end(self) -> bool:
        """Whether the end of the period has to be known before the first row is added up."""
        return self.window_days is not None or "trend" in self.features

    @property
    def trend_span(self) -> int:
        """The days of either part that trend compares."""
        return self.trend_days or (self.window_days or 0) // 2

    def makes(self, *features: Feature) -> bool:
        """Whether any of these becomes a column."""
        wanted = {*self.features, *(["return_rate"] if self.returns.treat == "rate" else [])}
        return not wanted.isdisjoint(features)

    def columns_made(self, categories: Sequence[str] = ()) -> dict[str, str]:
        """The columns of the customer table -> text, integer or number.

        Args:
          categories: those that get a share, where `category_shares` only says how many.
        """
        made: dict[str, str] = {}
        for feature in get_args(Feature):
            if feature == "weekday_shares" and self.makes(feature):
                made |= {f"{day}_share": "number" for day in WEEKDAYS}
            elif self.makes(feature):
                kind = "integer" if feature in _INTEGERS else "number"
                made[feature] = "text" if feature == "favourite_category" else kind
            if feature == "favourite_category":
                listed = self.category_shares if isinstance(self.category_shares, list) else categories
                made |= {f"{SHARE}{category}": "number" for category in listed}
        return made
