"""Section `data.transactions`: which columns make a purchase, and how purchases become customers."""

from __future__ import annotations

import datetime
from typing import Literal, Union

from pydantic import Field, model_validator

from configs.condition import Column
from configs.section import Section


class TransactionsConfig(Section):
    """The rows are purchases: they are grouped by `data.id` into one row per customer.

    The customer's columns are `recency_days` (last order to `as_of`), `frequency` (orders), `monetary`
    (sum of amounts), `tenure_days` (first order to `as_of`) and `average_basket` (monetary / frequency).
    """

    time: Column
    time_format: str | None = Field(
        None, description="strptime pattern for times written as text; ISO 8601 else"
    )
    amount: Column | None = Field(None, description="value of the line; or give quantity and price")
    quantity: Column | None = None
    price: Column | None = None
    order: Column | None = Field(None, description="what groups lines into an order; else each line is one")
    as_of: Union[Literal["latest"], datetime.date] = Field(
        "latest",
        description="end of the observed period: the last transaction's time, or a date (its midnight)",
    )

    @model_validator(mode="after")
    def _amount_or_parts(self) -> TransactionsConfig:
        parts = self.quantity is not None and self.price is not None
        any_part = self.quantity is not None or self.price is not None
        if (self.amount is not None) == any_part or any_part != parts:
            raise ValueError("needs either 'amount', or both 'quantity' and 'price'")
        return self

    @property
    def columns(self) -> list[str]:
        """The source columns that the aggregation reads, besides the customer id."""
        named = (self.time, self.amount, self.quantity, self.price, self.order)
        return list(dict.fromkeys(name for name in named if name is not None))
