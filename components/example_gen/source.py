"""Finds the files of a configuration and checks, from their headers alone, that it can mean them.

Light on purpose: the command line asks this before anything heavy is imported.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from components.errors import DataError
from components.example_gen import files as file_system
from components.example_gen import headers, spans
from components.example_gen.attribute_table import named_in_errors, table_config
from components.example_gen.contradictions import ROW_ID, check_meaning, check_names
from components.example_gen.files import fingerprint_files
from components.example_gen.headers import Format
from components.example_gen.queried import check_query
from components.paths import is_local
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from configs.transactions import SHARE

__all__ = [
    "ROW_ID",
    "Source",
    "fingerprint_files",
    "fingerprint_source",
    "resolve_source",
    "source_from_json",
    "source_to_json",
]

# What stands for the files of a query.
QUERIED = "bigquery"

# In this order, in any case and with any punctuation.
_ID_NAMES = (
    *("customerid", "clientid", "householdid", "userid", "accountid", "memberid", "subscriberid", "personid"),
    *("custid", "customerno", "customernumber", "customerkey", "customer", "clientnum", "id"),
)


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a table and what their headers say.

    Attributes:
      files: paths, in the order in which they are read.
      span: the newest one's number; None without spans.
      format: of all files.
      columns: of the source.
      id_column: the column of the customer id; None where row numbers serve as ids.
      customer_columns: of the customer table: what is read of the source, or the id and what transactions
        give.
      file_spans: of each file; empty without spans. A file whose path has no placeholder is of the newest.
      dated: whether spans are dates, whose numbers are days since 1970-01-01.
      categories: those that get a share each, where `category_shares` only says how many.
      attributes: the table whose columns are joined to the customers.
    """

    files: tuple[str, ...]
    span: int | None
    format: Format
    columns: tuple[str, ...]
    id_column: str | None
    customer_columns: tuple[str, ...]
    file_spans: tuple[int, ...] = ()
    dated: bool = False
    categories: tuple[str, ...] = ()
    attributes: Source | None = None

    @property
    def all_files(self) -> tuple[str, ...]:
        """Those of both tables: what a run's result depends on."""
        return self.files + (self.attributes.files if self.attributes else ())

    @property
    def table_columns(self) -> tuple[str, ...]:
        """The columns of the customer table that are columns of the files."""
        return tuple(column for column in self.customer_columns if column in self.columns)

    @property
    def span_name(self) -> int | str | None:
        """The newest span for people: its number or its date."""
        return None if self.span is None else spans.name_of(self.span, self.dated)

    @property
    def span_names(self) -> list[int | str]:
        """All spans that are read, oldest first."""
        return spans.names_of(sorted(set(self.file_spans)), self.dated)

    @property
    def is_queried(self) -> bool:
        """Whether the rows are those of a query, so that nothing is known before it has run."""
        return self.format == "bigquery"

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
    if data.bigquery is not None:
        check_query(config)
        return Source((QUERIED,), None, "bigquery", (), data.id, ())
    paths, file_spans = _find_files(data)
    form = headers.format_of(paths, data)
    columns, rows = headers.read_headers(paths, form, data)
    if not rows:
        others = f" and {len(paths) - 1} more files" if len(paths) > 1 else ""
        raise DataError(f"{paths[0]}{others}: no rows after the header")
    check_names(data.named_columns, columns, f"in {paths[0]}")
    id_column = data.id or _usual_id(columns)
    if id_column is None and data.transactions is not None:
        raise ConfigError(
            f"data.id: say which column of {paths[0]} is the customer id: {headers.listed(columns)}"
        )
    if id_column is None and data.window > 1:
        raise ConfigError(
            f"data.id: say which column of {paths[0]} is the customer id: with data.window {data.window} the spans "
            "hold the same customers"
        )
    check_meaning(data, columns, id_column, paths[0])
    source = Source(
        files=tuple(paths),
        span=max(file_spans, default=None),
        format=form,
        columns=columns,
        id_column=id_column,
        customer_columns=_customer_columns(data, columns, id_column),
        file_spans=tuple(file_spans),
        dated=spans.is_dated(data),
    )
    source = _with_attributes(config, _with_categories(data, source))
    customer_columns = source.customer_columns
    check_names(
        {
            **dict.fromkeys(config.evaluation.slices, "evaluation.slices"),
            **dict.fromkeys(config.drift.features.columns, "drift.features.columns"),
            **config.features.named_columns,
            **config.selection.named_columns,
        },
        customer_columns,
        "in the customer table",
    )
    if id_column is not None and id_column in config.selection.named_columns:
        key = config.selection.named_columns[id_column]
        raise ConfigError(f"{key}: '{id_column}' is the customer id, which says nothing about a customer")
    if id_column in config.evaluation.slices:
        raise ConfigError(
            f"evaluation.slices: '{id_column}' is the customer id, each of its slices would hold one customer;"
            " name a column that groups customers"
        )
    return source


