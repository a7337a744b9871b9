"""Starts the process that runs TFX and listens to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.events import FAILED, FINISHED, REJECTED, RESULT, USAGE, Event, read_events

_GRACE_SECONDS = 5


@dataclass
class Outcome:
    """How a child ended. `kind` is the kind of its last event (result, rejected, usage or failed), if `said`."""

    kind: str
    content: dict[str, Any] = field(default_factory=dict)
    node: str = ""
    message: str = ""
    seconds: dict[str, float] = field(default_factory=dict)
    cached: list[str] = field(default_factory=list)
    said: bool = False


def run_child(
    request: dict[str, Any], log_path: str, lock: int, on_event: Callable[[Event], None] = lambda event: None
) -> Outcome:
    """Runs a request in a child process to its end.

    Args:
      request: see `pipeline.local.child`.
      log_path: the child's output is appended there.
      lock: the workspace's lock, for the child to hold as long as it lives.
      on_event: called for every event.

    Raises:
      KeyboardInterrupt: after the child was ended.
    """
    reading, writing = os.pipe()
    with open(log_path, "ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.local.child", str(writing)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(writing, lock),
            cwd=_project_root(),
            # A terminal's Ctrl-C is for the watching process, which then ends this one in order.
            start_new_session=True,
        )
    os.close(writing)
    outcome = Outcome(FAILED, message="the process that runs the pipeline ended without a word")
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        with os.fdopen(reading) as stream:
            for event in read_events(stream):
                on_event(event)
                _take(outcome, event)
        process.wait()
    except BrokenPipeError:
        process.wait()
    except BaseException:
        _end(process)
        raise
    if process.returncode < 0 and not outcome.said:
        outcome.message = (
            f"the process that runs the pipeline was ended by {_signal_name(-process.returncode)}"
        )
    return outcome


def _take(outcome: Outcome, event: Event) -> None:
    if event.kind == FINISHED:
        outcome.seconds[event.node] = round(event.seconds, 3)
        if event.cached:
            outcome.cached.append(event.node)
    elif event.kind in (RESULT, REJECTED, USAGE, FAILED):
        outcome.kind, outcome.node, outcome.message = event.kind, event.node, event.message
        outcome.content, outcome.said = event.content or {}, True


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    except ProcessLookupError:
        process.wait()


def _signal_name(number: int) -> str:
    if number == signal.SIGKILL:
        return "SIGKILL (by hand, or because memory ran out)"
    return signal.Signals(number).name


def _project_root() -> str:
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
