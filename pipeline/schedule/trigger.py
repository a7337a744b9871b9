"""When the next run is due: cron in wall-clock time, also on the days when the clocks change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger

from configs.cron import WEEKDAY_NAMES, Cron, listed

_INSTANT = timedelta(microseconds=1)
# No change of clocks moves a wall-clock time farther than this.
_CHANGE = timedelta(hours=24)


class WallClockTrigger(BaseTrigger):
    """APScheduler's cron trigger over wall-clock times, placed on the time line as cron daemons do.

    APScheduler's own runs a job at 02:30 twice when 02:30 comes twice. Here a time that is skipped in spring is due as
    long after midnight as on other days (02:30 at 03:30 summer time), and one that comes twice in autumn is due the
    first time; only where every hour matches (`*`) it is due both times. No time is due twice, also when the clock is
    set back by up to a day.
    """

    def __init__(self, cron: Cron, zone: ZoneInfo):
        self._zone = zone
        self._every_hour = cron.any_hour
        common = {"minute": listed(cron.minutes), "hour": listed(cron.hours), "month": listed(cron.months)}
        days = {"day": listed(cron.days)}
        # By name: APScheduler's numbers begin with Monday.
        weekdays = {"day_of_week": ",".join(WEEKDAY_NAMES[number] for number in cron.weekdays)}
        # Wall-clock times are handled as if they were UTC, which has no changes.
        parts = [days, weekdays] if cron.days_or_weekdays else [{**days, **weekdays}]
        self._walls = [CronTrigger(**common, **part, timezone=timezone.utc) for part in parts]

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime | None:
        """The first due time after the previous one, or from now on."""
        after = now - _INSTANT
        if previous_fire_time is not None and previous_fire_time <= now + _CHANGE:
            after = previous_fire_time
        after = after.astimezone(timezone.utc)
        changing = (after - _CHANGE).astimezone(self._zone).utcoffset() != (after + _CHANGE).astimezone(
            self._zone
        ).utcoffset()
        slack = _CHANGE if changing else timedelta()
        wall = after.astimezone(self._zone).replace(tzinfo=None)
        best: datetime | None = None
        for candidate in self._wall_times(wall - slack):
            # Near a change, a later wall-clock time may be an earlier moment.
            if best is not None and candidate > best.astimezone(self._zone).replace(tzinfo=None) + slack:
                break
            moments = [moment for moment in self._moments(candidate) if moment > after]
            best = min([*moments, *filter(None, [best])], default=None)
        return best.astimezone(self._zone) if best is not None else None

    def _wall_times(self, wall: datetime) -> Iterator[datetime]:
        at = wall.replace(tzinfo=timezone.utc)
        while True:
            times = [t.get_next_fire_time(None, at) for t in self._walls]
            known = [time for time in times if time is not None]
            if not known:
                return
            at = min(known)
            yield at.replace(tzinfo=None)
            at += _INSTANT

    def _moments(self, wall: datetime) -> list[datetime]:
        """When a wall-clock time is, UTC: as it is or would be before a change, and after it where that counts."""
        folds = (0, 1) if self._every_hour and self._is_twice(wall) else (0,)
        return [wall.replace(tzinfo=self._zone, fold=fold).astimezone(timezone.utc) for fold in folds]

    def _is_twice(self, wall: datetime) -> bool:
        first, second = (
            wall.replace(tzinfo=self._zone, fold=fold).astimezone(timezone.utc) for fold in (0, 1)
        )
        return second > first
