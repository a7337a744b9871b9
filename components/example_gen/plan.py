"""What is read of a source and what each of its columns means, decided once and the same for every worker."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import bounds, diagnosis, headers
from components.example_gen.attribute_table import named_in_errors, table_config
from components.example_gen.conditions import meets
from components.example_gen.convert import (
    INTEGER,
    NUMBER,
    TEXT,
    TIME,
    TIMESTAMP,
    as_written,
    is_number,
    kind_of,
    number_share,
)
from components.example_gen.json_lines import line_of
from components.example_gen.meaning import markers_of
from components.example_gen.numbers import proposal
from components.example_gen.quotes import check_quotes
from components.example_gen.readers import read_batches
from components.example_gen.source import Source
from configs.condition import Condition
from configs.data import DataConfig
from configs.errors import ConfigError

_SAMPLED_FILES = 8
_SAMPLED_BYTES = 8 << 20

# From this share of numbers on, a text in a column is taken for a mistake and not for the column's nature.
_NUMERIC_SHARE = 0.9


@dataclasses.dataclass(frozen=True)
class Plan:
    """Decided before reading.

    Attributes:
      data: the configuration.
      source: the files.
      kinds: what each column that is read means, without the customer id.
      features: the columns of the customer table in the source's order, without the id; none of transactions.
      end: of the period of transactions, microseconds since 1970-01-01 UTC, as far as it is known before reading.
      attributes: how the table is read whose columns are joined to the customers; None without one.
    """

    data: DataConfig
    source: Source
    kinds: dict[str, str]
    features: tuple[str, ...]
    end: int | None = None
    attributes: Plan | None = None

    @property
    def needed(self) -> list[str]:
        """The columns that are read, the id among them."""
        wanted = {*self.kinds, *filter(None, [self.source.id_column])}
        return [column for column in self.source.columns if column in wanted]

    @property
    def read(self) -> list[str]:
        """The same, and all others where whole rows are compared."""
        return list(self.source.columns) if self.data.duplicate_rows == "drop" else self.needed

    @property
    def delimiter(self) -> str | None:
        """Of CSV; None of other formats."""
        return self.data.delimiter if self.source.format == "csv" else None

    def place(self, file: int, row: int) -> str:
        """Where a row is, for people."""
        line = line_of(self.source.files[file], row) if self.source.format == "jsonl" else None
        if line is not None:
            return f"{self.source.files[file]}: line {line} (row {row})"
        return diagnosis.place(self.source.files[file], row, self.delimiter, self.data.encoding)

    def markers(self, column: str) -> list[int | float | str]:
        """What stands for missing in a column."""
        return markers_of(self.data, column)


def make_plan(data: DataConfig, source: Source) -> Plan:
    """Decides what every column means: by the configuration, else by the first rows of the first files.

    Raises:
      DataError: a column is neither clearly text nor clearly numbers, or cannot be part of a customer table.
      ConfigError: a condition compares a column with something that it cannot hold.
    """
    known = _known_kinds(data, source)
    open_columns = [column for column in _columns(data, source) if known.get(column, "") == ""]
    draft = Plan(data, source, {**dict.fromkeys(open_columns, TEXT), **known}, ())
    found = _csv_kinds(draft, open_columns) if source.format == "csv" else _stored_kinds(draft, open_columns)
    kinds = {column: known.get(column) or found[column] or TEXT for column in _columns(data, source)}
    if data.repeats_by is not None and kinds[data.repeats_by] == TEXT:
        # Whatever else is no time, and that is said with its row.
        kinds[data.repeats_by] = TIME
    _check_conditions(data, source, kinds)
    features = () if data.transactions else tuple(c for c in source.table_columns if c != source.id_column)
    end = data.transactions.end if data.transactions else None
    return Plan(data, source, kinds, features, end, _attributes_plan(data, source))


def _attributes_plan(data: DataConfig, source: Source) -> Plan | None:
    if data.attributes is None or source.attributes is None:
        return None
    with named_in_errors():
        return make_plan(table_config(data.attributes), source.attributes)


def _check_conditions(data: DataConfig, source: Source, kinds: dict[str, str]) -> None:
    stored = {TEXT: pa.string(), INTEGER: pa.int64(), NUMBER: pa.float64(), TIME: TIMESTAMP}
    for condition in data.conditions:
        kind = TEXT if condition.column == source.id_column else kinds[condition.column]
        try:
            meets(pa.array([], stored[kind]), condition)
        except ConfigError as error:
            if condition in data.keep:
                raise
            raise ConfigError(str(error).replace("data.keep", "data.transactions.returns.when", 1)) from error
    for column, rule in data.bounds.items():
        bounds.check(pa.array([], stored[kinds[column]]), column, rule)


def missing_value_remedy(column: str, value: object) -> str:
    """What to write into the configuration when a value is no number."""
    written = proposal(pa.array([str(value)]), 1.0)
    if written is not None:
        return f"say how the numbers are written, such as data.numbers: {{{column}: {written[1]}}}"
    missing, text = f"data.missing: {{{column}: [{value!r}]}}", f"data.types: {{{column}: text}}"
    return f"set {missing} if it stands for missing, or {text}"


def _columns(data: DataConfig, source: Source) -> list[str]:
    """The columns that are read, without the id."""
    conditions = {condition.column for condition in data.conditions} | _judged(data)
    wanted = set(data.transactions.columns) if data.transactions else set(source.table_columns)
    return [c for c in source.columns if c in wanted | conditions and c != source.id_column]


def _judged(data: DataConfig) -> set[str]:
    """Columns that decide about rows by what they hold, whether they are the customer's or not."""
    return {*data.bounds, *filter(None, [data.repeats_by])}


