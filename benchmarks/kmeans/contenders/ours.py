"""This project's engine on rows in memory."""

from __future__ import annotations

from typing import Any

# Wherever the engine imports it: imports are not timed.
import tensorflow as tf  # noqa: F401

from benchmarks.kmeans.contenders.fitting import Fitted, run
from components.trainer.kmeans import KMeansOptions, KMeansResult, fit_kmeans


def fit(data: Any, k: int, seed: int) -> Fitted:
    return fitted(fit_kmeans(data, KMeansOptions(k=k, seed=seed)))


def fitted(result: KMeansResult) -> Fitted:
    """A result of the engine as the benchmark wants it."""
    passes = sum(iteration.seconds for iteration in result.history)
    return Fitted(result.centroids, result.iterations, passes)


if __name__ == "__main__":
    run("tensorflow", fit)
