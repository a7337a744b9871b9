"""Finds where in a CSV file something is wrong, once a fast reader said that something is.

Slow and exact: reads the file again, record by record.
"""

from __future__ import annotations

import csv
import io
import itertools
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


def refuse_open_quotes(path: str, delimiter: str, encoding: str) -> None:
    """Refuses a CSV file in which lines vanish in a value whose quote is not closed where it should be.

    Quotes that are out of place but swallow no other line are let through: `12" pipe`, `"Bob" Smith`.

    Raises:
      DataError: a quote is never closed, or lines later by what looks like the opening one of another value.
    """
    row, line = -1, 1
    try:
        with _text(path, encoding) as text:
            for first in text:
                lines = [first]
                # Only lines with quotes cost the parsing of a row.
                is_closed = '"' not in first or _take_row(lines, text, delimiter)
                row += bool(first.strip("\r\n"))
                if not is_closed:
                    last = f"to line {line + len(lines) - 1}" if len(lines) > 1 else "to the end of the file"
                    where = f"{path}: line {line} ({f'row {row}' if row else 'the header'})"
                    raise DataError(
                        f"{where}: a quote is opened there and not closed, so a value runs on {last}; close it"
                        " (a quote that belongs to a quoted value is written twice)"
                    )
                line += len(lines)
    except (csv.Error, UnicodeError, *files.UNREADABLE):
        # Whoever reads the rows reports these.
        return


def _take_row(lines: list[str], text: Iterator[str], delimiter: str) -> bool:
    """Adds to a row's first line the others that belong to it; whether its quotes are closed as they should be."""
    is_closed = True

    def following() -> Iterator[str]:
        nonlocal is_closed
        size = 0
        for line in text:
            lines.append(line)
            yield line
            size += len(line)
            if size > 2 * _LARGEST_ROW:
                break
        is_closed = False

    # It asks for another line, and finally for one too many, as long as it is within quotes.
    next(csv.reader(itertools.chain(lines[:1], following()), delimiter=delimiter))
    if is_closed and len(lines) > 1:
        try:
            next(csv.reader(lines, delimiter=delimiter, strict=True))
        except csv.Error:
            return False
    return is_closed


def _records(path: str, delimiter: str, encoding: str) -> Iterator[tuple[int, int, list[str]]]:
    """Row number, the line where it starts, and its values; undecodable bytes are lone surrogates."""
    with _text(path, encoding) as text:
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


def _text(path: str, encoding: str) -> io.TextIOWrapper:
    """A CSV file for Python's reader; undecodable bytes are lone surrogates."""
    csv.field_size_limit(_LARGEST_VALUE)
    return io.TextIOWrapper(files.open_text_bytes(path), encoding, errors="surrogateescape", newline="")


def _bytes(value: str) -> str:
    shown = value.encode("utf-8", "surrogateescape")
    return repr(shown[:_SHOWN])
