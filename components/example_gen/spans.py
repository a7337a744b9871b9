"""Snapshots and partitions of a table: which files belong to which span, and which spans a run reads.

A span is a number in a path (`{SPAN}`), or a date (`{DATE}`, or `{YYYY}`, `{MM}` and `{DD}`), whose number is that of
the days since 1970-01-01, as TFX counts them.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence

from components.example_gen import files as file_system
from configs.data import DATE_PLACEHOLDERS, SPAN_PLACEHOLDER, DataConfig
from configs.errors import ConfigError

_EPOCH = datetime.date(1970, 1, 1)
_GROUPS = {
    "{SPAN}": r"(?P<span>\d+)",
    "{DATE}": r"(?P<date>\d{4}-\d{2}-\d{2})",
    "{YYYY}": r"(?P<year>\d{4})",
    "{MM}": r"(?P<month>\d{2})",
    "{DD}": r"(?P<day>\d{2})",
}
_PLACEHOLDER = re.compile("|".join(map(re.escape, _GROUPS)))


def has_span(pattern: str) -> bool:
    """Whether a path has a placeholder for its span."""
    return _PLACEHOLDER.search(pattern) is not None


def span_of(path: str, pattern: str) -> int | None:
    """The span that `path` is of, by the pattern that it matches; None where it does not match, or names no date."""
    expression, end, seen = "", 0, set()
    for found in _PLACEHOLDER.finditer(pattern):
        group = _GROUPS[found[0]]
        name = group[len("(?P<") : group.index(">")]
        # A placeholder that is there twice means the same both times.
        own = f"(?P={name})" if name in seen else group
        seen.add(name)
        expression += file_system.glob_expression(pattern[end : found.start()]) + own
        end = found.end()
    matched = re.fullmatch(expression + file_system.glob_expression(pattern[end:]), path)
    if matched is None:
        return None
    parts = matched.groupdict()
    if "span" in parts:
        return int(parts["span"])
    try:
        if "date" in parts:
            return number_of(datetime.date.fromisoformat(parts["date"]))
        return number_of(datetime.date(int(parts["year"]), int(parts["month"]), int(parts.get("day", 1))))
    except ValueError:
        return None


def files_of(pattern: str) -> list[tuple[str, int]]:
    """The files that match, with their spans."""
    candidates = file_system.matching(_PLACEHOLDER.sub("*", pattern))
    numbers = ((path, span_of(path, pattern)) for path in candidates)
    return [(path, number) for path, number in numbers if number is not None]


def choose_spans(data: DataConfig) -> list[int]:
    """The spans that a run reads, oldest first: the newest ones that every path has, or those up to `data.span`.

    None for paths without a placeholder.

    Raises:
      ConfigError: the placeholders, `data.span` and `data.window` do not go together, or no file has a span.
    """
    patterns = [pattern for pattern in data.paths if has_span(pattern)]
    if not patterns:
        for key, is_given in (("span", data.span is not None), ("window", data.window > 1)):
            if is_given:
                raise ConfigError(
                    f"data.{key}: is {getattr(data, key)}, but data.path has no {SPAN_PLACEHOLDER} that it stands for"
                )
        return []
    dated = is_dated(data)
    wanted = _wanted(data, dated)
    complete = set.intersection(*({number for _, number in files_of(pattern)} for pattern in patterns))
    if wanted is not None:
        # Where a path has no file of it, that is told by the path.
        complete = {number for number in complete if number < wanted} | {wanted}
    if not complete:
        what = "a date" if dated else f"a number for {SPAN_PLACEHOLDER}"
        raise ConfigError(f"data.path: no file matches {patterns[0]} with {what}")
    return sorted(complete)[-data.window :]


def is_dated(data: DataConfig) -> bool:
    """Whether spans are dates.

    Raises:
      ConfigError: some are and some are not, or a date lacks a part.
    """
    found = {name for pattern in data.paths for name in _PLACEHOLDER.findall(pattern)}
    dates = found & set(DATE_PLACEHOLDERS)
    if dates and SPAN_PLACEHOLDER in found:
        raise ConfigError(f"data.path: has both {SPAN_PLACEHOLDER} and {min(dates)}; use numbers or dates")
    for pattern in data.paths:
        own = set(_PLACEHOLDER.findall(pattern))
        if own & {"{YYYY}", "{MM}", "{DD}"} and ("{DATE}" in own or not own >= {"{YYYY}", "{MM}"}):
            raise ConfigError(
                f"data.path: {pattern}: a date is {{DATE}}, or {{YYYY}} and {{MM}}, with {{DD}} or not"
            )
    return bool(dates)


def number_of(date: datetime.date) -> int:
    """A date as a span."""
    return (date - _EPOCH).days


def name_of(span: int, dated: bool) -> int | str:
    """A span for people: its number, or its date in ISO 8601."""
    return (_EPOCH + datetime.timedelta(days=span)).isoformat() if dated else span


def names_of(spans: Sequence[int], dated: bool) -> list[int | str]:
    """The same for several."""
    return [name_of(span, dated) for span in spans]


def _wanted(data: DataConfig, dated: bool) -> int | None:
    if data.span is None:
        return None
    if isinstance(data.span, datetime.date) != dated:
        form = "dates such as 2026-11-24" if dated else "numbers"
        raise ConfigError(f"data.span: is {data.span}, but in data.path spans are {form}")
    return number_of(data.span) if isinstance(data.span, datetime.date) else data.span
