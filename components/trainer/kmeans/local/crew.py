"""The worker processes of one fit: started together, listened to, and ended together."""

from __future__ import annotations

import contextlib
import logging
import re
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

from components.trainer.kmeans.errors import KMeansError, WorkerLost
from components.trainer.kmeans.local.exchange import read_iteration
from components.trainer.kmeans.local.handle import Worker
from components.trainer.kmeans.local.process import ITERATION, LOG
from components.trainer.kmeans.result import Iteration

_START_SECONDS = 120.0
# How long the others may take to say their part after one has failed: it tells the cause from its consequences.
_SETTLE_SECONDS = 3.0
# Said by the workers whose own rows are fine.
_POINTS_AT_ANOTHER = re.compile(r"worker \d+ refused its rows")

_log = logging.getLogger(__name__)


class Crew:
    """The workers of one fit, as a context: started on entering, ended on leaving, however it is left.

    Args:
      tasks: one per worker; see `process`.
      on_iteration: called for every pass that the chief reports.
    """

    def __init__(self, tasks: list[dict[str, Any]], on_iteration: Callable[[Iteration], None] | None) -> None:
        self._tasks, self._on_iteration = tasks, on_iteration
        self._workers: list[Worker] = []
        self._failures: list[Worker] = []

    def __enter__(self) -> Crew:
        with contextlib.ExitStack() as stack:
            self._selector = stack.enter_context(selectors.DefaultSelector())
            addresses = [f"127.0.0.1:{port}" for port in free_ports(len(self._tasks))]
            for task in self._tasks:
                worker = Worker(task, addresses)
                stack.callback(worker.end)
                self._workers.append(worker)
                self._selector.register(worker.reports, selectors.EVENT_READ, worker)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self._exit.close()

    def gather(self) -> bool:
        """Waits until the workers have found each other; False where a port was taken from them.

        Raises:
          WorkerLost: they take too long.
        """
        if not self._listen_until(lambda: self._in_trouble or self._all("ready"), _START_SECONDS):
            absent = next(worker for worker in self._workers if not worker.ready)
            raise WorkerLost(f"k-means: not up within {_START_SECONDS:.0f} s: {absent.describe()}")
        return not any(worker.port_taken for worker in self._workers)

    def finish(self) -> None:
        """Waits for the end of the fit.

        Raises:
          KMeansError, WorkerLost: see `fit_on_local_workers`.
        """
        self._listen_until(lambda: self._in_trouble or self._all("done"))
        if not self._in_trouble:
            return
        self._listen_until(lambda: self._all("settled"), _SETTLE_SECONDS)
        refusals = [worker.refusal for worker in self._workers if worker.refusal is not None]
        if refusals:
            raise KMeansError(min(refusals, key=lambda said: bool(_POINTS_AT_ANOTHER.match(said))))
        cause = next((worker for worker in self._failures if not worker.lost), self._failures[0])
        raise WorkerLost(f"k-means: {cause.describe()}")

    @property
    def _in_trouble(self) -> bool:
        return any(worker.failed or worker.refusal is not None for worker in self._workers)

    def _all(self, attribute: str) -> bool:
        return all(getattr(worker, attribute) for worker in self._workers)

    def _listen_until(self, condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
        """Takes the workers' reports until the condition holds; False where it does not within the time."""
        deadline = time.monotonic() + seconds
        while not condition():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self._selector.select(None if seconds == float("inf") else left):
                self._take(key.data)
        return True

    def _take(self, worker: Worker) -> None:
        for report in worker.listen():
            if ITERATION in report and self._on_iteration is not None:
                self._on_iteration(read_iteration(report[ITERATION]))
            elif LOG in report:
                level, message = report[LOG]
                _log.log(level, "%s", message)
        if worker.failed and worker not in self._failures:
            self._failures.append(worker)
        if worker.gone:
            self._selector.unregister(worker.reports)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for free in sockets:
            free.bind(("", 0))
        return [free.getsockname()[1] for free in sockets]
