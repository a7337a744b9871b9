"""Times as they are written, as timestamps, and timestamps as numbers of a customer."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.bad_values import refuse
from configs.cleaning import DateConfig

TIMESTAMP = pa.timestamp("us")
DAY_MICROSECONDS = 86_400_000_000

# Times with an offset.
ZONED = r"\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$"
_UTC = datetime.timezone.utc
_EPOCH = datetime.date(1970, 1, 1)
_ISO_TIME = r"^\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d(:?\d\d)?)?)?$"

# What a directive stands for, in digits; for others than these any text will do here. pandas reads ISO-like patterns
# in a hurry: it takes "20240105" and "2024-01" for %Y-%m-%d.
_DIGITS = {"Y": r"\d{4}", "f": r"\d{1,9}", "j": r"\d{1,3}", "%": "%", **dict.fromkeys("mdHIMSy", r"\d{1,2}")}


def times_of(column: pa.Array, formats: Sequence[str]) -> pa.Array:
    """A column as timestamp[us] [n], UTC; a value that is written in none of the formats is missing.

    Args:
      column: string or timestamp[us], [n].
      formats: strptime patterns, the first that fits counts; ISO 8601 where there are none.

    Raises:
      BadValueError: the column holds numbers.
    """
    if pa.types.is_timestamp(column.type):
        return column
    if not pa.types.is_string(column.type):
        refuse(column.is_valid(), column, "is a number, not a time")
        return pa.nulls(len(column), TIMESTAMP)
    if not formats:
        try:
            return iso_times(column)
        except pa.ArrowInvalid:
            text = pc.utf8_trim_whitespace(column)
            is_iso = pc.match_substring_regex(text, _ISO_TIME)
            return _parsed(pc.if_else(is_iso, text, pa.scalar(None, pa.string())), None)
    found = pa.nulls(len(column), TIMESTAMP)
    for pattern in formats:
        text = pc.utf8_trim_whitespace(column)
        open_ = pc.and_(found.is_null(), pc.match_substring_regex(text, _shape(pattern)))
        if pc.any(open_).as_py():
            found = pc.coalesce(
                found, _parsed(pc.if_else(open_, text, pa.scalar(None, pa.string())), pattern)
            )
    return found


def strict_times(column: pa.Array, time_format: str | None) -> pa.Array:
    """The same for one format or ISO 8601.

    Raises:
      BadValueError: the first value that is no such time, or a column of numbers.
    """
    times = times_of(column, [time_format] if time_format is not None else [])
    refuse(pc.and_(column.is_valid(), times.is_null()), column, no_time([time_format] if time_format else []))
    return times


def no_time(formats: Sequence[str]) -> str:
    """What is wrong with a value that is no time."""
    if not formats:
        return "is not a time in ISO 8601, such as 2024-12-31 23:59:59 (else say time_format)"
    either = f"any of the formats {', '.join(formats)}" if len(formats) > 1 else f"the format {formats[0]}"
    return f"is not a time in {either}"


def days(times: pa.Array) -> pa.Array:
    """Times as days since 1970-01-01 UTC: double [n]."""
    # A double does not hold every microsecond of 9999-12-31; what is rounded off is below 1e-10 days.
    return pc.divide(pc.cast(pc.cast(times, pa.int64()), pa.float64(), safe=False), float(DAY_MICROSECONDS))


def as_number(times: pa.Array, rule: DateConfig | None) -> pa.Array:
    """Times as the number that `data.dates` asks for: double (days) or int64 (month, weekday), [n]."""
    if rule is None or rule.as_ == "timestamp":
        return days(times)
    if rule.as_ == "month":
        return pc.month(times)
    if rule.as_ == "weekday":
        return pc.day_of_week(times, count_from_zero=False, week_start=1)
    assert rule.as_of is not None
    return pc.subtract(float((rule.as_of - _EPOCH).days), days(times))


def is_whole(rule: DateConfig | None) -> bool:
    """Whether `as_number` gives int64."""
    return rule is not None and rule.as_ in ("month", "weekday")


def naive(times: pa.Array) -> pa.Array:
    """Times in UTC without a zone; Arrow keeps zoned ones in UTC anyway."""
    return pc.cast(pc.cast(times, pa.int64()), TIMESTAMP)


def iso_times(text: pa.Array) -> pa.Array:
    """ISO 8601 as timestamp[us], in as far as Arrow reads it.

    Raises:
      pyarrow.ArrowInvalid: it does not.
    """
    zoned = pc.match_substring_regex(text, ZONED)
    if not pc.any(zoned).as_py():
        return pc.cast(text, TIMESTAMP)
    none = pa.scalar(None, pa.string())
    utc = naive(pc.cast(pc.if_else(zoned, text, none), pa.timestamp("us", "UTC")))
    return pc.coalesce(utc, pc.cast(pc.if_else(zoned, none, text), TIMESTAMP))


def _shape(pattern: str) -> str:
    expression = ""
    for piece in re.split(r"(%.|\s+)", pattern):
        if piece[:1] == "%":
            expression += _DIGITS.get(piece[1], ".+")
        else:
            expression += r"\s+" if piece.isspace() else re.escape(piece)
    return f"^{expression}$"


def _parsed(column: pa.Array, time_format: str | None) -> pa.Array:
    """Times of text; missing where they are none."""
    # Slow to import, and wanted for the patterns and the fractions that Arrow does not know only.
    import pandas as pd

    # Few distinct times in many lines: each is parsed once.
    encoded = column.dictionary_encode()
    parsed = pd.to_datetime(encoded.dictionary.to_pandas(), format=time_format, errors="coerce", utc=True)
    times: npt.NDArray[np.datetime64] = parsed.dt.tz_localize(None).to_numpy("datetime64[us]")
    # Nanoseconds, and so pandas, end in the year 2262: before 9999-12-31, which many systems write for "never".
    for index in np.flatnonzero(np.isnat(times)):
        times[index] = _far_time(encoded.dictionary[int(index)].as_py(), time_format)
    return pa.array(times, TIMESTAMP, from_pandas=True).take(encoded.indices)


def _far_time(text: str, time_format: str | None) -> np.datetime64:
    """A time of any year from 1 to 9999, UTC; not-a-time where the text is none."""
    try:
        if time_format is None:
            return np.datetime64(iso_times(pa.array([text]))[0].as_py(), "us")
        time = datetime.datetime.strptime(text, time_format)
    except (ValueError, OverflowError):
        return np.datetime64("NaT", "us")
    return np.datetime64(time if time.tzinfo is None else time.astimezone(_UTC).replace(tzinfo=None), "us")
