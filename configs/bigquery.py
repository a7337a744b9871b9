"""Section `data.bigquery`: a query in place of files."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from configs.section import Section

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]


class BigQueryConfig(Section):
    """What is read of BigQuery, by TFX's BigQueryExampleGen."""

    query: Text | None = Field(None, description="GoogleSQL; its result are the rows")
    table: Text | None = Field(
        None, description="in place of a query: dataset.table or project.dataset.table"
    )
    project: Text | None = Field(None, description="the project that pays for the query; else gcloud's own")

    @model_validator(mode="after")
    def _one_of_them(self) -> BigQueryConfig:
        if (self.query is None) == (self.table is None):
            raise ValueError("needs either 'query' or 'table'")
        if self.table is not None and not re.fullmatch(r"([\w:.-]+\.)?[\w-]+\.[\w$-]+", self.table):
            raise ValueError(f"'table' is dataset.table or project.dataset.table, not {self.table!r}")
        if self.query is not None and self.query.endswith(";"):
            raise ValueError("'query' must not end in a semicolon: it becomes part of another query")
        return self

    @property
    def sql(self) -> str:
        """The query."""
        return self.query if self.query is not None else f"SELECT * FROM `{self.table}`"
