"""Retrains on changing data, killed with SIGKILL at random moments, by turns the command, its child, or both."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from benchmarks.data import ID, write_customers
from benchmarks.soak.command import Command, SoakError, require
from benchmarks.soak.served import ServedFolder

COMPONENTS = (
    "ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "DataGate", "Transform", "ServedModel",
    "Trainer", "ServingCheck", "Evaluator", "Pusher", "Assignments", "Report",
)  # fmt: skip
ROWS = 2_000
# What a process may need to notice that it is alone; far less is usual.
RELEASE_SECONDS = 30.0
_TIME_LIMIT = 1800.0


@dataclass
class KillsResult:
    """What was seen. `release_seconds`: how long the lock was held after each kill."""

    kills: int = 0
    completed: list[str] = field(default_factory=list)
    continued: int = 0
    versions: list[str] = field(default_factory=list)
    release_seconds: list[float] = field(default_factory=list)
    pushed_by_killed: list[str] = field(default_factory=list)


def soak_with_kills(
    folder: Path, kills: int, seed: int, report: Callable[[str], None] = print
) -> KillsResult:
    """Kills runs until `kills` have been killed at work, then lets one end.

    After every kill: the served folder holds nothing but whole, loadable models, no lock is left, and the history
    shows every run that completed. Half of the moments are drawn from the time that a run takes, half from a
    component and up to a second after its start, or short components would never be met.

    Raises:
      SoakError: one of these did not hold; it says the seed.
    """
    try:
        return _Loop(folder, kills, seed, report).run()
    except SoakError as error:
        raise SoakError(f"{error} (repeat with --seed {seed} --kills {kills})") from error


class _Loop:
    def __init__(self, folder: Path, kills: int, seed: int, report: Callable[[str], None]):
        # Everything is pushed: thresholds are tested elsewhere.
        thresholds = {"silhouette": None, "smallest_segment_share": None}
        self._command = Command(
            folder,
            {
                "data": {"path": "customers-{SPAN}.csv", "id": ID},
                "model": {"k": 4},
                "evaluation": {"thresholds": thresholds},
            },
        )
        self._wanted, self._seed, self._report = kills, seed, report
        self._random = np.random.default_rng(seed)
        self._served = ServedFolder(self._command.workspace / "serving")
        self._result = KillsResult()
        self._span = 0
        self._whole_run = 0.0
        self._done = False

    def run(self) -> KillsResult:
        self._report(f"seed {self._seed}")
        self._new_data()
        began = time.monotonic()
        self._complete(*self._command.ask("run"))
        self._whole_run = time.monotonic() - began
        while self._result.kills < self._wanted:
            if self._done or self._random.random() < 0.5:
                self._new_data()
            self._disturbed_run()
            self._look()
        code, answer = self._command.ask("run")
        self._complete(code, answer)
        self._look()
        code, answer = self._command.ask("run")
        require((code, answer["status"]) == (0, "up_to_date"), f"after all was done: {answer}")
        require(str(answer["version"]) == self._result.versions[-1], f"not the newest is served: {answer}")
        return self._result

    def _new_data(self) -> None:
        self._span += 1
        write_customers(
            self._command.folder / f"customers-{self._span}.csv", ROWS, seed=self._seed * 1000 + self._span
        )

    def _disturbed_run(self) -> None:
        self._done = False
        moment, due = self._moment()
        target = str(self._random.choice(["command", "child", "both"]))
        process = self._command.start("run")
        began = time.monotonic()
        while process.poll() is None and not due():
            require(time.monotonic() - began < _TIME_LIMIT, "a run takes more than half an hour")
            time.sleep(0.01)
        if process.poll() is not None:
            output = self._command.answer(process)
            # An answer that says failed must say why; a run that nobody disturbed must not fail at all.
            self._complete(process.returncode, json.loads(output))
            self._report(f"span {self._span}: completed before it could be killed {moment}")
            return
        self._kill(process, target)
        self._result.kills += 1
        self._result.release_seconds.append(self._wait_for_lock())
        self._report(
            f"kill {self._result.kills:>3} of {self._wanted}  span {self._span:>3}  {target:<8} {moment:<40} "
            f"lock free after {self._result.release_seconds[-1]:.2f} s"
        )

    def _moment(self) -> tuple[str, Callable[[], bool]]:
        """A moment in words, and whether it has come."""
        began = time.monotonic()
        if self._random.random() < 0.5:
            seconds = float(self._random.uniform(0, self._whole_run))
            return f"after {seconds:.1f} s", lambda: time.monotonic() - began >= seconds
        component = str(self._random.choice(COMPONENTS))
        delay = float(self._random.uniform(0, 1) ** 2)
        said = self._command.new_words()
        seen: list[float] = []

        def due() -> bool:
            if not seen and said(f"Component {component} is running."):
                seen.append(time.monotonic())
            return bool(seen) and time.monotonic() - seen[0] >= delay

        return f"{delay:.2f} s into {component}", due

    def _kill(self, process: subprocess.Popen[bytes], target: str) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            children = psutil.Process(process.pid).children(recursive=True)
            for child in children if target != "command" else []:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.send_signal(signal.SIGKILL)
        if target != "child":
            process.kill()
        output = self._command.answer(process)
        if target == "child" and process.returncode == 0:
            # It had ended between the look and the kill.
            self._complete(0, json.loads(output))

    def _wait_for_lock(self) -> float:
        """Seconds until the workspace could be locked."""
        began = time.monotonic()
        try:
            descriptor = os.open(self._command.workspace / ".lock", os.O_RDWR)
        except FileNotFoundError:
            return 0.0
        try:
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    return time.monotonic() - began
                except BlockingIOError:
                    held = time.monotonic() - began
                    require(held < RELEASE_SECONDS, f"the workspace is locked {held:.0f} s after the kill")
                    time.sleep(0.01)
        finally:
            os.close(descriptor)

    def _complete(self, code: int, answer: dict[str, Any]) -> None:
        require(
            code == 0 and answer["status"] in ("pushed", "up_to_date"),
            f"a run that was not killed ended with {code}: {answer.get('status')}, {answer.get('message')}",
        )
        self._done = True
        if answer["status"] == "pushed":
            self._result.completed.append(str(answer["run_id"]))

    def _look(self) -> None:
        """At the served folder and the history."""
        self._result.versions = self._served.check()
        _, answer = self._command.ask("runs")
        runs = {run["run_id"]: run for run in answer["runs"]}
        for run_id in self._result.completed:
            status = runs[run_id]["status"] if run_id in runs else "missing"
            require(status == "pushed", f"run {run_id} completed, but the history says {status}")
        require(
            not [run for run in runs.values() if run["status"] == "running"],
            "the history says that a run is running, but none is",
        )
        known = {str(run["version"]) for run in runs.values() if run["version"]}
        self._result.pushed_by_killed = [v for v in self._result.versions if v not in known]
        self._result.continued = sum(run["attempts"] > 1 for run in runs.values())
