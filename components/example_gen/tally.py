"""What a reading counts and must know about all rows before it can write the first customer."""

from __future__ import annotations

import dataclasses
import datetime
import zoneinfo
from collections import Counter
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

from components.example_gen.changes import Changes
from components.example_gen.hashing import SPLIT_BITS
from configs.data import DataConfig

_AUTO_SHARE = 0.2
_AUTO_CUSTOMERS = 20_000
_SHOWN_PROBLEMS = 20
_EPOCH = datetime.datetime(1970, 1, 1)


@dataclasses.dataclass(frozen=True)
class Tally:
    """Counts and extremes over a part of the rows; `+` gives those over two parts, in any order.

    Attributes:
      rows_read: rows of the source.
      rows_dropped: rows by the rule that dropped them; a row falls under the first one only.
      changes: what cleaning did to values of rows that were read.
      problems: (file, message) of what must be mended.
      missing_ids: rows without a customer id that are not to be dropped.
      first_missing_id: (file, row) of the first of them.
      promoted: columns taken for whole numbers that turned out to hold others.
      latest: the newest kept transaction, microseconds since 1970-01-01 UTC.
      bad_times: transactions whose time cannot be read.
      first_bad_time: the (file, row, what is wrong) of the first of them.
      joined: customers with attributes.
      customers: customers after all rules.
      lowest, highest: split positions of customers.
      repeated_ids: customer ids on several rows that are not to be dropped.
      example_id: the (file, row, id) of the first of them.
    """

    rows_read: int = 0
    rows_dropped: Counter[str] = dataclasses.field(default_factory=Counter)
    changes: Changes = dataclasses.field(default_factory=Changes)
    problems: tuple[tuple[int, str], ...] = ()
    missing_ids: int = 0
    first_missing_id: tuple[int, int] | None = None
    promoted: frozenset[str] = frozenset()
    latest: int | None = None
    bad_times: int = 0
    first_bad_time: tuple[int, int, str] | None = None
    joined: int = 0
    customers: int = 0
    lowest: int | None = None
    highest: int | None = None
    repeated_ids: int = 0
    example_id: tuple[int, int, str] | None = None

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            rows_read=self.rows_read + other.rows_read,
            rows_dropped=self.rows_dropped + other.rows_dropped,
            changes=self.changes + other.changes,
            problems=tuple(sorted({*self.problems, *other.problems})),
            missing_ids=self.missing_ids + other.missing_ids,
            first_missing_id=_least(self.first_missing_id, other.first_missing_id),
            promoted=self.promoted | other.promoted,
            latest=_greatest(self.latest, other.latest),
            bad_times=self.bad_times + other.bad_times,
            first_bad_time=_least(self.first_bad_time, other.first_bad_time),
            joined=self.joined + other.joined,
            customers=self.customers + other.customers,
            lowest=_least(self.lowest, other.lowest),
            highest=_greatest(self.highest, other.highest),
            repeated_ids=self.repeated_ids + other.repeated_ids,
            example_id=_least(self.example_id, other.example_id),
        )

    @property
    def is_usable(self) -> bool:
        """Whether nothing has to be mended before customers can be written."""
        faults = (
            self.problems or self.missing_ids or self.repeated_ids or self.changes.too_many(self.rows_read)
        )
        return not faults and self.customers > 0

    def end(self, data: DataConfig) -> int | None:
        """The end of the observed period, microseconds since 1970-01-01 UTC; None without transactions."""
        if data.transactions is None:
            return None
        return self.latest if data.transactions.end is None else data.transactions.end

    def as_of(self, data: DataConfig) -> datetime.datetime | None:
        """The same as a time of the transactions' time zone; UTC and without an offset where there is none."""
        end = self.end(data)
        if end is None or data.transactions is None:
            return None
        moment = _EPOCH + datetime.timedelta(microseconds=end)
        if data.transactions.timezone is None:
            return moment
        zone = zoneinfo.ZoneInfo(data.transactions.timezone)
        try:
            return moment.replace(tzinfo=datetime.timezone.utc).astimezone(zone)
        except OverflowError:
            # The last hours of the year 9999, which many systems write for "never".
            return moment

    def eval_threshold(self, data: DataConfig) -> int:
        """Customers whose split position is below this are in eval.

        The share decides it; but of two customers and more one is in either split.
        """
        if self.customers < 2 or self.lowest is None or self.highest is None:
            return 0
        auto = min(_AUTO_SHARE, _AUTO_CUSTOMERS / self.customers)
        share = data.eval_share if isinstance(data.eval_share, float) else auto
        threshold = round(share * (1 << SPLIT_BITS))
        return min(max(threshold, self.lowest + 1), self.highest)

    def explain(self, place: Callable[[int, int], str]) -> list[str]:
        """What has to be mended, a line each; `place(file, row)` says where a row is."""
        lines = [message for _, message in self.problems[:_SHOWN_PROBLEMS]]
        lines += self.changes.explain(self.rows_read, place)
        if self.first_missing_id is not None:
            lines.append(
                f"{place(*self.first_missing_id)}: has no customer id, the first of {self.missing_ids:,} such"
                " rows; mend them or set data.missing_ids: drop"
            )
        if self.example_id is not None:
            file, row, name = self.example_id
            lines.append(
                f"{place(file, row)}: the customer id {name!r} is there already; ids on several rows:"
                f" {self.repeated_ids:,}; mend them or set data.duplicate_ids: first (or last), or"
                " data.transactions if each row is a purchase"
            )
        if not lines and not self.customers:
            rules = ", ".join(f"{count:,} by '{rule}'" for rule, count in self.rows_dropped.items())
            lines.append(
                f"no customers are left of {self.rows_read:,} rows" + (f": dropped {rules}" if rules else "")
            )
        return lines


def total(tallies: Iterable[Tally]) -> Tally:
    """The sum of any number of tallies."""
    return reduce(lambda one, other: one + other, tallies, Tally())


def _least(one: Any, other: Any) -> Any:
    return min((value for value in (one, other) if value is not None), default=None)


def _greatest(one: Any, other: Any) -> Any:
    return max((value for value in (one, other) if value is not None), default=None)
