"""Section `data`: where the customers or transactions are and how to read them."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal, Union

from pydantic import Field, StringConstraints, field_validator, model_validator

from configs.attributes import AttributesConfig
from configs.bigquery import BigQueryConfig
from configs.cleaning import BoundsConfig, DateConfig, DuplicateIds, NumberConfig, RepeatsConfig
from configs.condition import Column, ColumnType, Condition, Encoding, Scalar
from configs.section import Section
from configs.transactions import TransactionsConfig

SPAN_PLACEHOLDER = "{SPAN}"
DATE_PLACEHOLDERS = ("{DATE}", "{YYYY}", "{MM}", "{DD}")


class DataConfig(Section):
    """Where the rows are and what they mean."""

    path: Union[str, list[str], None] = Field(
        None, description="file, glob, list of them; may hold {SPAN}, {DATE} or {YYYY}, {MM} and {DD}"
    )
    bigquery: BigQueryConfig | None = Field(None, description="in place of path: a query or a table")
    format: Literal["auto", "csv", "parquet", "jsonl", "tfrecord"] = "auto"
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
    numbers: dict[Column, NumberConfig] = Field(
        default_factory=dict, description="columns of numbers that are written as people write them"
    )
    dates: dict[Column, DateConfig] = Field(
        default_factory=dict, description="columns of times: how they are written and what they become"
    )
    bounds: dict[Column, BoundsConfig] = Field(
        default_factory=dict, description="which values a column may hold, and what becomes of others"
    )
    keep: list[Condition] = Field(
        default_factory=list, description="rows that do not meet all of these are dropped"
    )
    duplicate_rows: Literal["keep", "drop"] = "keep"
    duplicate_ids: DuplicateIds = "reject"
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
    def _has_a_path(cls, value: str | list[str] | None) -> str | list[str] | None:
        if value is not None and (not value or not all([value] if isinstance(value, str) else value)):
            raise ValueError("must not be empty")
        return value

    @model_validator(mode="after")
    def _rules_agree(self) -> DataConfig:
        if (self.path is None) == (self.bigquery is None):
            raise ValueError("needs 'path', the files to read, or else 'bigquery'")
        for key, fitting in (("numbers", ("number", "integer")), ("dates", ("time",))):
            for column in getattr(self, key):
                said = self.types.get(column)
                if said is not None and said not in fitting:
                    raise ValueError(
                        f"'{key}.{column}' is for a column of {fitting[0]}s, but 'types' says {said}"
                    )
        both = sorted(self.numbers.keys() & self.dates.keys())
        if both:
            raise ValueError(f"'{both[0]}' is in both 'numbers' and 'dates'")
        if isinstance(self.duplicate_ids, RepeatsConfig) and self.types.get(self.duplicate_ids.by) == "text":
            raise ValueError(
                f"'duplicate_ids.by' is '{self.duplicate_ids.by}', a text; name a column of times or numbers"
            )
        return self

    @property
    def repeats_by(self) -> str | None:
        """The column that decides which row of a customer stays, where one does."""
        return self.duplicate_ids.by if isinstance(self.duplicate_ids, RepeatsConfig) else None

    @property
    def paths(self) -> list[str]:
        """`path` as a list."""
        return [self.path] if isinstance(self.path, str) else list(self.path or [])

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
        for key in ("numbers", "dates", "bounds"):
            for column in getattr(self, key):
                named.setdefault(column, f"data.{key}")
        if self.repeats_by is not None:
            named.setdefault(self.repeats_by, "data.duplicate_ids.by")
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