def _known_kinds(data: DataConfig, source: Source) -> dict[str, str]:
    kinds: dict[str, str] = {}
    only_conditions = set(_columns(data, source)) - set(source.table_columns) - _judged(data)
    for column in only_conditions:
        if all(_is_textual(condition) for condition in data.conditions if condition.column == column):
            kinds[column] = TEXT
    kinds.update(dict.fromkeys(data.numbers, NUMBER))
    kinds.update({column: kind for column, kind in data.types.items() if column != source.id_column})
    kinds.update(dict.fromkeys(data.dates, TIME))
    if data.transactions is not None:
        parts = data.transactions
        kinds[parts.time] = TIME
        kinds.update(dict.fromkeys(parts.numbers, NUMBER))
        for column in filter(None, (parts.order, parts.category, parts.product)):
            # It may be one of the others: orders are distinct times then.
            kinds.setdefault(column, TEXT)
    return {column: kind for column, kind in kinds.items() if column in _columns(data, source)}


def _is_textual(condition: Condition) -> bool:
    """Whether a condition means text whatever the column holds."""
    operands = [condition.gt, condition.ge, condition.lt, condition.le, condition.eq, condition.ne]
    operands += [
        *(condition.is_in or []),
        *(condition.not_in or []),
        condition.matches,
        condition.not_matches,
    ]
    return all(operand is None or isinstance(operand, str) for operand in operands)


def _stored_kinds(plan: Plan, columns: Sequence[str]) -> dict[str, str | None]:
    kinds: dict[str, str | None] = dict.fromkeys(columns)
    for path in plan.source.files:
        schema, _ = headers.stored_schema(path, plan.source.format)
        for column in set(columns) & set(schema.names):
            kinds[column] = _either(kinds[column], _stored_kind(path, schema.field(column)))
    if plan.source.format == "parquet":
        return kinds
    # The first rows need not have them.
    undecided = [column for column in columns if kinds[column] is None]
    for path, _, batch in _all_batches(plan, undecided):
        for column in undecided:
            kinds[column] = _stored_kind(path, batch.schema.field(column))
        undecided = [column for column in undecided if kinds[column] is None]
        if not undecided:
            break
    return kinds


