"""The foreground scheduler: APScheduler says when, a child process does the work, a file says how it goes."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from configs.cron import parse_cron
from configs.schedule import ScheduleConfig
from pipeline.schedule.attempts import STOPPED, Ending, Stop, run_with_retries
from pipeline.schedule.hooks import call_hooks
from pipeline.schedule.state import HEARTBEAT_SECONDS, StateFile, now_text, only_scheduler
from pipeline.schedule.trigger import WallClockTrigger
from pipeline.workspace import Workspace

_JOB = "run"


@dataclasses.dataclass(frozen=True)
class Scheduled:
    """What is scheduled.

    Attributes:
      name: of the pipeline.
      config: the section `schedule`.
      command: runs the pipeline once and prints its result as JSON.
      workspace: the pipeline's.
      folder: of the config, where hooks run.
    """

    name: str
    config: ScheduleConfig
    command: Sequence[str]
    workspace: Workspace
    folder: str


def run_once(scheduled: Scheduled, say: Callable[[str], None] = lambda line: None) -> Ending:
    """One run as the scheduler would do it: with its limits, retries and hooks.

    Raises:
      WorkspaceBusyError: a scheduler is at work here.
    """
    scheduled.workspace.prepare()
    stop = Stop()
    with only_scheduler(scheduled.workspace), _signals(lambda: stop.ask(2)):
        state = StateFile(scheduled.workspace, scheduled.config.cron, scheduled.config.timezone)
        ending = _Occasion(scheduled, state, stop, say).take_place()
        state.update(stopped=now_text())
        return ending


def keep_schedule(scheduled: Scheduled, say: Callable[[str], None] = lambda line: None) -> dict[str, Any]:
    """Runs the pipeline whenever it is due, until SIGTERM or SIGINT; returns the last state.

    A run that is at work then may go on for `stop_seconds`; a second signal ends it at once. A run that was due while
    the machine slept or no scheduler was there is made up for within `misfire_grace_seconds`; several become one. One
    that is due while another is at work is left out.

    Args:
      scheduled: what; its config has a cron.
      say: takes a line for people about everything that happens.

    Raises:
      WorkspaceBusyError: another scheduler is at work here.
    """
    config, workspace = scheduled.config, scheduled.workspace
    assert config.cron is not None
    workspace.prepare()
    zone = ZoneInfo(config.timezone)
    trigger = WallClockTrigger(parse_cron(config.cron), zone)
    stop = Stop()
    with only_scheduler(workspace), _signals(stop.ask):
        state = StateFile(workspace, config.cron, config.timezone)
        occasion = _Occasion(scheduled, state, stop, say)
        scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone=zone)
        scheduler.add_listener(
            lambda event: _left_out(event, state, say), EVENT_JOB_MISSED | EVENT_JOB_MAX_INSTANCES
        )
        scheduler.add_job(
            occasion.take_place,
            trigger,
            id=_JOB,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=max(1, round(config.misfire_grace_seconds)),
            **_made_up_for(state),
        )
        scheduler.start()
        say(f"next run {_next_run(scheduler, state)}")
        while not stop.wait(HEARTBEAT_SECONDS):
            # The clock may have jumped, and the scheduler waits for seconds, not for times.
            scheduler.wakeup()
            _next_run(scheduler, state)
        _wind_down(scheduler, occasion, stop, config.stop_seconds, say)
        state.update(stopped=now_text(), next_run=_next_run(scheduler, state))
        scheduler.shutdown(wait=False)
        return state.content()


class _Occasion:
    """The job: a run with its retries and hooks. One at a time."""

    def __init__(self, scheduled: Scheduled, state: StateFile, stop: Stop, say: Callable[[str], None]):
        self._scheduled, self._state, self._stop, self._say = scheduled, state, stop, say
        self.is_over = threading.Event()
        self.is_over.set()

    def take_place(self) -> Ending:
        self.is_over.clear()
        try:
            if self._stop.asked:
                return Ending(STOPPED, attempts=0)
            return self._take_place()
        finally:
            self._state.update(running=None)
            self.is_over.set()

    def _take_place(self) -> Ending:
        began = now_text()

        def on_attempt(attempt: int) -> None:
            self._state.update(running={"since": began, "attempt": attempt, "retry_at": None})
            self._say("run started" if attempt == 1 else f"attempt {attempt} started")

        def on_wait(ending: Ending, seconds: float) -> None:
            at = datetime.fromtimestamp(time.time() + seconds, timezone.utc).isoformat(timespec="seconds")
            self._state.update(running={"since": began, "attempt": ending.attempts, "retry_at": at})
            self._say(f"{_line(ending)}; trying again in {seconds:g} s")

        scheduled = self._scheduled
        ending = run_with_retries(
            scheduled.command, scheduled.config, scheduled.workspace, self._stop, on_attempt, on_wait
        )
        self._say(_line(ending))
        # A scheduler that was told to stop calls nobody: that is no end of the run.
        hooks = scheduled.config.hooks if ending.status != STOPPED else []
        content = {
            "pipeline": scheduled.name,
            "started": began,
            "attempts": ending.attempts,
            **ending.result,
            "status": ending.status,
        }
        results = call_hooks(hooks, content, scheduled.folder, self._stop.wait_for_insistence)
        for result in results:
            if not result.ok:
                self._say(f"hook {result.target}: {result.message} (after {result.attempts} attempts)")
        last = {
            "started": began,
            "finished": now_text(),
            "status": ending.status,
            "attempts": ending.attempts,
            "run_id": ending.result.get("run_id"),
            "version": ending.result.get("version"),
            "message": ending.result.get("message"),
            "hooks": [dataclasses.asdict(result) for result in results],
        }
        self._state.update(last=last, running=None)
        return ending


def _made_up_for(state: StateFile) -> dict[str, Any]:
    """The time that was due while no scheduler was there, for APScheduler to judge whether it is too late."""
    due = state.due_before
    return {"next_run_time": due} if due is not None and due <= datetime.now(timezone.utc) else {}


def _next_run(scheduler: BackgroundScheduler, state: StateFile) -> str | None:
    job = scheduler.get_job(_JOB)
    at = job.next_run_time.isoformat(timespec="seconds") if job and job.next_run_time else None
    state.update(next_run=at)
    return at


def _left_out(event: JobExecutionEvent, state: StateFile, say: Callable[[str], None]) -> None:
    if event.code == EVENT_JOB_MISSED:
        due, why = event.scheduled_run_time, "it was due too long ago (schedule.misfire_grace_seconds)"
    else:
        due, why = event.scheduled_run_times[-1], "the one before was still at work"
    state.update(left_out={"due": due.isoformat(timespec="seconds"), "why": why})
    say(f"left out the run of {due.isoformat(timespec='seconds')}: {why}")


def _wind_down(
    scheduler: BackgroundScheduler,
    occasion: _Occasion,
    stop: Stop,
    seconds: float,
    say: Callable[[str], None],
) -> None:
    scheduler.pause()
    if occasion.is_over.is_set():
        say("stopped")
        return
    say(f"stopping: the run at work has {seconds:g} s to end; a second signal ends it now")
    deadline = time.monotonic() + seconds
    while not (occasion.is_over.wait(0.1) or stop.insisted or time.monotonic() > deadline):
        pass
    stop.ask(2)
    occasion.is_over.wait()
    say("stopped")


@contextmanager
def _signals(handle: Callable[[], Any]) -> Iterator[None]:
    """SIGTERM and SIGINT call a function while the block is at work."""
    before = {
        number: signal.signal(number, lambda *_: handle()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(ending: Ending) -> str:
    message = str(ending.result.get("message") or "").splitlines()
    what = ending.status.replace("_", " ")
    if ending.status in ("pushed", "kept"):
        what += f": version {ending.result.get('version')}"
    return what + (f": {message[0]}" if message else "")
