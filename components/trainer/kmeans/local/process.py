"""One worker of a fit on this machine: a process that runs `main`. Its output is kept for when it fails.

Reads its task (JSON) from standard input, writes reports (a JSON object a line) to the file descriptor named on
the command line. When standard input ends, whoever started it is gone, and it ends too.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import re
import shutil
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from components.trainer.kmeans.checkpoint import Checkpoint
from components.trainer.kmeans.errors import KMeansError, WorkerLost
from components.trainer.kmeans.fit import fit_kmeans
from components.trainer.kmeans.local.exchange import read_array, to_json, write_result
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.result import Iteration

# What a report holds.
READY = "ready"  # the workers have found each other
ITERATION = "iteration"  # of the chief
LOG = "log"  # [level, message], of the chief
REFUSED = "refused"  # message of a KMeansError
FAILED = "failed"  # another error, in a line
LOST = "lost"  # with FAILED: whether it says no more than that another worker is gone
DONE = "done"

_ROW = re.compile(r"^((?:data|sample_weight): row )(\d+)")


def main() -> None:
    """Serves one task and waits to be ended: a worker that leaves early takes what it still has to send along."""
    with open(int(sys.argv[1]), "w") as stream:

        def report(content: dict[str, Any]) -> None:
            stream.write(to_json(content) + "\n")
            stream.flush()

        task = json.loads(sys.stdin.readline())
        watch = threading.Thread(target=_end_with_parent, args=[task["folder"]], daemon=True)
        watch.start()
        try:
            _serve(task, report)
        except KMeansError as error:
            report({REFUSED: _in_all_rows(str(error), task["start"])})
        except Exception as error:
            traceback.print_exc()
            first = next(iter(str(error).splitlines()), "")
            report({FAILED: f"{type(error).__name__}: {first}", LOST: isinstance(error, WorkerLost)})
            # Not sys.exit: TensorFlow would wait for the others on its way out.
            os._exit(1)
        watch.join()


def _serve(task: dict[str, Any], report: Callable[[dict[str, Any]], None]) -> None:
    tf.config.threading.set_intra_op_parallelism_threads(task["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(task["threads"])
    folder, chief = task["folder"], task["worker"] == 0
    rows = slice(task["start"], task["stop"])
    # Before the workers are ready: then the files go.
    data, weights = read_array(folder, "data", rows), read_array(folder, "sample_weight", rows)
    given = read_array(folder, "initial_centroids")
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    report({READY: True})
    if chief:
        logging.getLogger("components").addHandler(_Forward(report))

    def tell(iteration: Iteration) -> None:
        report({ITERATION: dataclasses.asdict(iteration)})

    result = fit_kmeans(
        data,
        KMeansOptions(**task["options"]),
        strategy,
        given,
        weights,
        on_iteration=tell if chief else None,
        checkpoint=Checkpoint(**task["checkpoint"]) if task["checkpoint"] else None,
    )
    if chief:
        write_result(folder, result)
    report({DONE: True})


class _Forward(logging.Handler):
    """What the engine logs here is for who asked for the fit."""

    def __init__(self, report: Callable[[dict[str, Any]], None]) -> None:
        super().__init__()
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report({LOG: [record.levelno, record.getMessage()]})


def _in_all_rows(message: str, start: int) -> str:
    """A message that names a row of this worker's, naming it as a row of the whole array."""
    return _ROW.sub(lambda found: f"{found[1]}{int(found[2]) + start}", message)


def _end_with_parent(folder: str) -> None:
    sys.stdin.read()
    # Still here, so it was killed: nobody else is left to clean up.
    shutil.rmtree(folder, ignore_errors=True)
    os._exit(0)
