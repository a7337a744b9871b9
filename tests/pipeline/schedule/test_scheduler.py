"""The scheduler as a process: what is due, what stops it, what is seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pipeline.schedule.state import StateFile, schedule_health
from tests.end_to_end.command import PROJECT, Segments
from tests.pipeline.schedule.conftest import Pipeline

# Not due while a test runs; what was due before the scheduler began is.
SELDOM = "0 3 1 1 *"


class Keeper:
    """Starts schedulers, and ends those that a test leaves."""

    def __init__(self, pipeline: Pipeline):
        self.pipeline = pipeline
        self.started: list[subprocess.Popen[str]] = []

    def start(self, once: bool = False, **config: Any) -> subprocess.Popen[str]:
        spec = {
            "config": {"cron": SELDOM, "retries": 0, **config},
            "command": self.pipeline.command,
            "workspace": self.pipeline.workspace.root,
            "folder": str(self.pipeline.folder),
            "once": once,
        }
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("keep.py")), json.dumps(spec)],
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def was_due(self, ago: timedelta, cron: str = SELDOM) -> None:
        """As if a scheduler had gone down before a run that it had planned."""
        state = StateFile(self.pipeline.workspace, cron, "UTC")
        state.update(next_run=(datetime.now(timezone.utc) - ago).isoformat(timespec="seconds"))

    @property
    def health(self) -> dict[str, Any]:
        return schedule_health(self.pipeline.workspace) or {"health": None}

    def wait_until(self, is_so: Callable[[], Any], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not is_so():
            assert time.monotonic() < deadline, self.health
            time.sleep(0.05)

    def stop(self, process: subprocess.Popen[str], number: int = signal.SIGTERM) -> dict[str, Any]:
        process.send_signal(number)
        said, told = process.communicate(timeout=60)
        assert process.returncode == 0, told
        content: dict[str, Any] = json.loads(said)
        return content


@pytest.fixture
def keeper(pipeline: Pipeline) -> Iterator[Keeper]:
    made = Keeper(pipeline)
    yield made
    for process in made.started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_waiting_for_its_time_it_is_alive_and_stops_in_order(keeper: Keeper, number: int) -> None:
    process = keeper.start()
    keeper.wait_until(lambda: keeper.health.get("next_run"))
    seen = keeper.health
    assert seen["health"] == "alive"
    assert seen["process"] == process.pid
    next_run = datetime.fromisoformat(seen["next_run"])
    assert (next_run.month, next_run.day, next_run.hour) == (1, 1, 3)
    assert next_run > datetime.now(timezone.utc)
    keeper.stop(process, number)
    assert (keeper.health["health"], keeper.health["next_run"]) == ("stopped", None)
    assert keeper.pipeline.calls == []


def test_what_was_due_while_it_was_down_is_made_up_for_once(keeper: Keeper) -> None:
    keeper.was_due(timedelta(minutes=10))
    keeper.pipeline.script({"result": {"status": "pushed", "version": "2", "run_id": "r"}})
    process = keeper.start(hooks=[{"command": ["tee", "heard.json"]}, {"command": ["false"], "retries": 0}])
    keeper.wait_until(lambda: keeper.health.get("last"))
    state = keeper.stop(process)
    last = state["last"]
    assert (last["status"], last["version"], last["run_id"], last["attempts"]) == ("pushed", "2", "r", 1)
    assert [(hook["target"], hook["ok"]) for hook in last["hooks"]] == [
        ("tee heard.json", True),
        ("false", False),
    ]
    heard = json.loads((keeper.pipeline.folder / "heard.json").read_text())
    assert (heard["status"], heard["pipeline"], heard["version"]) == ("pushed", "customers", "2")
    assert len(keeper.pipeline.calls) == 1
    keeper.start()
    time.sleep(3)
    assert len(keeper.pipeline.calls) == 1, "it is made up for once"


def test_several_that_were_due_become_one(keeper: Keeper) -> None:
    keeper.was_due(timedelta(minutes=10, seconds=30), cron="*/2 * * * *")
    process = keeper.start(cron="*/2 * * * *")
    keeper.wait_until(lambda: keeper.health.get("last"))
    keeper.stop(process)
    # The next regular one may have come meanwhile.
    assert len(keeper.pipeline.calls) <= 2


def test_what_was_due_too_long_ago_is_left_out_and_said(keeper: Keeper) -> None:
    keeper.was_due(timedelta(hours=2))
    process = keeper.start(misfire_grace_seconds=3600)
    keeper.wait_until(lambda: keeper.health.get("left_out"))
    assert "too long ago" in keeper.stop(process)["left_out"]["why"]
    assert keeper.pipeline.calls == []


def test_another_schedule_owes_nothing_to_the_one_before(keeper: Keeper) -> None:
    keeper.was_due(timedelta(minutes=10), cron="0 4 * * *")
    process = keeper.start()
    keeper.wait_until(lambda: keeper.health.get("next_run"))
    time.sleep(1)
    keeper.stop(process)
    assert keeper.pipeline.calls == []


def at_work(keeper: Keeper, **config: Any) -> subprocess.Popen[str]:
    """A scheduler whose run is at work."""
    keeper.was_due(timedelta(minutes=1))
    process = keeper.start(**config)
    keeper.wait_until(lambda: (keeper.pipeline.folder / "ready").exists())
    return process


def test_told_to_stop_it_lets_the_run_end(keeper: Keeper) -> None:
    keeper.pipeline.script({"sleep": 3})
    process = at_work(keeper)
    assert keeper.health["running"]["attempt"] == 1
    state = keeper.stop(process)
    assert state["last"]["status"] == "pushed"
    assert not keeper.pipeline.was_terminated


def test_but_only_for_so_long(keeper: Keeper) -> None:
    keeper.pipeline.script({"sleep": 60})
    began = time.monotonic()
    process = at_work(keeper, stop_seconds=1, hooks=[{"command": "cat > heard"}])
    last = keeper.stop(process)["last"]
    assert time.monotonic() - began < 50
    assert (last["status"], last["hooks"]) == ("stopped", [])
    assert keeper.pipeline.was_terminated, "in order, not killed"
    assert not (keeper.pipeline.folder / "heard").exists()


def test_a_second_signal_ends_the_run_at_once(keeper: Keeper) -> None:
    keeper.pipeline.script({"sleep": 60})
    process = at_work(keeper, stop_seconds=60)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.5)
    began = time.monotonic()
    assert keeper.stop(process)["last"]["status"] == "stopped"
    assert time.monotonic() - began < 20


def test_told_to_stop_between_two_attempts(keeper: Keeper) -> None:
    keeper.pipeline.script({"result": {"status": "failed", "message": "no memory"}, "exit": 1})
    process = at_work(keeper, retries=5, backoff_seconds=60)
    keeper.wait_until(lambda: (keeper.health.get("running") or {}).get("retry_at"))
    last = keeper.stop(process)["last"]
    assert (last["status"], last["message"]) == ("failed", "no memory")
    assert len(keeper.pipeline.calls) == 1


def test_one_scheduler_at_a_time(keeper: Keeper) -> None:
    first = keeper.start()
    keeper.wait_until(lambda: keeper.health["health"] == "alive")
    for once in (False, True):
        second = keeper.start(once=once)
        _, told = second.communicate(timeout=60)
        assert second.returncode == 1
        assert f"has a scheduler already (process {first.pid} on " in told


def test_one_that_was_killed_is_dead_and_blocks_nothing(keeper: Keeper) -> None:
    process = keeper.start()
    keeper.wait_until(lambda: keeper.health["health"] == "alive")
    process.kill()
    process.wait()
    assert (keeper.health["health"], keeper.health["next_run"]) == ("dead", None)
    keeper.start()
    keeper.wait_until(lambda: keeper.health["health"] == "alive")


def test_one_whose_heart_has_stopped_is_silent(keeper: Keeper) -> None:
    keeper.start()
    keeper.wait_until(lambda: keeper.health["health"] == "alive")
    later = datetime.now(timezone.utc) + timedelta(minutes=2)
    assert (schedule_health(keeper.pipeline.workspace, later) or {})["health"] == "silent"


def test_once(keeper: Keeper) -> None:
    process = keeper.start(once=True, hooks=[{"command": "cat > heard"}])
    assert process.communicate(timeout=60)[0].strip() == "pushed"
    assert (keeper.pipeline.folder / "heard").exists()
    assert keeper.health["health"] == "stopped"
    assert keeper.health["last"]["status"] == "pushed"


def test_runs_tells_about_the_scheduler(keeper: Keeper, tmp_path: Path) -> None:
    process = keeper.start(once=True, hooks=[{"command": ["false"], "retries": 0}])
    process.communicate(timeout=60)
    segments = Segments(tmp_path)
    (tmp_path / "customers.csv").write_text("id,a\n1,2\n")
    shown = segments("runs", "--workspace", "w").stdout
    assert "scheduler: stopped" in shown
    assert "last run:  pushed at " in shown
    assert "hooks that failed: false" in shown
    assert segments.json("runs", "--workspace", "w")["schedule"]["last"]["status"] == "pushed"
