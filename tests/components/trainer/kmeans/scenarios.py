"""Fits that must come out the same however many devices and workers share the rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from components.trainer.kmeans import KMeansError, KMeansOptions, KMeansResult, fit_kmeans


def rows(n: int = 10_007, d: int = 4, k: int = 5) -> np.ndarray:
    random = np.random.default_rng(1)
    centres = random.normal(size=(k, d)) * 3.0
    return (centres[random.integers(k, size=n)] + random.normal(size=(n, d))).astype(np.float32)


def weights(n: int = 10_007) -> np.ndarray:
    return np.random.default_rng(2).uniform(0.0, 3.0, size=n)


Fit = Callable[[slice, "tf.distribute.Strategy | None"], KMeansResult]
_ALL = 10_007


def _array(part, strategy):
    return fit_kmeans(rows()[part], KMeansOptions(5, n_init=1, tolerance=0.0), strategy)


def _weighted(part, strategy):
    return fit_kmeans(
        rows()[part], KMeansOptions(5, n_init=1, tolerance=0.0), strategy, sample_weight=weights()[part]
    )


def _dataset(part, strategy):
    data = tf.data.Dataset.from_tensor_slices(rows()[part]).batch(333)
    return fit_kmeans(data, KMeansOptions(5, n_init=1, tolerance=0.0), strategy)


def _sampled(part, strategy):
    return fit_kmeans(rows()[part], KMeansOptions(5, tolerance=0.0, sample_size=2_000), strategy)


def _reseeded(part, strategy):
    start = np.concatenate([rows()[:1], np.full([4, 4], 1e4, np.float32)])
    result = fit_kmeans(
        rows()[part], KMeansOptions(5, n_init=1, tolerance=0.0), strategy, initial_centroids=start
    )
    assert result.history[0].reseeded == (1, 2, 3, 4)
    return result


def _cosine(part, strategy):
    return fit_kmeans(rows()[part], KMeansOptions(5, metric="cosine", tolerance=0.0), strategy)


def _bounded(part, strategy):
    return fit_kmeans(rows()[part], KMeansOptions(40, n_init=1, tolerance=0.0), strategy)


def _parallel(part, strategy):
    options = KMeansOptions(5, init="k-means||", sample_size=2_000, tolerance=0.0)
    return fit_kmeans(rows()[part], options, strategy)


def _few(part, strategy):
    return fit_kmeans(rows(7)[part], KMeansOptions(3), strategy)


# name -> (the row at which the second of two workers takes over, how rows are fitted)
SCENARIOS: dict[str, tuple[int, Fit]] = {
    "array": (5_000, _array),
    "uneven": (9_000, _array),
    "empty_shard": (_ALL, _array),
    "empty_chief": (0, _array),
    "weighted": (3_000, _weighted),
    "dataset": (8_000, _dataset),
    "empty_dataset": (0, _dataset),
    "sampled": (6_000, _sampled),
    "reseeded": (5_000, _reseeded),
    "cosine": (7_000, _cosine),
    "bounded": (4_000, _bounded),
    "parallel": (5_500, _parallel),
    "few": (2, _few),
}


def summary(result: KMeansResult) -> dict[str, object]:
    """What is compared of a fit, for JSON."""
    return {
        "centroids": result.centroids.tolist(),
        "inertia": result.inertia,
        "weights": result.cluster_weights.tolist(),
    }


def refusals(worker: int, strategy: tf.distribute.Strategy) -> dict[str, str]:
    """What a worker says when the rows of another are bad, and when the data of all are too few."""
    bad = rows(100)
    if worker == 1:
        bad[60, 2] = np.nan
    ragged = rows(100, d=4 if worker == 0 else 3)
    text = rows(100) if worker == 0 else np.array([["a", "b"]])
    attempts = {"nan": (bad, 3), "columns": (ragged, 3), "text": (text, 3), "too_few": (rows(5)[:2], 5)}
    messages = {}
    for name, (data, k) in attempts.items():
        try:
            fit_kmeans(data, KMeansOptions(k), strategy)
            messages[name] = "no error"
        except KMeansError as error:
            messages[name] = str(error)
    return messages
