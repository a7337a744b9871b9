"""When a transaction was: the time zone it is meant in, its day there, and the rows whose time cannot be read."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.convert import BadValueError
from components.example_gen.dates import DAY_MICROSECONDS, TIMESTAMP, ZONED
from components.example_gen.meaning import Meaning
from components.example_gen.plan import Plan
from components.example_gen.raw_batch import RawBatch
from components.example_gen.tally import Tally

# 1970-01-01 was a Thursday; Monday is 0.
_FIRST_WEEKDAY = 3


@dataclasses.dataclass(frozen=True)
class Unreadable:
    """Rows of a batch whose time cannot be read.

    Attributes:
      rows: bool [n].
      tally: how many, and the first.
    """

    rows: np.ndarray
    tally: Tally

    def dropped_from(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The other rows."""
        return batch.filter(pa.array(~self.rows))


def read_columns(raw: RawBatch) -> tuple[dict[str, Meaning], Unreadable | None]:
    """The columns of a batch as they are meant, the transactions' times in UTC.

    Returns:
      Column -> its values [n], and the rows without a readable time, if any: their time is missing.

    Raises:
      DataError: a value is not what its column holds; for times, where none may be unreadable.
    """
    parts = raw.plan.data.transactions
    columns: dict[str, Meaning] = {}
    unreadable = None
    for name in raw.plan.kinds:
        if parts is None or name != parts.time:
            columns[name] = raw.column(name)
            continue
        if parts.max_bad_times and pa.types.is_string(raw.rows.column(name).type):
            times, unreadable = _lenient(raw, name)
        else:
            times = raw.column(name)
        utc = in_utc(times.values, raw.rows.column(name), parts.time_format, parts.timezone)
        columns[name] = dataclasses.replace(times, values=utc)
    return columns, unreadable


def in_utc(times: pa.Array, stored: pa.Array, time_format: str | None, timezone: str | None) -> pa.Array:
    """Times without an offset, as UTC instead of the zone's clock.

    Where the clock is put back a time means the first of the two; where it is put forward a time that is left out
    means the moment of the change.

    Args:
      times: timestamp[us] [n]: UTC where an offset was written, else what the clock said.
      stored: the same as read.
      time_format: with `%z` every time has an offset.
      timezone: IANA name; None: UTC.
    """
    if timezone is None or getattr(stored.type, "tz", None) is not None:
        return times
    if pa.types.is_string(stored.type) and time_format is not None and "%z" in time_format:
        return times
    local = pc.assume_timezone(times, timezone, ambiguous="earliest", nonexistent="latest")
    utc = pc.cast(pc.cast(local, pa.int64()), TIMESTAMP)
    if not pa.types.is_string(stored.type) or time_format is not None:
        return utc
    return pc.if_else(pc.match_substring_regex(stored, ZONED), times, utc)


def local_days(times: pa.Array, timezone: str | None) -> np.ndarray:
    """The calendar day, days since 1970-01-01, on which a time falls in a zone: int64 [n].

    Args:
      times: int64 [n], microseconds since 1970-01-01 UTC, none missing.
      timezone: IANA name; None: UTC.
    """
    if timezone is None:
        return times.to_numpy() // DAY_MICROSECONDS
    zoned = pc.cast(times, pa.timestamp("us", timezone))
    # Arrow casts to the date on the zone's calendar.
    return pc.cast(pc.cast(zoned, pa.date32()), pa.int32()).to_numpy().astype(np.int64)


def local_day(time: int, timezone: str | None) -> int:
    """The same of one time."""
    return int(local_days(pa.array([time], pa.int64()), timezone)[0])


def weekdays(days: np.ndarray) -> np.ndarray:
    """0 for Monday to 6 for Sunday: int64 [n]."""
    return (days + _FIRST_WEEKDAY) % 7


def judge(tally: Tally, plan: Plan) -> Tally:
    """The tally of all rows, with a problem where more times are unreadable than may be."""
    parts = plan.data.transactions
    if parts is None or tally.first_bad_time is None:
        return tally
    most = parts.max_bad_times
    allowed = most * tally.rows_read if isinstance(most, float) else most
    if tally.bad_times <= allowed:
        return tally
    file, row, what = tally.first_bad_time
    problem = (
        f"{plan.place(file, row)}, column '{parts.time}': {what}, the first of {tally.bad_times:,} such rows of"
        f" {tally.rows_read:,}, more than data.transactions.max_bad_times: {most} lets pass; mend them, say"
        " time_format, or raise max_bad_times"
    )
    return tally + Tally(problems=((file, problem),))


def _lenient(raw: RawBatch, name: str) -> tuple[Meaning, Unreadable | None]:
    stored = raw.rows.column(name)
    try:
        return raw.converted(name, stored), None
    except BadValueError:
        # Each distinct text is tried once at most.
        encoded = stored.dictionary_encode()
    reasons = _bad_values(raw, name, encoded.dictionary)
    is_bad = np.zeros(len(encoded.dictionary), bool)
    is_bad[list(reasons)] = True
    readable = pc.if_else(pa.array(is_bad), pa.scalar(None, pa.string()), encoded.dictionary)
    times = raw.converted(name, readable).values.take(encoded.indices)
    is_there = stored.is_valid().to_numpy(zero_copy_only=False)
    rows = is_bad[encoded.indices.fill_null(0).to_numpy()] & is_there
    marked = int((is_there & ~rows & times.is_null().to_numpy(zero_copy_only=False)).sum())
    first = int(np.argmax(rows))
    what = f"{stored[first].as_py()!r} {reasons[encoded.indices[first].as_py()]}"
    count = int(rows.sum())
    tally = Tally(
        rows_dropped=Counter(bad_times=count),
        bad_times=count,
        first_bad_time=(raw.file, raw.before + first + 1, what),
    )
    return Meaning(times, marked), Unreadable(rows, tally)


def _bad_values(raw: RawBatch, name: str, values: pa.Array) -> dict[int, str]:
    """Which values are no times -> why not, by halving what holds one: few bad ones cost few conversions."""
    reasons: dict[int, str] = {}
    pending = [(0, len(values))]
    while pending:
        start, end = pending.pop()
        try:
            raw.converted(name, values[start:end])
        except BadValueError as error:
            if end - start == 1:
                reasons[start] = error.reason
            else:
                middle = (start + end) // 2
                pending += [(start, middle), (middle, end)]
    return reasons