def _stored_kind(path: str, field: pa.Field) -> str | None:
    try:
        return kind_of(field.type)
    except TypeError as error:
        raise DataError(
            f"{path}: column '{field.name}' is {error}, not text or numbers; list the others in data.columns"
        ) from error


def _either(one: str | None, other: str | None) -> str | None:
    """What a column means that means one thing in one file and another in the next."""
    if one is None or other is None or one == other:
        return one or other
    return NUMBER if {one, other} == {INTEGER, NUMBER} else TEXT


def _csv_kinds(plan: Plan, columns: Sequence[str]) -> dict[str, str | None]:
    kinds: dict[str, str | None] = dict.fromkeys(columns)
    # By name: the order in which files are listed does not change what a column means.
    for path in sorted(plan.source.files)[:_SAMPLED_FILES]:
        for batch in _first(plan, path, columns):
            for column in columns:
                kinds[column] = _either(kinds[column], _sampled_kind(plan, path, 0, batch, column))
    undecided = [column for column in columns if kinds[column] is None]
    for path, before, batch in _all_batches(plan, undecided):
        for column in undecided:
            kinds[column] = _sampled_kind(plan, path, before, batch, column)
        undecided = [column for column in undecided if kinds[column] is None]
        if not undecided:
            break
    return kinds


def _first(plan: Plan, path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The first batch of a file, if it has any rows and any column is wanted."""
    if columns:
        bytes_each = _SAMPLED_BYTES // min(len(plan.source.files), _SAMPLED_FILES)
        yield from itertools.islice(read_batches(path, columns, plan.source, plan.data, bytes_each), 1)


def _all_batches(plan: Plan, columns: Sequence[str]) -> Iterator[tuple[str, int, pa.RecordBatch]]:
    """Every batch of the source with the rows of its file before it: for columns that start with nothing."""
    for path in plan.source.files if columns else ():
        before = 0
        for batch in read_batches(path, columns, plan.source, plan.data):
            yield path, before, batch
            before += len(batch)


def _sampled_kind(plan: Plan, path: str, before: int, batch: pa.RecordBatch, column: str) -> str | None:
    """What the text of a column means, as far as these rows say; None where all are missing."""
    markers = pa.array(["", *map(as_written, plan.markers(column))], pa.string())
    is_missing = pc.is_in(batch.column(column), value_set=markers)
    text = pc.if_else(is_missing, pa.scalar(None, pa.string()), batch.column(column))
    if text.null_count == len(text):
        return None
    share, first_text = number_share(text)
    if first_text is None:
        whole = pc.match_substring_regex(text.drop_null(), r"^\s*[+-]?\d{1,18}\s*$")
        return INTEGER if pc.all(whole).as_py() else NUMBER
    if share < _NUMERIC_SHARE:
        _refuse_numbers_for_people(plan, path, before, text, column, share)
        return TEXT
    # What looks like a value may be the rest of the file.
    check_quotes(path, plan.data.delimiter, plan.data.encoding)
    value = text[first_text].as_py()
    where = plan.place(plan.source.files.index(path), before + first_text + 1)
    raise DataError(
        f"{where}, column '{column}': {value!r} is not a number, but {share:.1%} of the values are; "
        + missing_value_remedy(column, value)
    )


def _refuse_numbers_for_people(
    plan: Plan, path: str, before: int, text: pa.Array, column: str, share: float
) -> None:
    """Refuses a column of "1,234.50" and "$12", of which silence would make categories."""
    is_other = pc.and_(text.is_valid(), pc.invert(is_number(text)))
    others = text.filter(is_other)
    found = proposal(others, 1 - (1 - _NUMERIC_SHARE) / (1 - share))
    if found is None:
        return
    index, written = found
    place = int(np.flatnonzero(is_other.to_numpy(zero_copy_only=False))[index])
    raise DataError(
        f"{plan.place(plan.source.files.index(path), before + place + 1)}, column '{column}':"
        f" {others[index].as_py()!r} looks like a number that is written for people; say how with data.numbers:"
        f" {{{column}: {written}}}, or set data.types: {{{column}: text}}"
    )
