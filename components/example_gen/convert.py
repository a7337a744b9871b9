"""Turns a column as it was read into what it means: text, whole numbers, numbers or times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.bad_values import BadValueError, count_true, refuse
from components.example_gen.dates import DAY_MICROSECONDS, TIMESTAMP, days, naive, strict_times

__all__ = ["DAY_MICROSECONDS", "INTEGER", "NUMBER", "TEXT", "TIME", "TIMESTAMP", "BadValueError", "days"]

# What a column means. `time` is UTC where no zone is written.
TEXT, INTEGER, NUMBER, TIME = "text", "integer", "number", "time"

_NUMBER = r"^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|(?i:nan|inf|infinity))$"
_INTEGER = r"^[+-]?\d+$"
_TOO_LARGE = 2.0**63


def base_type(column: pa.Array) -> pa.Array:
    """A column as stored in a file, as one of: string, int64, double, timestamp[us], null.

    Raises:
      TypeError: the column is nested, or of a kind that has no place in a customer table.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return base_type(column.dictionary_decode())
    if pa.types.is_string(kind) or pa.types.is_null(kind) or kind in (pa.int64(), pa.float64(), TIMESTAMP):
        return column
    if pa.types.is_boolean(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return pc.cast(column, pa.string())
    if pa.types.is_integer(kind):
        fits = kind != pa.uint64() or (pc.max(column).as_py() or 0) < 1 << 63
        return pc.cast(column, pa.int64() if fits else pa.float64(), safe=fits)
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.cast(column, pa.float64())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        # Finer than a microsecond is cut off; a zone is dropped, the values are UTC anyway.
        return naive(pc.cast(column, pa.timestamp("us", getattr(kind, "tz", None)), safe=False))
    raise TypeError(str(kind))


def kind_of(stored: pa.DataType) -> str | None:
    """What a stored type means; None where no value says it.

    Raises:
      TypeError: as `base_type`.
    """
    base = base_type(pa.array([], stored)).type
    return {pa.string(): TEXT, pa.int64(): INTEGER, pa.float64(): NUMBER, TIMESTAMP: TIME}.get(base)


def convert(
    column: pa.Array,
    kind: str,
    markers: Sequence[Any] = (),
    time_format: str | None = None,
    strict: bool = True,
) -> pa.Array:
    """A column as what it means.

    Args:
      column: one of the types of `base_type`, [n].
      kind: `text`, `integer`, `number` or `time`.
      markers: values that stand for missing: compared as text where the column was read as text, and
        as numbers where it holds numbers. The empty text is always missing, and so is not-a-number.
      time_format: strptime pattern of times written as text; None: ISO 8601.
      strict: `integer` refuses a number with a fraction; else all of the column becomes double.

    Returns:
      [n]: string, int64, double or timestamp[us].

    Raises:
      BadValueError: the first value that cannot be converted, or an infinity.
    """
    return convert_and_count(column, kind, markers, time_format, strict)[0]


def convert_and_count(
    column: pa.Array,
    kind: str,
    markers: Sequence[Any] = (),
    time_format: str | None = None,
    strict: bool = True,
) -> tuple[pa.Array, int]:
    """The same, and how many values were markers."""
    column, as_text = without_markers(column, markers)
    if kind == TEXT:
        return _text(column), as_text
    if kind == TIME:
        return strict_times(column, time_format), as_text
    wanted = [value for value in map(_as_number, markers) if value is not None]
    if pa.types.is_string(column.type):
        column, as_numbers = _without(_numbers_of(column, kind, strict), wanted)
        return column, as_text + as_numbers
    # Before anything is refused: an infinity may be what stands for missing.
    column, as_numbers = _without(column, wanted)
    return _numbers_of(column, kind, strict), as_numbers


def without_markers(column: pa.Array, markers: Sequence[Any]) -> tuple[pa.Array, int]:
    """A column that was read as text without what stands for missing as text, and how many values that were.

    The empty text goes too, and does not count.
    """
    if not pa.types.is_string(column.type):
        return column, 0
    return _without(_without(column, [""])[0], [as_written(marker) for marker in markers])


def number_share(column: pa.Array) -> tuple[float, int | None]:
    """The share of numbers among the values of a text column [n] that has any, and the first that is none."""
    text = column.drop_null()
    numbers = is_number(text)
    if pc.all(numbers).as_py():
        return 1.0, None
    positions = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    return pc.mean(numbers).as_py(), int(positions[pc.index(numbers, False).as_py()])


def is_number(text: pa.Array) -> pa.Array:
    """Which text [n] is a number in plain notation: bool [n]."""
    return pc.match_substring_regex(pc.utf8_trim_whitespace(text), _NUMBER)


def as_written(value: Any) -> str:
    """A value of the configuration as it would be written in a file."""
    return value if isinstance(value, str) else json.dumps(value)


def whole_number_text(column: pa.Array) -> pa.Array:
    """Whole numbers, however written, as text without a fraction: "17850.0" and 17850.0 become "17850".

    Raises:
      BadValueError: a value is no whole number.
    """
    return pc.cast(_integers(column), pa.string())


def _without(column: pa.Array, values: Sequence[Any]) -> tuple[pa.Array, int]:
    """The column with these values missing, and how many there were."""
    if not values or pa.types.is_timestamp(column.type) or pa.types.is_null(column.type):
        return column, 0
    wanted = pa.array(values, pa.string() if pa.types.is_string(column.type) else pa.float64())
    if pa.types.is_integer(column.type):
        gone = pc.is_in(pc.cast(column, pa.float64(), safe=False), value_set=wanted)
    else:
        gone = pc.is_in(column, value_set=wanted)
    count = count_true(gone)
    return (pc.if_else(gone, pa.scalar(None, column.type), column) if count else column), count


def _text(column: pa.Array) -> pa.Array:
    return column if pa.types.is_string(column.type) else pc.cast(column, pa.string())


def _numbers(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return days(column)
    if pa.types.is_string(column.type):
        try:
            numbers = pc.cast(column, pa.float64())
        except pa.ArrowInvalid:
            numbers = pc.cast(_plain(column, _NUMBER, "is not a number"), pa.float64())
    else:
        numbers = pc.cast(column, pa.float64(), safe=False)
    if not pc.all(pc.is_finite(numbers)).as_py():
        refuse(pc.is_inf(numbers), column, "is infinite")
        numbers = pc.if_else(pc.is_nan(numbers), pa.scalar(None, pa.float64()), numbers)
    return numbers


def _numbers_of(column: pa.Array, kind: str, strict: bool) -> pa.Array:
    if kind == NUMBER:
        return _numbers(column)
    try:
        return _integers(column)
    except BadValueError:
        if strict:
            raise
        return _numbers(column)


def _integers(column: pa.Array) -> pa.Array:
    if pa.types.is_integer(column.type):
        return column
    if pa.types.is_string(column.type):
        try:
            # Arrow takes "0x10" for a whole number; as double it refuses it.
            pc.cast(column, pa.float64())
            return pc.cast(column, pa.int64())
        except pa.ArrowInvalid:
            return _unusual_integers(column)
    numbers = _numbers(column)
    refuse(pc.not_equal(numbers, pc.trunc(numbers)), column, "is not a whole number")
    refuse(pc.greater_equal(pc.abs(numbers), _TOO_LARGE), column, "is too large for a whole number")
    return pc.cast(numbers, pa.int64())


def _unusual_integers(column: pa.Array) -> pa.Array:
    """Whole numbers written as "17850.0", "+5" or " 5 "; "nan" is missing, as in a column of numbers."""
    numbers = _numbers(column)
    text = pc.if_else(numbers.is_valid(), pc.utf8_trim_whitespace(column), pa.scalar(None, pa.string()))
    digits = _plain(pc.replace_substring_regex(text, r"\.0*$", ""), _INTEGER, "is not a whole number")
    refuse(pc.greater_equal(pc.abs(numbers), _TOO_LARGE), column, "is too large for a whole number")
    return pc.cast(digits, pa.int64())


def _plain(column: pa.Array, pattern: str, reason: str) -> pa.Array:
    """Text that matches the pattern once spaces around it are gone, without a leading plus."""
    trimmed = pc.utf8_trim_whitespace(column)
    refuse(pc.invert(pc.match_substring_regex(trimmed, pattern)), column, reason)
    return pc.utf8_ltrim(trimmed, "+")


def _as_number(marker: Any) -> float | None:
    try:
        return float(marker)
    except ValueError:
        return None
