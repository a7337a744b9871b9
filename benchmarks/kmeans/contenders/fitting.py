"""What every contender does around its fit: arguments, data, clock, memory, and one line of JSON.

Standard library and NumPy only: it runs in the rivals' environment, too.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Fitted:
    """What a contender's fit came to.

    Attributes:
        centroids: [k, d].
        iterations: Passes over the rows that it was fitted on.
        pass_seconds: Seconds of these passes together, where the contender tells.
        seconds: Of the fit, where the clock around it would count what is not part of it.
    """

    centroids: Any
    iterations: int
    pass_seconds: float | None = None
    seconds: float | None = None


def run(package: str, fit: Callable[[Any, int, int], Fitted], load: Callable[[Path], Any] = np.load) -> None:
    """Times `fit(data, k, seed)`, exactly: packages are imported and data loaded by then, nothing is warm.

    Saves the centroids and prints `package` with its version, seconds, iterations, pass_seconds, the peak of the
    process's resident memory in MiB, and by how much the fit raised that.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--k", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--centroids", type=Path, required=True, help="where to save them, as .npy")
    options = parser.parse_args()

    data = load(options.data)
    before = peak_mb()
    start = time.perf_counter()
    fitted = fit(data, options.k, options.seed)
    seconds = time.perf_counter() - start
    peak = peak_mb()

    np.save(options.centroids, np.asarray(fitted.centroids, np.float32))
    answer = {
        "version": f"{package} {version(package)}",
        "seconds": seconds if fitted.seconds is None else fitted.seconds,
        "iterations": int(fitted.iterations),
        "pass_seconds": fitted.pass_seconds,
        "peak_mb": peak,
        "fit_mb": peak - before,
    }
    print(json.dumps(answer), flush=True)


def peak_mb() -> float:
    """The most memory that this process has had resident so far, in MiB."""
    # Not resource.getrusage: its maximum starts at that of the process that started this one.
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise OSError("/proc/self/status does not tell the peak of resident memory")
