"""Section `data.attributes`: a second table whose columns are joined to the customers by their id."""

from __future__ import annotations

from typing import Annotated, Union

from pydantic import Field, StringConstraints

from configs.condition import Column, ColumnType, Encoding, Scalar
from configs.section import Section


class AttributesConfig(Section):
    """Where attributes of customers are, such as demographics; customers without any get missing values."""

    path: Union[Column, Annotated[list[Column], Field(min_length=1)]] = Field(
        description="file, glob, or list of them; CSV or Parquet"
    )
    id: Column = Field(description="the customer id in this table")
    columns: list[Column] | None = Field(None, description="join only these")
    types: dict[Column, ColumnType] = Field(
        default_factory=dict, description="where the inferred type is wrong"
    )
    missing: dict[str, list[Scalar]] = Field(
        default_factory=dict, description="values that stand for missing, by column; '*' for every column"
    )
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] = ","
    encoding: Encoding = "utf-8"
