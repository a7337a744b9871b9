"""One scheduled run: a fresh process of `segments run`, ended when it takes too long, tried again when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from configs.schedule import ScheduleConfig
from pipeline.local.run import EXIT_CODES
from pipeline.records import FAILED, RUN, RUNNING, read_records, write_record
from pipeline.workspace import Workspace, WorkspaceBusyError

TIMED_OUT = "timed_out"
STOPPED = "stopped"
_POLL_SECONDS = 0.1
# From the request to end until the process is killed: it has a record to close and a child to end.
_END_SECONDS = 20.0
_UNLOCK_SECONDS = 10.0


@dataclass
class Ending:
    """How a scheduled run ended. `status` is that of `segments run`, or `timed_out` or `stopped`."""

    status: str
    attempts: int = 1
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def exit_code(self) -> int:
        """As `segments run` would end."""
        return EXIT_CODES.get(self.status, 1)


class Stop:
    """Asks the runs of a scheduler to come to an end: first politely, then at once.

    Signal handlers may call `ask`: it takes no lock, which the interrupted code might hold (as `threading.Event` does).
    """

    def __init__(self) -> None:
        self._times = 0

    def ask(self, times: int = 1) -> None:
        """The first time, nothing new begins; the second time, what is at work is ended."""
        self._times += times

    @property
    def asked(self) -> bool:
        """Whether nothing new is to begin."""
        return self._times > 0

    @property
    def insisted(self) -> bool:
        """Whether what is at work is to end."""
        return self._times > 1

    def wait(self, seconds: float) -> bool:
        """Sleeps unless asked to stop, before or meanwhile; whether it was."""
        return self._sleep(seconds, lambda: self.asked)

    def wait_for_insistence(self, seconds: float) -> bool:
        """The same for `insisted`."""
        return self._sleep(seconds, lambda: self.insisted)

    def _sleep(self, seconds: float, is_over: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not is_over():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(left, _POLL_SECONDS))
        return True


def run_with_retries(
    command: Sequence[str],
    config: ScheduleConfig,
    workspace: Workspace,
    stop: Stop,
    on_attempt: Callable[[int], None] = lambda attempt: None,
    on_wait: Callable[[Ending, float], None] = lambda ending, seconds: None,
) -> Ending:
    """Runs until it succeeds, ends as nothing is to be retried on, or the attempts are used up.

    Args:
      command: what to run; prints its result as one JSON object.
      config: limits.
      workspace: whose record is closed where the run could not do it.
      stop: ends the waiting, and when it insists the run.
      on_attempt: called with 1, 2, ... as attempts begin.
      on_wait: called with the failed attempt and the seconds until the next.
    """
    attempt = 0
    while True:
        attempt += 1
        on_attempt(attempt)
        ending = _attempt(command, config, workspace, stop)
        ending.attempts = attempt
        if ending.status not in config.retry_on or attempt > config.retries:
            return ending
        seconds = min(config.backoff_seconds * 2.0 ** (attempt - 1), config.max_backoff_seconds)
        on_wait(ending, seconds)
        if stop.wait(seconds):
            return ending


def _attempt(command: Sequence[str], config: ScheduleConfig, workspace: Workspace, stop: Stop) -> Ending:
    with tempfile.TemporaryFile() as output:
        try:
            # Its progress goes where the scheduler's own words go. A terminal's Ctrl-C is for the scheduler.
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, start_new_session=True
            )
        except OSError as error:
            return _ending(FAILED, f"{command[0]} cannot be run: {error.strerror}")
        cut_short = _wait(process, config.timeout_seconds, stop)
        output.seek(0)
        said = output.read()
    if cut_short is not None:
        reason = (
            f"timed out: it took more than {config.timeout_seconds:g} s (schedule.timeout_seconds)"
            if cut_short == TIMED_OUT
            else "the scheduler was stopped; the next run goes on from here"
        )
        _close_record(workspace, reason)
        return _ending(cut_short, reason)
    try:
        result = json.loads(said)
        return Ending(str(result["status"]), result=result)
    except (ValueError, KeyError, TypeError):
        code = process.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        _close_record(workspace, f"the run {how}")
        return _ending(FAILED, f"the run {how} and told no result")


def _ending(status: str, message: str) -> Ending:
    return Ending(status, result={"status": status, "message": message})


def _wait(process: subprocess.Popen[bytes], limit: float | None, stop: Stop) -> str | None:
    """Waits for the end; returns why it was brought about, if it was."""
    deadline = None if limit is None else time.monotonic() + limit
    while True:
        try:
            process.wait(_POLL_SECONDS)
            return None
        except subprocess.TimeoutExpired:
            pass
        late = deadline is not None and time.monotonic() > deadline
        if late or stop.insisted:
            _end(process)
            return TIMED_OUT if late else STOPPED


def _end(process: subprocess.Popen[bytes]) -> None:
    # `segments run` takes this as Ctrl-C: it ends its child and closes the record.
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _close_record(workspace: Workspace, reason: str) -> None:
    """Says in the history why a run was cut short, once it has let go of the workspace."""
    deadline = time.monotonic() + _UNLOCK_SECONDS
    while os.path.isdir(workspace.runs):
        try:
            with workspace.lock():
                newest = next(reversed(read_records(workspace.runs)), None)
                interrupted = newest and newest.status == FAILED and newest.message == "interrupted"
                if newest and newest.kind == RUN and (newest.status == RUNNING or interrupted):
                    newest.status, newest.message = FAILED, reason
                    write_record(workspace.runs, newest)
                return
        except WorkspaceBusyError:
            if time.monotonic() > deadline:
                return
            time.sleep(_POLL_SECONDS)
