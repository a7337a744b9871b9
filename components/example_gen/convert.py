"""Turns a column as it was read into what it means: text, whole numbers, numbers or times."""

from __future__ import annotations

import dataclasses
import datetime
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What a column means. `time` is UTC where no zone is written.
TEXT, INTEGER, NUMBER, TIME = "text", "integer", "number", "time"

TIMESTAMP = pa.timestamp("us")
DAY_MICROSECONDS = 86_400_000_000

_NUMBER = r"^[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|(?i:nan|inf|infinity))$"
_INTEGER = r"^[+-]?\d+$"
# Times with an offset.
ZONED = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"
_UTC = datetime.timezone.utc
_TOO_LARGE = 2.0**63
_ISO_TIME = r"^\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$"


@dataclasses.dataclass
class BadValueError(Exception):
    """A value that is not what its column is said to hold; `index` is its place in the batch."""

    index: int
    value: Any
    reason: str


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
        return _naive(pc.cast(column, pa.timestamp("us", getattr(kind, "tz", None)), safe=False))
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
    if pa.types.is_string(column.type):
        column = _without(column, pa.array(["", *map(as_written, markers)], pa.string()))
    if kind == TEXT:
        return _text(column)
    if kind == TIME:
        return _times(column, time_format)
    wanted = pa.array([value for value in map(_as_number, markers) if value is not None], pa.float64())
    if pa.types.is_string(column.type):
        return _without(_numbers_of(column, kind, strict), wanted)
    # Before anything is refused: an infinity may be what stands for missing.
    return _numbers_of(_without(column, wanted), kind, strict)


def number_share(column: pa.Array) -> tuple[float, int | None]:
    """The share of numbers among the values of a text column [n] that has any, and the first that is none."""
    text = column.drop_null()
    is_number = pc.match_substring_regex(pc.utf8_trim_whitespace(text), _NUMBER)
    if pc.all(is_number).as_py():
        return 1.0, None
    positions = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    return pc.mean(is_number).as_py(), int(positions[pc.index(is_number, False).as_py()])


def days(times: pa.Array) -> pa.Array:
    """Times as days since 1970-01-01 UTC: double [n]."""
    # A double does not hold every microsecond of 9999-12-31; what is rounded off is below 1e-10 days.
    return pc.divide(pc.cast(pc.cast(times, pa.int64()), pa.float64(), safe=False), float(DAY_MICROSECONDS))


def as_written(value: Any) -> str:
    """A value of the configuration as it would be written in a file."""
    return value if isinstance(value, str) else json.dumps(value)


def whole_number_text(column: pa.Array) -> pa.Array:
    """Whole numbers, however written, as text without a fraction: "17850.0" and 17850.0 become "17850".

    Raises:
      BadValueError: a value is no whole number.
    """
    return pc.cast(_integers(column), pa.string())


def _without(column: pa.Array, values: pa.Array) -> pa.Array:
    """The column with these values missing."""
    if not len(values) or pa.types.is_timestamp(column.type) or pa.types.is_null(column.type):
        return column
    if pa.types.is_integer(column.type):
        gone = pc.is_in(pc.cast(column, pa.float64(), safe=False), value_set=values)
    else:
        gone = pc.is_in(column, value_set=values)
    return pc.if_else(gone, pa.scalar(None, column.type), column) if pc.any(gone).as_py() else column


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
        _refuse(pc.is_inf(numbers), column, "is infinite")
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
    _refuse(pc.not_equal(numbers, pc.trunc(numbers)), column, "is not a whole number")
    _refuse(pc.greater_equal(pc.abs(numbers), _TOO_LARGE), column, "is too large for a whole number")
    return pc.cast(numbers, pa.int64())


