"""The formats and the headers of files: what can be known of a table without reading its rows."""

from __future__ import annotations

import codecs
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import DataError
from components.example_gen import files
from components.example_gen.json_lines import read_json_lines
from components.example_gen.records import first_schema, looks_like_records
from configs.data import DataConfig
from configs.errors import ConfigError

# Of BigQuery nothing is known before the query has run.
Format = Literal["csv", "parquet", "jsonl", "tfrecord", "bigquery"]

_DELIMITERS = (",", ";", "\t", "|")
_PARQUET_MAGIC = b"PAR1"
_ZIP_MAGIC = b"PK\x03\x04"
_SHOWN_COLUMNS = 12
_SNIFFED_BYTES = 4096
_NAMES: dict[Format, str] = {
    "csv": "CSV",
    "parquet": "Parquet",
    "jsonl": "JSON Lines",
    "tfrecord": "TFRecord",
}
_SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".tfrecord": "tfrecord",
    ".tfrecords": "tfrecord",
}


def format_of(paths: list[str], data: DataConfig) -> Format:
    """What all files are, by their first bytes.

    Raises:
      ConfigError: they differ, or are not what `data.format` says, or one cannot be read.
      DataError: one is empty.
    """
    formats: dict[Format, str] = {}
    for path in paths:
        start = _readable(path)
        if not start:
            raise DataError(f"{path}: is empty")
        if start == _ZIP_MAGIC:
            raise ConfigError(f"data.path: {path} is a zip or Excel file; save its table as CSV or Parquet")
        formats.setdefault("parquet" if start == _PARQUET_MAGIC else _looks_like(path), path)
    if len(formats) > 1:
        (one, first), (other, second) = sorted(formats.items())[:2]
        raise ConfigError(f"data.path: {first} is {_NAMES[one]}, {second} is {_NAMES[other]}; read one kind")
    found, path = next(iter(formats.items()))
    if data.format not in ("auto", found):
        raise ConfigError(f"data.format: is {data.format}, but {path} is not; it looks like {found}")
    return found


def _readable(path: str) -> bytes:
    try:
        return files.first_bytes(path, len(_PARQUET_MAGIC))
    except OSError as error:
        raise ConfigError(f"data.path: {path} cannot be read: {error.strerror or error}") from error


def _looks_like(path: str) -> Format:
    """By the first bytes, decompressed; where these may be anything, by the suffix."""
    try:
        with files.open_text_bytes(path) as file:
            start = file.read(_SNIFFED_BYTES)
    except files.UNREADABLE:
        # Whoever reads the header reports it.
        start = b""
    if looks_like_records(start):
        return "tfrecord"
    text = start.removeprefix(codecs.BOM_UTF8).lstrip()
    if text.startswith(b"{"):
        return "jsonl"
    if re.search(r"\.json(\.(gz|bz2|xz))?$", path) and text.startswith(b"["):
        raise ConfigError(f"data.path: {path} is one JSON array; write its objects on lines of their own")
    suffix = re.search(r"(\.[a-z]+)(\.(gz|bz2|xz))?$", path.lower())
    return _SUFFIXES.get(suffix[1] if suffix else "", "csv")


def stored_schema(path: str, form: Format) -> tuple[pa.Schema, bool]:
    """The columns of a file that is not CSV with their types, as far as its first rows say, and whether it has a row.

    Raises:
      DataError: the file is damaged.
    """
    if form == "parquet":
        return _parquet_schema(path)
    if form == "tfrecord":
        return first_schema(path)
    batch = next(read_json_lines(path), None)
    return (batch.schema, len(batch) > 0) if batch is not None else (pa.schema([]), False)


def read_headers(paths: list[str], form: Format, data: DataConfig) -> tuple[tuple[str, ...], bool]:
    """The columns, and whether any file has a row.

    All files must share them; but JSON Lines and TFRecords leave out what a row does not have.

    Raises:
      ConfigError: the columns differ, or cannot be told apart.
      DataError: a file is empty or damaged.
    """
    first: tuple[str, ...] = ()
    any_rows = False
    for path in paths:
        if form == "csv":
            columns, rows = _csv_header(path, data)
        else:
            schema, rows = stored_schema(path, form)
            columns = tuple(schema.names)
        _check_header(path, columns, data)
        if form in ("jsonl", "tfrecord"):
            columns = tuple(dict.fromkeys([*first, *columns]))
            first = columns
        first = first or columns
        if set(columns) != set(first):
            differing = sorted(set(columns) ^ set(first))
            raise ConfigError(
                f"data.path: {path} and {paths[0]} have different columns: only one has {listed(differing)}"
            )
        any_rows = any_rows or rows
    return first, any_rows


def _csv_header(path: str, data: DataConfig) -> tuple[tuple[str, ...], bool]:
    # Bytes that are wrong further down are reported with their row, when they are read.
    encoding = "utf-8-sig" if data.encoding.lower().replace("_", "-") in ("utf-8", "utf8") else data.encoding
    try:
        with io.TextIOWrapper(
            files.open_text_bytes(path), encoding, errors="surrogateescape", newline=""
        ) as text:
            records = (record for record in csv.reader(text, delimiter=data.delimiter) if record)
            header, row = next(records, None), next(records, None)
    except files.UNREADABLE as error:
        raise DataError(f"{path}: the compressed file is damaged: {error}") from error
    except (csv.Error, UnicodeError) as error:
        raise DataError(f"{path}: the header cannot be read as CSV in {data.encoding}: {error}") from error
    if header is None:
        raise DataError(f"{path}: is empty")
    if any("\udc80" <= letter <= "\udcff" for name in header for letter in name):
        is_wide = files.first_bytes(path, 2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        likely = "utf-16" if is_wide else "latin-1"
        raise DataError(f"{path}: line 1: the header is not {data.encoding}; try data.encoding: {likely}")
    return tuple(header), row is not None


def _parquet_schema(path: str) -> tuple[pa.Schema, bool]:
    try:
        with files.open_arrow(path) as file:
            metadata = pq.ParquetFile(file)
            return metadata.schema_arrow, metadata.metadata.num_rows > 0
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: is damaged, it cannot be read as Parquet: {error}") from error


def _check_header(path: str, columns: tuple[str, ...], data: DataConfig) -> None:
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        times = columns.count(twice[0])
        raise ConfigError(f"data.path: {path} has the column '{twice[0]}' {times} times; rename all but one")
    if len(columns) == 1:
        for delimiter in _DELIMITERS:
            if delimiter != data.delimiter and delimiter in columns[0]:
                shown = columns[0][:60]
                raise ConfigError(
                    f"data.delimiter: {path} has one column, {shown!r}; set data.delimiter to {delimiter!r}"
                )
    if "" in columns and data.columns is None and data.transactions is None:
        raise ConfigError(
            f"data.path: column {columns.index('') + 1} of {path} has no name; name it, or list the columns"
            " to read in data.columns"
        )


def listed(names: Sequence[str]) -> str:
    """Names for a message, not too many."""
    shown = ", ".join(repr(name) for name in itertools.islice(names, _SHOWN_COLUMNS))
    return shown + (f" and {len(names) - _SHOWN_COLUMNS} more" if len(names) > _SHOWN_COLUMNS else "")
