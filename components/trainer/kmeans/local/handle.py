"""A worker process as seen by who started it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from components.trainer.kmeans.local import process
from components.trainer.kmeans.local.exchange import to_json
from components.trainer.kmeans.local.process import DONE, FAILED, LOST, READY, REFUSED
from components.trainer.kmeans.threads import cores

# Not -m: the package imports this module, and Python warns where it runs one that is imported already.
_PROGRAM = f"from {process.__name__} import main; main()"
_LAST_LINES = 12
_ROOT = Path(__file__).parents[4]
_PORT_TAKEN = "Could not start gRPC server"


class Worker:
    """A process of `process` at work on one task.

    Attributes:
      reports: file descriptor to wait on until it is `gone`.
      ready, done: what it has reported.
      refusal: the message of its KMeansError.
      failed: whether it ended, or said that it is about to, without being done.
      lost: whether it failed for no other reason than that another worker is gone.
      port_taken: whether it failed because another program listens on its port.
    """

    def __init__(self, task: dict[str, Any], addresses: Sequence[str]) -> None:
        self._index, self._count = task["worker"], len(addresses)
        threads = max(1, cores() // self._count)
        self._log = os.path.join(task["folder"], f"worker-{self._index}.log")
        self._unread = b""
        self.ready = self.done = self.failed = self.lost = self.port_taken = self.gone = False
        self.refusal: str | None = None
        self._error = ""
        self.reports, writing = os.pipe()
        try:
            with open(self._log, "wb") as log:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, str(writing)],
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=(writing,),
                    cwd=_ROOT,
                    env=_environment(self._index, addresses, threads),
                    # A terminal's Ctrl-C is for the process that waits, which then ends this one.
                    start_new_session=True,
                )
        except BaseException:
            os.close(self.reports)
            raise
        finally:
            os.close(writing)
        assert self._process.stdin is not None
        self._input = self._process.stdin
        with contextlib.suppress(BrokenPipeError):  # ended at once: its log says why
            self._input.write(to_json({**task, "threads": threads}).encode() + b"\n")

    @property
    def settled(self) -> bool:
        """Whether it has said all that it will."""
        return self.done or self.failed or self.refusal is not None

    def listen(self) -> list[dict[str, Any]]:
        """Reads what there is to read, takes note of it, and returns it."""
        chunk = os.read(self.reports, 1 << 16)
        if not chunk:
            self.gone = True
            self.failed = self.failed or not self.settled
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        reports = [json.loads(line) for line in lines]
        for report in reports:
            self.ready = self.ready or READY in report
            self.done = self.done or DONE in report
            self.refusal = report.get(REFUSED, self.refusal)
            if FAILED in report:
                self.failed, self.lost, self._error = True, report[LOST], report[FAILED]
                self.port_taken = not self.ready and _PORT_TAKEN in self._error
        return reports

    def describe(self) -> str:
        """For people: a line of which worker this is and how it ended, if it did, then the last that it wrote."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1.0)
        with open(self._log, errors="replace") as file:
            lines = [line.rstrip() for line in file if line.strip()][-_LAST_LINES:]
        heading = ["The last it wrote:"] if lines else []
        return "\n  ".join([f"worker {self._index} of {self._count} {self._fate()}", *heading, *lines])

    def end(self) -> None:
        """Ends the process, whatever it is at, and waits for it."""
        self._process.kill()
        self._process.wait()
        self._input.close()
        os.close(self.reports)

    def _fate(self) -> str:
        code = self._process.returncode
        if self._error:
            return f"failed: {self._error}"
        if code is None:
            return "is at work"
        if code >= 0:
            return f"ended with exit code {code}"
        if code == -signal.SIGKILL:
            return "was ended by SIGKILL (by hand, or because memory ran out)"
        return f"was ended by {signal.Signals(-code).name}"


def _environment(worker: int, addresses: Sequence[str], threads: int) -> dict[str, str]:
    cluster = {"cluster": {"worker": list(addresses)}, "task": {"type": "worker", "index": worker}}
    return {
        **os.environ,
        "TF_CONFIG": json.dumps(cluster),
        "CUDA_VISIBLE_DEVICES": gpus_of(worker, len(addresses)),
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",  # whoever started the workers may hold memory there too
        "OMP_NUM_THREADS": str(threads),
        # A proxy for the outside world knows no way to this machine's own ports.
        "no_grpc_proxy": "127.0.0.1",
    }


def gpus_of(worker: int, workers: int) -> str:
    """CUDA_VISIBLE_DEVICES for a worker: its share of the GPUs, none where there are fewer than workers."""
    count = len(tf.config.list_physical_devices("GPU"))
    if count < workers:
        return "-1"
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(gpu) for gpu in range(count)]
    return ",".join(names[worker::workers])
