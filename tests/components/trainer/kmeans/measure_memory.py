"""Prints, as JSON, by how many MB the peak memory grows in two fits that must not hold everything at once."""

from __future__ import annotations

import json
import resource
import sys

import numpy as np
import tensorflow as tf

from components.trainer.kmeans import KMeansOptions, fit_kmeans


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _stream(n: int, d: int) -> tf.data.Dataset:
    return tf.data.Dataset.range(n // 10_000).map(
        lambda i: tf.random.stateless_normal([10_000, d], seed=tf.stack([i, 1])), num_parallel_calls=1
    )


def main() -> None:
    fit_kmeans(_stream(200_000, 16), KMeansOptions(4, max_iterations=2))  # what TensorFlow itself takes
    before = _peak()
    fit_kmeans(_stream(4_000_000, 16), KMeansOptions(4, max_iterations=2))
    after_dataset = _peak()
    rows = np.random.default_rng(0).normal(size=(500_000, 2)).astype(np.float32)
    fit_kmeans(rows, KMeansOptions(500, max_iterations=1), initial_centroids=rows[:500])
    grown = {"dataset": after_dataset - before, "many_clusters": _peak() - after_dataset}
    sys.stdout.write("RESULT " + json.dumps(grown) + "\n")


if __name__ == "__main__":
    main()
