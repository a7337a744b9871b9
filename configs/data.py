"""Section `data`: where the customers or transactions are and how to read them."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Union

from pydantic import Field, StringConstraints, field_validator

from configs.attributes import AttributesConfig
from configs.condition import Column, ColumnType, Condition, Encoding, Scalar
from configs.section import Section
from configs.transactions import TransactionsConfig

SPAN_PLACEHOLDER = "{SPAN}"
DATE_PLACEHOLDERS = ("{DATE}", "{YYYY}", "{MM}", "{DD}")


class DataConfig(Section):
    """Where the rows are and what they mean."""

    path: Union[str, list[str]] = Field(
        description="file, glob, list of them; may hold {SPAN}, {DATE} or {YYYY}, {MM} and {DD}"
    )
    format: Literal["auto", "csv", "parquet"] = "auto"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: Encoding = "utf-8"
    id: Column | None = Field(None, description="the customer id; found by its name where not given")
    columns: list[Column] | None = Field(None, description="read only these (and the id)")
    types: dict[Column, ColumnType] = Field(
        default_factory=dict, description="where the inferred type is wrong"
    )
    missing: dict[str, list[Scalar]] = Field(
        default_factory=dict, description="values that stand for missing, by column; '*' for every column"
    )
    keep: list[Condition] = Field(
        default_factory=list, description="rows that do not meet all of these are dropped"
    )
    duplicate_rows: Literal["keep", "drop"] = "keep"
    duplicate_ids: Literal["reject", "first", "last"] = "reject"
    missing_ids: Literal["reject", "drop"] = "reject"
    transactions: TransactionsConfig | None = None
    attributes: AttributesConfig | None = None
    span: Union[Annotated[int, Field(ge=0)], datetime.date, None] = Field(
        None, description="a span in place of the newest: a number, or a date"
    )
    window: Annotated[int, Field(ge=1)] = Field(
        1,
        description="so many of the newest spans are read together; of a customer in several, the newest row counts",
    )
    eval_share: Union[Literal["auto"], Annotated[float, Field(gt=0, lt=1)]] = Field(
        "auto",
        description="share of customers held out for evaluation; auto: a fifth, at most 20,000 customers",
    )

    @field_validator("path")
    @classmethod
    def _has_a_path(cls, value: str | list[str]) -> str | list[str]:
        if not value or not all([value] if isinstance(value, str) else value):
            raise ValueError("must not be empty")
        return value

    @property
    def paths(self) -> list[str]:
        """`path` as a list."""
        return [self.path] if isinstance(self.path, str) else list(self.path)

    @property
    def named_columns(self) -> dict[str, str]:
        """Source columns that this section names -> the key that names them."""
        named: dict[str, str] = {}
        if self.id is not None:
            named[self.id] = "data.id"
        if self.transactions is not None:
            for column in self.transactions.columns:
                named.setdefault(column, "data.transactions")
        for column in self.columns or []:
            named.setdefault(column, "data.columns")
        for column in self.types:
            named.setdefault(column, "data.types")
        for column in self.missing:
            if column != "*":
                named.setdefault(column, "data.missing")
        for condition in self.keep:
            named.setdefault(condition.column, "data.keep")
        for condition in self.conditions:
            named.setdefault(condition.column, "data.transactions.returns.when")
        return named

    @property
    def conditions(self) -> list[Condition]:
        """All conditions on rows: those to be kept, and those that tell returns."""
        returns = self.transactions.return_condition if self.transactions else None
        return [*self.keep, *([returns] if returns else [])]
