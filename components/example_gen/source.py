"""Finds the files of a configuration and checks, from their headers alone, that it can mean them.

Light on purpose: the command line asks this before anything heavy is imported.
"""

from __future__ import annotations

import csv
import dataclasses
import difflib
import io
import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.errors import DataError
from components.example_gen import files as file_system
from components.example_gen.files import fingerprint_files
from configs import ConfigError, PipelineConfig
from configs.data import SPAN_PLACEHOLDER, DataConfig

__all__ = ["ROW_ID", "TRANSACTION_FEATURES", "Source", "fingerprint_files", "resolve_source", "source_from_json",
           "source_to_json"]  # fmt: skip

TRANSACTION_FEATURES = ("recency_days", "frequency", "monetary", "tenure_days", "average_basket")

# The customer id where the table has none: the number of the row in its file.
ROW_ID = "row_number"

_ID_NAMES = ("customerid", "clientid", "householdid", "userid", "accountid", "memberid", "subscriberid", "personid",
             "custid", "customerno", "customernumber", "customerkey", "customer", "clientnum", "id")  # fmt: skip
_DELIMITERS = (",", ";", "\t", "|")
_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK\x03\x04"
_SHOWN_COLUMNS = 12

Format = Literal["csv", "parquet"]


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a table and what their headers say.

    Attributes:
      files: paths, in the order in which they are read.
      span: the number that `{SPAN}` stood for; None without one.
      format: of all files.
      columns: of the source.
      id_column: the column of the customer id; None where row numbers serve as ids.
      customer_columns: of the customer table: what is read of the source, or the id and what transactions give.
    """

    files: tuple[str, ...]
    span: int | None
    format: Format
    columns: tuple[str, ...]
    id_column: str | None
    customer_columns: tuple[str, ...]

    @property
    def id_name(self) -> str:
        """The customer id's name in the customer table."""
        return self.id_column if self.id_column is not None else ROW_ID


def resolve_source(config: PipelineConfig) -> Source:
    """Finds the files of `config.data`, reads their headers and checks every column the configuration names.

    Raises:
      ConfigError: in one line, which key means something that is not there.
      DataError: a file is empty or damaged, or there are no rows at all.
    """
    data = config.data
    paths, span = _find_files(data)
    form = _format(paths, data)
    columns, rows = _headers(paths, form, data)
    if not rows:
        raise DataError(f"{paths[0]}: holds a header and no rows" if len(paths) == 1 else
                        f"{paths[0]} and {len(paths) - 1} more files hold headers and no rows")  # fmt: skip
    _check_names(data.named_columns, columns, f"in {paths[0]}")
    id_column = data.id or _usual_id(columns)
    if id_column is None and data.transactions is not None:
        raise ConfigError(f"data.id: say which column of {paths[0]} is the customer id: {_listed(columns)}")
    customer_columns = _customer_columns(data, columns, id_column)
    _check_names(
        {**dict.fromkeys(config.evaluation.slices, "evaluation.slices"), **config.features.named_columns},
        customer_columns,
        "in the customer table",
    )
    _check_meaning(data, columns, id_column, paths[0])
    return Source(tuple(paths), span, form, columns, id_column, customer_columns)


def source_to_json(source: Source, fingerprints: Sequence[Sequence[Any]]) -> str:
    """A source and what its files hold, as text that is equal where both are."""
    content = dataclasses.asdict(source)
    content["files"] = [list(fingerprint) for fingerprint in fingerprints]
    return json.dumps(content, sort_keys=True)


def source_from_json(text: str) -> tuple[Source, list[list[Any]]]:
    """The source and the fingerprints of `source_to_json`."""
    content = json.loads(text)
    fingerprints = content["files"]
    content["files"] = [path for path, *_ in fingerprints]
    return Source(**{k: tuple(v) if isinstance(v, list) else v for k, v in content.items()}), fingerprints


