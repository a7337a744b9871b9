"""A condition on the rows of a table, and the kinds of value that the section `data` is written in."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Union

from pydantic import AfterValidator, StringConstraints, field_validator, model_validator

from configs.section import Section

Column = Annotated[str, StringConstraints(min_length=1)]
ColumnType = Literal["text", "integer", "number", "time"]
Scalar = Union[int, float, str]


def _known_encoding(value: str) -> str:
    try:
        "".encode(value)
    except LookupError as error:
        raise ValueError("is not an encoding Python knows, such as utf-8, latin-1 or cp1252") from error
    return value


Encoding = Annotated[str, AfterValidator(_known_encoding)]


class Condition(Section):
    """Rows are kept where `column` meets every operator given; a missing value meets none but `missing`.

    Numbers and times compare as such, anything else as text. `matches` is an RE2 expression found anywhere.
    """

    column: Column
    gt: Scalar | None = None
    ge: Scalar | None = None
    lt: Scalar | None = None
    le: Scalar | None = None
    eq: Scalar | None = None
    ne: Scalar | None = None
    is_in: list[Scalar] | None = None
    not_in: list[Scalar] | None = None
    matches: str | None = None
    not_matches: str | None = None
    missing: bool | None = None

    @model_validator(mode="after")
    def _has_an_operator(self) -> Condition:
        operators = [name for name in type(self).model_fields if name != "column"]
        if all(getattr(self, name) is None for name in operators):
            raise ValueError(f"needs an operator: one of {', '.join(operators)}")
        return self

    @field_validator("matches", "not_matches")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        if value is not None:
            try:
                re.compile(value)
            except re.error as error:
                raise ValueError(f"is not a regular expression: {error}") from error
        return value
