"""A column's stored values as the configuration means them: markers, numbers and dates as they are written."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.bad_values import refuse
from components.example_gen.convert import TIME, convert_and_count, without_markers
from components.example_gen.dates import no_time, times_of
from components.example_gen.numbers import plain_numbers
from configs.data import DataConfig


@dataclasses.dataclass(frozen=True)
class Meaning:
    """Values as they are meant.

    Attributes:
      values: string, int64, double or timestamp[us], [n].
      marked: how many stood for missing.
      unreadable: bool [n], where a value was no time and became missing; None where that was not allowed.
    """

    values: pa.Array
    marked: int = 0
    unreadable: pa.Array | None = None


def markers_of(data: DataConfig, column: str) -> list[int | float | str]:
    """What stands for missing in a column."""
    return [*data.missing.get(column, []), *data.missing.get("*", [])]


def mean(
    stored: pa.Array,
    name: str,
    kind: str,
    data: DataConfig,
    time_format: str | None = None,
    exact: bool = False,
) -> Meaning:
    """A column as what it means.

    Args:
      stored: one of the types of `convert.base_type`, [n].
      name: of the column.
      kind: `text`, `integer`, `number` or `time`.
      data: the configuration.
      time_format: of a column that `data.dates` does not describe.
      exact: nothing is let through that has a limit in a table: no value that is no time, no fraction in a column
        that is only taken for whole numbers.

    Raises:
      BadValueError: a value is not what the column holds.
    """
    markers, strict = markers_of(data, name), exact or name in data.types
    if name in data.dates and kind == TIME:
        rule = data.dates[name]
        known, marked = without_markers(stored, markers)
        times = times_of(known, rule.formats)
        unreadable = pc.and_(known.is_valid(), times.is_null())
        if exact or not rule.max_bad:
            refuse(unreadable, known, no_time(rule.formats))
            return Meaning(times, marked)
        return Meaning(times, marked, unreadable)
    if name in data.numbers and pa.types.is_string(stored.type):
        known, marked = without_markers(stored, markers)
        values, more = convert_and_count(
            plain_numbers(known, data.numbers[name]), kind, markers, None, strict
        )
        return Meaning(values, marked + more)
    return Meaning(*convert_and_count(stored, kind, markers, time_format, strict))
