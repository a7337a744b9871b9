"""A fit shared by several processes of this machine."""

from __future__ import annotations

import dataclasses
import os
import tempfile
from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.checkpoint import Checkpoint
from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.local.crew import Crew
from components.trainer.kmeans.local.exchange import read_result, remove_arrays, write_arrays
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.result import Iteration, KMeansResult
from components.trainer.kmeans.sources import numbers, open_source


def fit_on_local_workers(
    data: Any,
    options: KMeansOptions,
    workers: int,
    *,
    initial_centroids: Any = None,
    sample_weight: Any = None,
    on_iteration: Callable[[Iteration], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> KMeansResult:
    """`fit_kmeans` by `workers` processes, each with a contiguous share of the rows, the cores and the GPUs.

    The rows pass through a temporary file, which the workers map into memory. No process and no file outlives the
    call; if this process is killed, the workers end by themselves. They talk through TensorFlow's own servers, which
    know no passwords and listen on all of the machine's addresses.

    Args:
      data: numbers [n, d]; n may be less than `workers`.
      options: what to fit.
      workers: processes to start, at least 1.
      initial_centroids: numbers [k, d]; see `fit_kmeans`.
      sample_weight: numbers [n]; see `fit_kmeans`.
      on_iteration: called in this process after every full pass.
      checkpoint: see `fit_kmeans`.

    Returns:
      The fit; its `seconds` leave out starting the processes.

    Raises:
      KMeansError: as `fit_kmeans` does, with rows counted in the whole of `data`.
      WorkerLost: a worker ended before the fit did, or did not start. The others were ended too.
    """
    if isinstance(workers, bool) or not isinstance(workers, Integral) or workers < 1:
        raise KMeansError(f"workers: expected a whole number of at least 1, got {workers!r}")
    if isinstance(data, tf.data.Dataset):
        raise KMeansError("data: local workers share an array; give a dataset to fit_kmeans")
    open_source(data, sample_weight)
    rows = numbers("data", data, rank=2, shape="[n, d]")
    arrays = {"data": rows}
    if sample_weight is not None:
        arrays["sample_weight"] = numbers("sample_weight", sample_weight, rank=1, shape="[n]")
    if initial_centroids is not None:
        arrays["initial_centroids"] = numbers("initial_centroids", initial_centroids, rank=2, shape="[k, d]")
    bounds = np.linspace(0, len(rows), workers + 1).astype(int).tolist()
    with tempfile.TemporaryDirectory(prefix="kmeans-workers-") as folder:
        write_arrays(folder, arrays)
        tasks = [
            {
                "folder": folder,
                "worker": worker,
                "start": bounds[worker],
                "stop": bounds[worker + 1],
                "options": dataclasses.asdict(options),
                "checkpoint": _absolute(checkpoint),
            }
            for worker in range(workers)
        ]
        for last in (False, True):
            with Crew(tasks, on_iteration) as crew:
                # Between finding a port free and listening there, another program may take it: once is bad luck.
                if crew.gather() or last:
                    # They have mapped the rows: even if all are killed at once, no file of them is left.
                    remove_arrays(folder, arrays)
                    crew.finish()
                    break
        return read_result(folder)


def _absolute(checkpoint: Checkpoint | None) -> dict[str, Any] | None:
    """For a process with another current folder."""
    if checkpoint is None:
        return None
    folder = checkpoint.directory if "://" in checkpoint.directory else os.path.abspath(checkpoint.directory)
    return {"directory": folder, "every_seconds": checkpoint.every_seconds}