def fingerprint_source(source: Source, cache: dict[str, Any] | None = None) -> list[list[Any]]:
    """`fingerprint_files` of the source; of a query, which no digest stands for, the moment: it is always new."""
    if not source.is_queried:
        return fingerprint_files(source.all_files, cache)
    now = datetime.datetime.now(datetime.timezone.utc)
    return [[source.files[0], 0, now.isoformat(timespec="milliseconds")]]


def source_to_json(source: Source, fingerprints: Sequence[Sequence[Any]]) -> str:
    """A source and what its files hold, as text that is equal where both are."""
    content = dataclasses.asdict(source)
    content["files"] = [list(fingerprint) for fingerprint in fingerprints[: len(source.files)]]
    if source.attributes is not None:
        content["attributes"]["files"] = [list(each) for each in fingerprints[len(source.files) :]]
    return json.dumps(content, sort_keys=True)


def source_from_json(text: str) -> tuple[Source, list[list[Any]]]:
    """The source and the fingerprints of `source_to_json`."""
    content = json.loads(text)
    fingerprints = content["files"] + (content["attributes"] or {"files": []})["files"]
    return _source_of(content), fingerprints


def _source_of(content: dict[str, Any]) -> Source:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in content.items()
    }
    fields["files"] = tuple(path for path, *_ in content["files"])
    fields["attributes"] = _source_of(content["attributes"]) if content["attributes"] else None
    return Source(**fields)


def _with_categories(data: DataConfig, source: Source) -> Source:
    parts = data.transactions
    if parts is None or not isinstance(parts.category_shares, int):
        return source
    # Only here are rows read: what reads them needs a source, so it is imported where there is one.
    from components.example_gen.categories import most_frequent

    found = most_frequent(data, source)
    columns = (source.id_name, *parts.columns_made(found))
    return dataclasses.replace(source, categories=found, customer_columns=columns)


def _with_attributes(config: PipelineConfig, source: Source) -> Source:
    if config.data.attributes is None:
        return source
    if source.id_column is None:
        raise ConfigError(
            f"data.id: say which column of {source.files[0]} is the customer id: data.attributes are joined by it"
        )
    with named_in_errors():
        joined = resolve_source(PipelineConfig(name=config.name, data=table_config(config.data.attributes)))
    names = [column for column in joined.customer_columns if column != joined.id_column]
    twice = sorted(set(names) & {*source.customer_columns, source.id_name})
    if twice:
        raise ConfigError(
            f"data.attributes: '{twice[0]}' is a column of the customer table and of {joined.files[0]}; list the"
            " others in data.attributes.columns, or rename it"
        )
    parts = config.data.transactions
    shares = sorted(name for name in names if name.startswith(SHARE))
    if parts is not None and parts.category_shares is not None and shares:
        raise ConfigError(
            f"data.attributes: '{shares[0]}' reads as the share of a category; rename it, or list the others in"
            " data.attributes.columns"
        )
    return dataclasses.replace(source, attributes=joined, customer_columns=(*source.customer_columns, *names))


def _find_files(data: DataConfig) -> tuple[list[str], list[int]]:
    """Paths in the order in which they are read, older spans first, and the span of each."""
    chosen = spans.choose_spans(data)
    found: list[tuple[str, int]] = []
    for pattern in data.paths:
        if is_local(pattern) and Path(pattern).is_dir():
            example = Path(pattern, "*.csv")
            raise ConfigError(f"data.path: {pattern} is a folder; name its files, such as {example}")
        if spans.has_span(pattern):
            matched = [(path, number) for path, number in spans.files_of(pattern) if number in chosen]
            is_there = any(number == chosen[-1] for _, number in matched)
        else:
            newest = chosen[-1] if chosen else 0
            matched = [(path, newest) for path in file_system.matching(pattern)]
            is_there = bool(matched)
        if not is_there:
            newest_name = spans.name_of(chosen[-1], spans.is_dated(data)) if chosen else None
            raise ConfigError(f"data.path: {_nothing_found(pattern, newest_name)}")
        found += matched
    ordered = sorted(dict(found).items(), key=lambda item: item[1])
    return [path for path, _ in ordered], [number for _, number in ordered] if chosen else []


def _nothing_found(pattern: str, span: int | str | None) -> str:
    if spans.has_span(pattern):
        return f"no file of span {span} matches {pattern}"
    return f"no file matches {pattern}" if re.search(r"[*?[]", pattern) else f"there is no file {pattern}"


def _customer_columns(data: DataConfig, columns: tuple[str, ...], id_column: str | None) -> tuple[str, ...]:
    if data.transactions is not None:
        return (cast(str, id_column), *data.transactions.columns_made())
    if data.columns is None:
        return columns
    return tuple(column for column in columns if column in data.columns or column == id_column)


def _usual_id(columns: Sequence[str]) -> str | None:
    bare = {re.sub(r"[^a-z0-9]", "", name.casefold()): name for name in reversed(columns)}
    return next((bare[name] for name in _ID_NAMES if name in bare), None)
