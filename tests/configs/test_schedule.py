"""Cron expressions and the section `schedule`."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.cron import parse_cron
from configs.errors import ConfigError
from configs.loader import load_config


def test_fields() -> None:
    cron = parse_cron("*/20 3-5,22 1,15 jan-MAR/2 1-5")
    assert cron.minutes == (0, 20, 40)
    assert cron.hours == (3, 4, 5, 22)
    assert cron.days == (1, 15)
    assert cron.months == (1, 3)
    assert cron.weekdays == (1, 2, 3, 4, 5)
    assert cron.days_or_weekdays


@pytest.mark.parametrize(
    ("field", "weekdays"), [("0", (0,)), ("7", (0,)), ("5-7", (0, 5, 6)), ("sun,Sat", (0, 6))]
)
def test_sunday_is_0_and_7(field: str, weekdays: tuple[int, ...]) -> None:
    assert parse_cron(f"0 0 * * {field}").weekdays == weekdays


@pytest.mark.parametrize(
    ("day", "weekday", "either"),
    [("1", "1", True), ("*", "1", False), ("1", "*", False), ("*/2", "1", False)],
)
def test_both_day_fields_are_alternatives_unless_one_is_a_star(day: str, weekday: str, either: bool) -> None:
    assert parse_cron(f"0 0 {day} * {weekday}").days_or_weekdays is either


def test_aliases() -> None:
    assert parse_cron("@weekly").text == "0 0 * * 0"
    assert parse_cron(" @Daily ").text == "0 0 * * *"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0 3 * *", "has 4 fields where five are expected"),
        ("", "has 0 fields"),
        ("60 3 * * *", "minute: 60 in '60' is not from 0 to 59"),
        ("0 3 * * 8", "day of the week: 8 in '8' is not from 0 to 7"),
        ("0 3 0 * *", "day of the month: 0 in '0' is not from 1 to 31"),
        ("0 x * * *", "hour: 'x' in 'x' is no number from 0 to 23"),
        ("0 3 * Foo *", "month: 'Foo' in 'Foo' is no number from 1 to 12 or jan, feb"),
        ("*/0 * * * *", "minute: the step in '\\*/0' is no number from 1 on"),
        ("0 5-3 * * *", "hour: '5-3' ends before it begins"),
        ("0 3, * * *", "hour: '' in '3,'"),
        ("0 0 31 2,4 *", "never happens: no such month has a day 31"),
        ("0 0 -1 * *", "day of the month: ''"),
    ],
)  # fmt: skip
def test_what_is_no_cron_is_refused_by_field(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_cron(text)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{cron: 0 3 * * 9}", r"'schedule\.cron': day of the week: 9 in '9' is not from 0 to 7$"),
        ("{timezone: Europe/Atlantis}", r"'schedule\.timezone': 'Europe/Atlantis' is no time zone"),
        ("{timezone: ../etc/passwd}", "is no time zone"),
        ("{hooks: [{}]}", "needs either 'command' or 'url'"),
        ("{hooks: [{command: x, url: 'http://x'}]}", "needs either 'command' or 'url'"),
        ("{hooks: [{url: 'ftp://x'}]}", "must begin with http:// or https://"),
        ("{hooks: [{command: x, when: [success]}]}", "schedule.hooks"),
        ("{retry_on: [pushed]}", "schedule.retry_on"),
        ("{misfire_grace_seconds: 0}", "schedule.misfire_grace_seconds"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_one_line(tmp_path: Path, section: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(f"data: {{path: x.csv}}\nschedule: {section}\n")
    with pytest.raises(ConfigError, match=message) as caught:
        load_config(str(tmp_path / "c.yaml"))
    assert "\n" not in str(caught.value)
