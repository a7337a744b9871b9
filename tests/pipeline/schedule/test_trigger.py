"""When runs are due, above all on the days when the clocks change."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from apscheduler.triggers.cron import CronTrigger
from hypothesis import given, settings
from hypothesis import strategies as st

from configs.cron import parse_cron
from pipeline.schedule.trigger import WallClockTrigger

BERLIN = ZoneInfo("Europe/Berlin")
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def due(cron: str, start: datetime, end: datetime, zone: ZoneInfo = BERLIN) -> list[datetime]:
    """Every time a scheduler that never sleeps would run."""
    trigger = WallClockTrigger(parse_cron(cron), zone)
    times: list[datetime] = []
    at = trigger.get_next_fire_time(None, start)
    while at is not None and at < end:
        times.append(at)
        at = trigger.get_next_fire_time(at, at)
    return times


def around(day: date, zone: ZoneInfo = BERLIN) -> tuple[datetime, datetime]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return midnight - timedelta(days=3), midnight + timedelta(days=4)


def local(times: list[datetime]) -> list[str]:
    return [f"{at:%m-%d %H:%M %z}" for at in times]


@pytest.mark.parametrize("day", [SPRING, AUTUMN])
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2 * * *", "59 2 * * *", "0 3 * * *", "30 1 * * *"])
def test_once_a_day_is_once_a_day(day: date, cron: str) -> None:
    times = due(cron, *around(day))
    assert Counter(at.date() for at in times) == Counter({at.date(): 1 for at in times})
    assert len(times) == 7


def test_a_time_that_is_skipped_is_due_as_long_after_midnight_as_ever() -> None:
    times = due("30 2 * * *", *around(SPRING))
    assert local(times)[2:5] == ["03-28 02:30 +0100", "03-29 03:30 +0200", "03-30 02:30 +0200"]


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    times = due("30 2 * * *", *around(AUTUMN))
    assert local(times)[2:5] == ["10-24 02:30 +0200", "10-25 02:30 +0200", "10-26 02:30 +0100"]


def test_apschedulers_own_trigger_would_run_twice() -> None:
    """Why there is one of ours: when this fails, ours may not be needed any more."""
    theirs = CronTrigger(hour=2, minute=30, timezone=BERLIN)
    first = theirs.get_next_fire_time(None, around(AUTUMN)[0] + timedelta(days=3))
    second = theirs.get_next_fire_time(first, first)
    assert first.date() == second.date() == AUTUMN


@pytest.mark.parametrize(("day", "hours"), [(SPRING, 23), (AUTUMN, 25)])
def test_every_hour_is_every_hour_that_passes(day: date, hours: int) -> None:
    times = [at for at in due("0 * * * *", *around(day)) if at.date() == day]
    assert len(times) == hours
    gaps = {b.timestamp() - a.timestamp() for a, b in itertools.pairwise(times)}
    assert gaps == {3600}


def test_numbers_of_weekdays_are_cron_s_not_apscheduler_s() -> None:
    (monday,) = due("0 3 * * 1", *around(date(2026, 5, 6)))
    assert f"{monday:%A %H:%M}" == "Monday 03:00"
    (sunday,) = due("0 3 * * 7", *around(date(2026, 5, 6)))
    assert f"{sunday:%A}" == "Sunday"


def test_the_first_of_the_month_or_a_monday() -> None:
    start = datetime(2026, 6, 30, tzinfo=BERLIN)
    days = [at.day for at in due("0 3 1 * 1", start, start + timedelta(days=15))]
    assert days == [1, 6, 13]


def test_february_29th_is_due_in_leap_years() -> None:
    (at,) = due("0 0 29 2 *", datetime(2026, 1, 1, tzinfo=BERLIN), datetime(2030, 1, 1, tzinfo=BERLIN))
    assert at.date() == date(2028, 2, 29)


def test_other_clocks() -> None:
    # Half an hour back, in the south: Lord Howe Island, 5 April 2026 at 2:00.
    zone = ZoneInfo("Australia/Lord_Howe")
    times = due("45 1 * * *", *around(date(2026, 4, 5), zone), zone)
    assert len({at.date() for at in times}) == len(times) == 7


@settings(max_examples=60, deadline=None)
@given(
    minute=st.integers(0, 59),
    hour=st.integers(0, 23),
    zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]),
    start=st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
)
def test_once_on_every_day_of_any_zone(minute: int, hour: int, zone: str, start: datetime) -> None:
    begin = start.replace(tzinfo=timezone.utc)
    times = due(f"{minute} {hour} * * *", begin, begin + timedelta(days=40), ZoneInfo(zone))
    days = [at.date() for at in times]
    # A time late in the evening that is skipped would move into the next day; no clock here changes then.
    assert days == [days[0] + timedelta(days=n) for n in range(len(days))]
    # 39 where the first day's hour has just gone by and the clock is put back before the last day's comes.
    assert len(days) in (39, 40, 41)
    assert all(begin <= at for at in times)


def test_a_clock_that_is_set_back_repeats_nothing() -> None:
    trigger = WallClockTrigger(parse_cron("0 3 * * *"), BERLIN)
    ran = datetime(2026, 5, 4, 3, tzinfo=BERLIN)
    an_hour_back = ran - timedelta(hours=1)
    assert trigger.get_next_fire_time(ran, an_hour_back) == ran + timedelta(days=1)
    # A clock that was years ahead by mistake does not stop the schedule for years.
    years_back = datetime(2020, 1, 1, 12, tzinfo=BERLIN)
    assert trigger.get_next_fire_time(ran, years_back) == datetime(2020, 1, 2, 3, tzinfo=BERLIN)


def test_times_that_were_slept_through_are_all_told() -> None:
    trigger = WallClockTrigger(parse_cron("0 3 * * *"), BERLIN)
    ran = datetime(2026, 5, 4, 3, tzinfo=BERLIN)
    assert trigger.get_next_fire_time(ran, ran + timedelta(days=9)) == ran + timedelta(days=1)