def _find_files(data: DataConfig) -> tuple[list[str], int | None]:
    span = _span(data) if any(SPAN_PLACEHOLDER in pattern for pattern in data.paths) else None
    found: list[str] = []
    for pattern in data.paths:
        if not file_system.is_remote(pattern) and Path(pattern).is_dir():
            raise ConfigError(f"data.path: {pattern} is a folder; name its files, such as {Path(pattern, '*.csv')}")
        if SPAN_PLACEHOLDER in pattern:
            matched = [path for path, number in _spans(pattern) if number == span]
        else:
            matched = file_system.matching(pattern)
        if not matched:
            wanted = f" of span {span}" if SPAN_PLACEHOLDER in pattern else ""
            is_glob = re.search(r"[*?[]", pattern) or SPAN_PLACEHOLDER in pattern
            raise ConfigError(f"data.path: no file{wanted} matches {pattern}" if is_glob else
                              f"data.path: there is no file {pattern}")  # fmt: skip
        found += matched
    return list(dict.fromkeys(found)), span


def _span(data: DataConfig) -> int:
    if data.span is not None:
        return data.span
    patterns = [pattern for pattern in data.paths if SPAN_PLACEHOLDER in pattern]
    complete = set.intersection(*({number for _, number in _spans(pattern)} for pattern in patterns))
    if not complete:
        raise ConfigError(f"data.path: no file matches {patterns[0]} with a number for {SPAN_PLACEHOLDER}")
    return max(complete)


def _spans(pattern: str) -> list[tuple[str, int]]:
    candidates = file_system.matching(pattern.replace(SPAN_PLACEHOLDER, "*"))
    numbers = ((path, file_system.span_of(path, pattern, SPAN_PLACEHOLDER)) for path in candidates)
    return [(path, number) for path, number in numbers if number is not None]


def _format(paths: list[str], data: DataConfig) -> Format:
    formats: dict[Format, str] = {}
    for path in paths:
        start = _readable(path)
        if not start:
            raise DataError(f"{path}: is empty")
        if start == _ZIP_MAGIC:
            raise ConfigError(f"data.path: {path} is a zip or Excel file; save its table as CSV or Parquet")
        formats.setdefault("parquet" if start == _PARQUET_MAGIC else "csv", path)
    if len(formats) > 1:
        raise ConfigError(f"data.path: {formats['csv']} is CSV and {formats['parquet']} is Parquet; read one kind")
    found, path = next(iter(formats.items()))
    if data.format not in ("auto", found):
        raise ConfigError(f"data.format: is {data.format}, but {path} is not; it looks like {found}")
    return found


def _readable(path: str) -> bytes:
    try:
        return file_system.first_bytes(path, len(_PARQUET_MAGIC))
    except OSError as error:
        raise ConfigError(f"data.path: {path} cannot be read: {error.strerror or error}") from error


def _headers(paths: list[str], form: Format, data: DataConfig) -> tuple[tuple[str, ...], bool]:
    """The columns, which all files must share, and whether any file has a row."""
    first: tuple[str, ...] = ()
    any_rows = False
    for path in paths:
        columns, rows = _csv_header(path, data) if form == "csv" else _parquet_header(path)
        _check_header(path, columns, data)
        first = first or columns
        if set(columns) != set(first):
            differing = sorted(set(columns) ^ set(first))
            raise ConfigError(
                f"data.path: {path} and {paths[0]} have different columns: only one has {_listed(differing)}"
            )
        any_rows = any_rows or rows
    return first, any_rows


def _csv_header(path: str, data: DataConfig) -> tuple[tuple[str, ...], bool]:
    # Bytes that are wrong further down are reported with their row, when they are read.
    encoding = "utf-8-sig" if data.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else data.encoding
    try:
        with io.TextIOWrapper(
            file_system.open_text_bytes(path), encoding, errors="surrogateescape", newline=""
        ) as text:
            records = (record for record in csv.reader(text, delimiter=data.delimiter) if record)
            header, row = next(records, None), next(records, None)
    except file_system.UNREADABLE as error:
        raise DataError(f"{path}: the compressed file is damaged: {error}") from error
    except (csv.Error, UnicodeError) as error:
        raise DataError(f"{path}: the header cannot be read as CSV in {data.encoding}: {error}") from error
    if header is None:
        raise DataError(f"{path}: is empty")
    if any("\udc80" <= letter <= "\udcff" for name in header for letter in name):
        raise DataError(f"{path}: line 1: the header is not {data.encoding}; say data.encoding, such as latin-1")
    return tuple(header), row is not None


