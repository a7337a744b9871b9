"""Cron expressions, as crontab(5) means them: five fields, Sunday is 0 or 7."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass

_ALIASES = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEKDAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}
WEEKDAY_NAMES = tuple(_WEEKDAYS)


@dataclass(frozen=True)
class Cron:
    """When something happens, in wall-clock time.

    Attributes:
      text: the five fields as they were written; an alias such as `@weekly` is spelled out.
      minutes, hours, days, months: the numbers that match, ascending.
      weekdays: 0 is Sunday, 6 Saturday.
      any_day, any_weekday: the field begins with `*`. If neither does, a day that matches either one matches.
      any_hour: the hours begin with `*`.
    """

    text: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    any_day: bool
    any_weekday: bool
    any_hour: bool

    @property
    def days_or_weekdays(self) -> bool:
        """Whether a day that matches one of both fields matches."""
        return not (self.any_day or self.any_weekday)


def parse_cron(text: str) -> Cron:
    """Reads an expression.

    Raises:
      ValueError: which field is wrong, and what it may hold; or that no day ever matches.
    """
    spelled_out = _ALIASES.get(text.strip().lower(), text)
    fields = spelled_out.split()
    if len(fields) != 5:
        aliases = ", ".join(_ALIASES)
        raise ValueError(
            f"{text!r} has {len(fields)} fields where five are expected: minute, hour, day of the month, month, day "
            f"of the week (such as '0 3 * * 1' for Mondays at 3:00), or one of {aliases}"
        )
    minute, hour, day, month, weekday = fields
    cron = Cron(
        text=" ".join(fields),
        minutes=_numbers("minute", minute, 0, 59),
        hours=_numbers("hour", hour, 0, 23),
        days=_numbers("day of the month", day, 1, 31),
        months=_numbers("month", month, 1, 12, _MONTHS),
        weekdays=tuple(sorted({n % 7 for n in _numbers("day of the week", weekday, 0, 7, _WEEKDAYS)})),
        any_day=day.startswith("*"),
        any_weekday=weekday.startswith("*"),
        any_hour=hour.startswith("*"),
    )
    # 2024 is a leap year.
    exists = any(cron.days[0] <= calendar.monthrange(2024, number)[1] for number in cron.months)
    if not exists and not cron.days_or_weekdays:
        raise ValueError(f"{text!r} never happens: no such month has a day {cron.days[0]}")
    return cron


def _numbers(
    field: str, text: str, low: int, high: int, names: dict[str, int] | None = None
) -> tuple[int, ...]:
    def number(word: str) -> int:
        found = (names or {}).get(word.lower())
        if found is None and not (word.isascii() and word.isdecimal()):
            also = f" or {', '.join(list(names)[:2])}, ..." if names else ""
            raise ValueError(f"{field}: {word!r} in {text!r} is no number from {low} to {high}{also}")
        value = int(word) if found is None else found
        if not low <= value <= high:
            raise ValueError(f"{field}: {value} in {text!r} is not from {low} to {high}")
        return value

    numbers: set[int] = set()
    for item in text.split(","):
        extent, slash, step_text = item.partition("/")
        if slash and not (step_text.isascii() and step_text.isdecimal() and int(step_text) > 0):
            raise ValueError(f"{field}: the step in {item!r} is no number from 1 on")
        first, dash, last = extent.partition("-")
        if extent == "*":
            start, end = low, high
        elif dash:
            start, end = number(first), number(last)
        else:
            # `5/10` is not in crontab(5), but every cron reads it as "from 5 on".
            start = number(extent)
            end = high if slash else start
        if start > end:
            raise ValueError(f"{field}: {extent!r} ends before it begins")
        numbers.update(range(start, end + 1, int(step_text) if slash else 1))
    return tuple(sorted(numbers))


def listed(numbers: Sequence[int]) -> str:
    """Numbers as a list in a cron field."""
    return ",".join(map(str, numbers))
