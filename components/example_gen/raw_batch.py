"""A batch as it was read, and its columns as they are meant; every error knows its file and row."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import hashing
from components.example_gen.bad_values import count_true
from components.example_gen.changes import MARKED_MISSING, UNREADABLE, Changes, Unreadable
from components.example_gen.convert import (
    INTEGER,
    NUMBER,
    TEXT,
    BadValueError,
    base_type,
    convert,
    convert_and_count,
    whole_number_text,
)
from components.example_gen.dates import no_time
from components.example_gen.meaning import Meaning, mean
from components.example_gen.plan import Plan, missing_value_remedy


@dataclasses.dataclass(frozen=True)
class RawBatch:
    """Rows of a file, one after the other.

    Attributes:
      plan: what columns mean.
      file: number of the file in the source.
      before: rows of the file before these.
      rows: the batch, its columns as stored.
    """

    plan: Plan
    file: int
    before: int
    rows: pa.RecordBatch

    def row_numbers(self) -> np.ndarray:
        """1 for the first row of the file: int64 [n]."""
        return np.arange(self.before + 1, self.before + len(self.rows) + 1, dtype=np.int64)

    def column(self, name: str) -> Meaning:
        """A column as `plan.kinds` says it is meant."""
        with self._placing_errors(name, self.plan.kinds[name]):
            return self.converted(name, self.rows.column(name))
        raise AssertionError("unreachable")

    def converted(self, name: str, column: pa.Array) -> Meaning:
        """Values of a column, as stored, as `plan.kinds` says they are meant.

        Raises:
          BadValueError: the first that cannot be that.
        """
        kind = self.plan.kinds[name]
        transactions = self.plan.data.transactions
        time_format = None
        stored = base_type(column)
        if transactions is not None and name == transactions.order and kind == INTEGER:
            text, marked = convert_and_count(stored, TEXT, self.plan.markers(name))
            return Meaning(whole_number_text(text), marked)
        if transactions is not None and name == transactions.time:
            time_format = transactions.time_format
        return mean(stored, name, kind, self.plan.data, time_format)

    def changes(self, name: str, meaning: Meaning) -> Changes:
        """What reading a column did to its values."""
        values = Counter({(name, MARKED_MISSING): meaning.marked} if meaning.marked else {})
        if meaning.unreadable is None or not count_true(meaning.unreadable):
            return Changes(values)
        index = pc.index(meaning.unreadable, True).as_py()
        rule, count = self.plan.data.dates[name], count_true(meaning.unreadable)
        values[name, UNREADABLE] = count
        value = str(self.rows.column(name)[index].as_py())
        first = (self.file, self.before + index + 1)
        found = Unreadable(count, first, value, no_time(rule.formats), rule.max_bad)
        return Changes(values, {name: found})

    def ids(self) -> pa.Array:
        """The customer ids as text; without an id column row numbers, after the file's name if needed."""
        name = self.plan.source.id_column
        if name is None:
            numbers = pc.cast(pa.array(self.row_numbers()), pa.string())
            label = self._file_label()
            return pc.binary_join_element_wise(label, numbers, ":") if label else numbers
        with self._placing_errors(name, TEXT):
            stored = base_type(self.rows.column(name))
            kind = TEXT if pa.types.is_string(stored.type) else NUMBER
            known = convert(stored, kind, self.plan.markers(name))
            if self.plan.data.types.get(name) in (INTEGER, NUMBER) or pa.types.is_floating(stored.type):
                return whole_number_text(known)
            return convert(pc.if_else(known.is_valid(), stored, pa.scalar(None, stored.type)), TEXT)
        raise AssertionError("unreachable")

    def row_hashes(self, seed: int) -> pa.Array:
        """A hash of each row over all columns that were read, as they were read: uint64 [n]."""
        names = sorted(self.rows.schema.names)
        columns = []
        for name in names:
            with self._placing_errors(name, TEXT):
                columns.append(hashing.as_text(base_type(self.rows.column(name))))
        return pa.array(hashing.hash_rows(columns, seed))

    @contextlib.contextmanager
    def _placing_errors(self, name: str, kind: str) -> Iterator[None]:
        try:
            yield
        except BadValueError as error:
            where = self.plan.place(self.file, self.before + error.index + 1)
            raise DataError(
                f"{where}, column '{name}': {error.value!r} {error.reason}{_remedy(name, kind, error)}"
            ) from error
        except (TypeError, pa.ArrowInvalid) as error:
            path = self.plan.source.files[self.file]
            raise DataError(f"{path}: column '{name}' cannot be read as {kind}: {error}") from error

    def _file_label(self) -> str:
        """What tells the file from the others: its path below the folder they share; '' for one alone."""
        if len(self.plan.source.files) == 1:
            return ""
        paths = [path.split("/") for path in self.plan.source.files]
        shared = 0
        while len({tuple(path[: shared + 1]) for path in paths}) == 1:
            shared += 1
        return "/".join(paths[self.file][shared:])


def _remedy(name: str, kind: str, error: BadValueError) -> str:
    if isinstance(error.value, float) and math.isinf(error.value):
        return f"; set data.missing: {{{name}: ['{error.value}']}} if it stands for missing"
    if kind in (INTEGER, NUMBER) and isinstance(error.value, str):
        return f"; {missing_value_remedy(name, error.value)}"
    return ""