def _parquet_header(path: str) -> tuple[tuple[str, ...], bool]:
    try:
        with file_system.open_arrow(path) as file:
            metadata = pq.ParquetFile(file)
            return tuple(metadata.schema_arrow.names), metadata.metadata.num_rows > 0
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is damaged, it cannot be read as Parquet: {error}") from error


def _check_header(path: str, columns: tuple[str, ...], data: DataConfig) -> None:
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise ConfigError(f"data.path: {path} has the column '{twice[0]}' {columns.count(twice[0])} times; rename one")
    if len(columns) == 1:
        for delimiter in _DELIMITERS:
            if delimiter != data.delimiter and delimiter in columns[0]:
                raise ConfigError(
                    f"data.delimiter: {path} has one column, {columns[0][:60]!r}; set data.delimiter to {delimiter!r}"
                )
    if "" in columns and data.columns is None and data.transactions is None:
        raise ConfigError(
            f"data.path: column {columns.index('') + 1} of {path} has no name; name it, or list the columns to read"
            " in data.columns"
        )


def _check_names(named: Mapping[str, str], columns: Sequence[str], where: str) -> None:
    for column, key in named.items():
        if column not in columns:
            folded = {name.casefold(): name for name in columns}
            near = [folded[n] for n in difflib.get_close_matches(column.casefold(), folded, n=2, cutoff=0.6)]
            hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"there are {_listed(columns)}"
            raise ConfigError(f"{key}: there is no column '{column}' {where}; {hint}")


def _check_meaning(data: DataConfig, columns: Sequence[str], id_column: str | None, path: str) -> None:
    """Refuses what can be known to be impossible before a row is read."""
    if id_column is None and ROW_ID in columns:
        raise ConfigError(f"data.id: {path} has no customer id; say whether it is '{ROW_ID}'")
    if id_column is not None and data.types.get(id_column) == "time":
        raise ConfigError(f"data.types.{id_column}: the customer id is text or integer, not time")
    if data.transactions is not None:
        parts = data.transactions
        for column in filter(None, (parts.amount, parts.quantity, parts.price)):
            if data.types.get(column) in ("text", "time"):
                raise ConfigError(f"data.types.{column}: what is summed must be a number, not {data.types[column]}")
        if data.types.get(parts.time) not in (None, "time"):
            raise ConfigError(f"data.types.{parts.time}: is data.transactions.time, so it must be 'time'")
    for condition in data.keep:
        for pattern in filter(None, (condition.matches, condition.not_matches)):
            try:
                pc.match_substring_regex(pa.array([""]), pattern)
            except pa.ArrowInvalid as error:
                reason = str(error).splitlines()[0]
                raise ConfigError(f"data.keep: {condition.column}: {pattern!r} is not RE2: {reason}") from error


def _customer_columns(data: DataConfig, columns: tuple[str, ...], id_column: str | None) -> tuple[str, ...]:
    if data.transactions is not None:
        return (cast(str, id_column), *TRANSACTION_FEATURES)
    if data.columns is None:
        return columns
    return tuple(column for column in columns if column in data.columns or column == id_column)


def _usual_id(columns: Sequence[str]) -> str | None:
    bare = {re.sub(r"[^a-z0-9]", "", name.casefold()): name for name in reversed(columns)}
    return next((bare[name] for name in _ID_NAMES if name in bare), None)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in itertools.islice(names, _SHOWN_COLUMNS))
    return shown + (f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else "")
