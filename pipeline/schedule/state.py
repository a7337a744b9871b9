"""What the scheduler of a workspace is doing, in a file that `segments runs` reads."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from pipeline.records import read_json
from pipeline.workspace import Workspace, WorkspaceBusyError

_STATE_FILE = "schedule.json"
_LOCK_FILE = ".schedule.lock"
HEARTBEAT_SECONDS = 10.0
# A heart that missed several beats: the machine sleeps, or the process hangs.
_SILENT_SECONDS = 60.0


class StateFile:
    """The state, written whole at every change; used by two threads."""

    def __init__(self, workspace: Workspace, cron: str | None, zone: str):
        self._path = os.path.join(workspace.root, _STATE_FILE)
        self._lock = threading.Lock()
        before = read_json(self._path)
        self._content: dict[str, Any] = {
            "cron": cron,
            "timezone": zone,
            "process": os.getpid(),
            "host": socket.gethostname(),
            "started": now_text(),
            "heartbeat": now_text(),
            "stopped": None,
            "next_run": None,
            "running": None,
            "last": before.get("last"),
            "left_out": before.get("left_out"),
        }
        # For a schedule that goes on after it was down: what was due meanwhile?
        same = before.get("cron") == cron and before.get("timezone") == zone
        self.due_before = _moment(before.get("next_run")) if same else None

    def update(self, **changes: Any) -> None:
        """Changes entries; every change is a heartbeat too."""
        with self._lock:
            self._content.update(changes, heartbeat=now_text())
            folder = os.path.dirname(self._path)
            descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".schedule-")
            with os.fdopen(descriptor, "w") as file:
                json.dump(self._content, file, indent=1)
            os.replace(temporary, self._path)

    def content(self) -> dict[str, Any]:
        """All entries."""
        with self._lock:
            return dict(self._content)


@contextmanager
def only_scheduler(workspace: Workspace) -> Iterator[None]:
    """Holds the schedule of a workspace; the kernel lets go of it however the process ends.

    Raises:
      WorkspaceBusyError: another scheduler has it.
    """
    descriptor = os.open(os.path.join(workspace.root, _LOCK_FILE), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            state = read_json(os.path.join(workspace.root, _STATE_FILE))
            raise WorkspaceBusyError(
                f"the workspace {workspace.root} has a scheduler already (process {state.get('process')} on "
                f"{state.get('host')}); stop that one first"
            ) from error
        yield
    finally:
        os.close(descriptor)


def schedule_health(workspace: Workspace, now: datetime | None = None) -> dict[str, Any] | None:
    """The scheduler's state for people who look from outside; None where there never was one.

    `health` is `alive`, `silent` (its process is there and its heart has not beaten for a minute), `stopped` (in
    order) or `dead`.
    """
    content = read_json(os.path.join(workspace.root, _STATE_FILE))
    if not content:
        return None
    if _is_held(workspace):
        beat = _moment(content.get("heartbeat"))
        at = now or datetime.now(timezone.utc)
        silent = beat is None or (at - beat).total_seconds() > _SILENT_SECONDS
        health = "silent" if silent else "alive"
    else:
        health = "stopped" if content.get("stopped") else "dead"
        content["next_run"] = content["running"] = None
    return {"health": health, **content}


def now_text() -> str:
    """The present, ISO 8601, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _is_held(workspace: Workspace) -> bool:
    try:
        descriptor = os.open(os.path.join(workspace.root, _LOCK_FILE), os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _moment(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text))
    except ValueError:
        return None
