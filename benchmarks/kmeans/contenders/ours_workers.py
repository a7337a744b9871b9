"""This project's engine in two worker processes on this machine."""

from __future__ import annotations

import dataclasses
from typing import Any

from benchmarks.kmeans.contenders.fitting import Fitted, run
from benchmarks.kmeans.contenders.ours import fitted
from components.trainer.kmeans import KMeansOptions, fit_on_local_workers

WORKERS = 2


def fit(data: Any, k: int, seed: int) -> Fitted:
    result = fit_on_local_workers(data, KMeansOptions(k=k, seed=seed), workers=WORKERS)
    # The clock around the call would count the start of the workers and their imports.
    return dataclasses.replace(fitted(result), seconds=result.seconds)


# The workers may import this module again: only the process that was started fits.
if __name__ == "__main__":
    run("tensorflow", fit)
