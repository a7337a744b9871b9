"""What a configuration says of columns that cannot be, known before a row is read."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen import headers
from configs.condition import Condition
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.transactions import TransactionsConfig

# The customer id where the table has none: the number of the row in its file.
ROW_ID = "row_number"

# What assignments add to the id; held equal to `components.assignments.table`, which is heavy, by a test.
ASSIGNMENT_COLUMNS = ("segment_id", "segment_name", "distance", "is_outlier")


def check_names(named: Mapping[str, str], columns: Sequence[str], where: str) -> None:
    """Refuses names of columns that are not there.

    Args:
      named: column -> the key of the configuration that names it.
      columns: that are there.
      where: "in" what, for the message.

    Raises:
      ConfigError: for the first one, with what it may have meant.
    """
    for column, key in named.items():
        if column not in columns:
            folded = {name.casefold(): name for name in columns}
            near = [folded[name] for name in difflib.get_close_matches(column.casefold(), folded, n=2)]
            guess = f"did you mean {' or '.join(map(repr, near))}?"
            hint = guess if near else f"there are {headers.listed(columns)}"
            raise ConfigError(f"{key}: there is no column '{column}' {where}; {hint}")


def check_meaning(data: DataConfig, columns: Sequence[str], id_column: str | None, path: str) -> None:
    """Refuses what can be known to be impossible before a row is read.

    Args:
      data: the section.
      columns: of the source.
      id_column: of the customer id; None where there is none.
      path: of a file of the source, for the message.

    Raises:
      ConfigError: for the first that is.
    """
    if id_column is None and ROW_ID in columns:
        raise ConfigError(f"data.id: {path} has no customer id; say whether it is '{ROW_ID}'")
    if id_column in ASSIGNMENT_COLUMNS:
        raise ConfigError(
            f"data.id: '{id_column}' is also a column of the assignments ({', '.join(ASSIGNMENT_COLUMNS)});"
            " rename it in the source"
        )
    if data.transactions is not None and id_column in data.transactions.columns_made():
        raise ConfigError(
            f"data.id: '{id_column}' is also what transactions are summed up in; rename the column"
        )
    if id_column is not None and data.types.get(id_column) == "time":
        raise ConfigError(f"data.types.{id_column}: the customer id is text or integer, not time")
    for key in ("numbers", "dates", "bounds"):
        if id_column in getattr(data, key):
            raise ConfigError(
                f"data.{key}: '{id_column}' is the customer id, which is text and stays as it is"
            )
    if id_column is not None and id_column == data.repeats_by:
        raise ConfigError(f"data.duplicate_ids.by: '{id_column}' is the customer id; name a time or a number")
    if data.transactions is not None:
        _check_transactions(data, data.transactions, id_column)
    _check_conditions(data, id_column)


def _check_transactions(data: DataConfig, parts: TransactionsConfig, id_column: str | None) -> None:
    if data.repeats_by is not None:
        raise ConfigError(
            "data.duplicate_ids: with data.transactions a customer has many rows; what repeats is dropped by"
            " data.duplicate_rows"
        )
    if parts.time in data.dates or parts.time in data.numbers:
        raise ConfigError(f"data.dates.{parts.time}: is data.transactions.time, whose format is said there")
    for column in filter(None, (parts.amount, parts.quantity, parts.price)):
        if column in data.dates:
            raise ConfigError(f"data.dates.{column}: what is summed must be a number, not a time")
    if id_column in parts.columns:
        raise ConfigError(
            f"data.transactions: '{id_column}' is the customer id; name the column of the transaction"
        )
    returns = parts.return_condition
    if returns is not None and returns.column == id_column:
        raise ConfigError(
            f"data.transactions.returns.when: '{id_column}' is the customer id; name the column of the transaction"
        )
    if parts.category is not None and data.types.get(parts.category, "text") != "text":
        raise ConfigError(f"data.types.{parts.category}: is data.transactions.category, so it must be 'text'")
    for column in parts.numbers:
        if data.types.get(column) in ("text", "time"):
            said = data.types[column]
            raise ConfigError(f"data.types.{column}: what is summed must be a number, not {said}")
    if data.types.get(parts.time) not in (None, "time"):
        raise ConfigError(f"data.types.{parts.time}: is data.transactions.time, so it must be 'time'")


def _check_conditions(data: DataConfig, id_column: str | None) -> None:
    for condition in data.conditions:
        key = "data.keep" if condition in data.keep else "data.transactions.returns.when"
        if condition.column == id_column:
            _check_id_comparison(condition)
        for pattern in filter(None, (condition.matches, condition.not_matches)):
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                reason = str(error).splitlines()[0]
                problem = f"{condition.column}: {pattern!r} is not RE2: {reason}"
                raise ConfigError(f"{key}: {problem}") from error


def _check_id_comparison(condition: Condition) -> None:
    for name in ("gt", "ge", "lt", "le"):
        operand = getattr(condition, name)
        if operand is not None and not isinstance(operand, str):
            raise ConfigError(
                f"data.keep: {condition.column} {name} {operand}: customer ids are text, where '10' comes before"
                " '5'; use is_in, not_in, matches or not_matches, or compare a column of numbers"
            )
