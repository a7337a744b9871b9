"""Finds where in a CSV file something is wrong, once a fast reader said that something is.

Slow and exact: reads the file again, record by record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from components.errors import DataError
from components.example_gen import files

_LARGEST_VALUE = (1 << 31) - 1
_SHOWN = 60

# A reader's block has to hold a row.
_LARGEST_ROW = 8 << 20


def place(path: str, row: int, delimiter: str | None, encoding: str) -> str:
    """Where a row is, for people: 'customers.csv: line 8 (row 7)'.

    Args:
      path: the file.
      row: 1 for the first row after the header. Blank lines are no rows; a row may take several lines.
      delimiter: of a CSV file; None of Parquet, where rows have no lines.
      encoding: of a CSV file.
    """
    if delimiter is None:
        return f"{path}: row {row}"
    for number, line, _ in _records(path, delimiter, encoding):
        if number == row:
            return f"{path}: line {line} (row {row})"
    return f"{path}: row {row}"


def unreadable(path: str, columns: tuple[str, ...], delimiter: str, encoding: str, reason: str) -> DataError:
    """What to tell people about a CSV file whose reader stopped for `reason`."""
    for row, line, record in _records(path, delimiter, encoding):
        where = f"{path}: line {line} (row {row})"
        for position, value in enumerate(record):
            if any("\udc80" <= letter <= "\udcff" for letter in value):
                column = f", column '{columns[position]}'" if position < len(columns) else ""
                return DataError(
                    f"{where}{column}: {_bytes(value)} is not {encoding}; if the file is in another encoding,"
                    " name it, such as data.encoding: latin-1"
                )
        if len(record) != len(columns):
            runs_on = any("\n" in value for value in record)
            hint = "; is a quote opened there and never closed?" if runs_on else ""
            return DataError(f"{where}: has {len(record)} columns, the header has {len(columns)}{hint}")
        if sum(map(len, record)) > _LARGEST_ROW:
            return DataError(f"{where}: is longer than {_LARGEST_ROW >> 20} MiB; is a quote never closed?")
    return DataError(f"{path}: cannot be read as CSV: {reason}")


def _records(path: str, delimiter: str, encoding: str) -> Iterator[tuple[int, int, list[str]]]:
    """Row number, the line where it starts, and its values; undecodable bytes are lone surrogates."""
    csv.field_size_limit(_LARGEST_VALUE)
    with io.TextIOWrapper(
        files.open_text_bytes(path), encoding, errors="surrogateescape", newline=""
    ) as text:
        reader = csv.reader(text, delimiter=delimiter)
        row, line = -1, 1
        try:
            for record in reader:
                if record:
                    row += 1
                    if row:
                        yield row, line, record
                line = reader.line_num + 1
        except (csv.Error, UnicodeError, *files.UNREADABLE):
            return


def _bytes(value: str) -> str:
    shown = value.encode("utf-8", "surrogateescape")
    return repr(shown[:_SHOWN])
