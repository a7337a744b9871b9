"""Runs a command and measures what it took: wall and processor time, and the memory of all its processes."""

from __future__ import annotations

import resource
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_SAMPLE_SECONDS = 0.1
_MEBIBYTE = 2**20


@dataclass(frozen=True)
class Measured:
    """What a command took and said.

    Attributes:
        seconds: From its start to its end.
        cpu_seconds: Processor time, user and system, of it and of the processes it waited for. Steadier than
            `seconds` on a machine that is busy with other things.
        peak_mb: The largest sum, over all its processes at one moment, of resident memory in MiB, sampled ten
            times a second. Pages that processes share are counted for each, so this is an upper bound.
        code: Its exit code.
        output: What it wrote to stdout.
    """

    seconds: float
    cpu_seconds: float
    peak_mb: float
    code: int
    output: str


def run_measured(command: Sequence[str], log: Path) -> Measured:
    """Runs `command` to its end, its stderr going to the file `log`.

    Raises:
        FileNotFoundError: if the command does not exist.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as stderr:
        start, cpu_before = time.perf_counter(), _children_cpu_seconds()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True
        )
        memory = _PeakMemory(process.pid)
        memory.start()
        output, _ = process.communicate()
        seconds = time.perf_counter() - start
        memory.stop()
    cpu_seconds = _children_cpu_seconds() - cpu_before
    return Measured(seconds, cpu_seconds, memory.peak / _MEBIBYTE, process.returncode, output)


def _children_cpu_seconds() -> float:
    """Of all child processes that have ended and been waited for, with theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


class _PeakMemory(threading.Thread):
    """Samples the resident memory of a process and its descendants until stopped or the process has gone."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak = 0
        self._root = psutil.Process(pid)
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.wait(_SAMPLE_SECONDS):
            try:
                processes = [self._root, *self._root.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            self.peak = max(self.peak, sum(map(_resident, processes)))

    def stop(self) -> None:
        self._stopped.set()
        self.join()


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