def _unusual_integers(column: pa.Array) -> pa.Array:
    """Whole numbers written as "17850.0", "+5" or " 5 "; "nan" is missing, as in a column of numbers."""
    numbers = _numbers(column)
    text = pc.if_else(numbers.is_valid(), pc.utf8_trim_whitespace(column), pa.scalar(None, pa.string()))
    digits = _plain(pc.replace_substring_regex(text, r"\.0*$", ""), _INTEGER, "is not a whole number")
    _refuse(pc.greater_equal(pc.abs(numbers), _TOO_LARGE), column, "is too large for a whole number")
    return pc.cast(digits, pa.int64())


def _plain(column: pa.Array, pattern: str, reason: str) -> pa.Array:
    """Text that matches the pattern once spaces around it are gone, without a leading plus."""
    trimmed = pc.utf8_trim_whitespace(column)
    _refuse(pc.invert(pc.match_substring_regex(trimmed, pattern)), column, reason)
    return pc.utf8_ltrim(trimmed, "+")


def _times(column: pa.Array, time_format: str | None) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return column
    if not pa.types.is_string(column.type):
        _refuse(column.is_valid(), column, "is a number, not a time")
        return pa.nulls(len(column), TIMESTAMP)
    if time_format is not None:
        return _parsed_times(column, time_format, f"is not a time in the format {time_format}")
    try:
        return _iso_times(column)
    except pa.ArrowInvalid:
        reason = "is not a time in ISO 8601, such as 2024-12-31 23:59:59 (else say time_format)"
        text = pc.utf8_trim_whitespace(column)
        _refuse(pc.invert(pc.match_substring_regex(text, _ISO_TIME)), column, reason)
        return _parsed_times(text, None, reason)


def _iso_times(text: pa.Array) -> pa.Array:
    zoned = pc.match_substring_regex(text, ZONED)
    if not pc.any(zoned).as_py():
        return pc.cast(text, TIMESTAMP)
    none = pa.scalar(None, pa.string())
    utc = _naive(pc.cast(pc.if_else(zoned, text, none), pa.timestamp("us", "UTC")))
    return pc.coalesce(utc, pc.cast(pc.if_else(zoned, none, text), TIMESTAMP))


def _naive(times: pa.Array) -> pa.Array:
    """Times in UTC without a zone; Arrow keeps zoned ones in UTC anyway."""
    return pc.cast(pc.cast(times, pa.int64()), TIMESTAMP)


def _parsed_times(column: pa.Array, time_format: str | None, reason: str) -> pa.Array:
    # Slow to import, and wanted for the patterns and the fractions that Arrow does not know only.
    import pandas as pd

    # Few distinct times in many lines: each is parsed once.
    encoded = column.dictionary_encode()
    parsed = pd.to_datetime(encoded.dictionary.to_pandas(), format=time_format, errors="coerce", utc=True)
    naive = parsed.dt.tz_localize(None).to_numpy("datetime64[us]")
    # Nanoseconds, and so pandas, end in the year 2262: before 9999-12-31, which many systems write for "never".
    for index in np.flatnonzero(np.isnat(naive)):
        naive[index] = _far_time(encoded.dictionary[int(index)].as_py(), time_format)
    times = pa.array(naive, TIMESTAMP, from_pandas=True).take(encoded.indices)
    _refuse(pc.and_(column.is_valid(), times.is_null()), column, reason)
    return times


def _far_time(text: str, time_format: str | None) -> np.datetime64:
    """A time of any year from 1 to 9999, UTC; not-a-time where the text is none."""
    try:
        if time_format is None:
            return np.datetime64(_iso_times(pa.array([text]))[0].as_py(), "us")
        time = datetime.datetime.strptime(text, time_format)
    except (ValueError, OverflowError):
        return np.datetime64("NaT", "us")
    return np.datetime64(time if time.tzinfo is None else time.astimezone(_UTC).replace(tzinfo=None), "us")


def _refuse(bad: pa.Array, column: pa.Array, reason: str) -> None:
    index = pc.index(bad, True).as_py()
    if index >= 0:
        raise BadValueError(index, column[index].as_py(), reason)


def _as_number(marker: Any) -> float | None:
    try:
        return float(marker)
    except ValueError:
        return None
