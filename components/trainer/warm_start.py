"""Where a fit begins: at the model in production, unless somewhere else is clearly better."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

import numpy as np
import tensorflow as tf
from absl import logging

from components.trainer.kmeans import KMeansOptions, KMeansResult, fit_kmeans
from components.trainer.kmeans.frame import directions
from components.trainer.kmeans.replicas import Replicas
from components.trainer.warm_starts import (
    add_seeds,
    drop_cheapest,
    merge_closest,
    nearest_squared,
    segment_means,
)

_FINALISTS = 3

Origin = Literal["parent", "refined", "fresh"]
_ORIGINS: tuple[Origin, ...] = ("parent", "refined", "fresh")


@dataclasses.dataclass(frozen=True)
class Start:
    """Where a fit begins.

    centroids: float64 [k, d]. origin: `parent` when they are the means of the parent's segments and stay that;
    `refined` when the fit goes on from the parent, `fresh` when it begins from scratch.
    """

    centroids: np.ndarray
    origin: Origin

    def options(self, options: KMeansOptions) -> KMeansOptions:
        """How the fit to all customers goes on."""
        if self.origin != "parent":
            return options
        return dataclasses.replace(options, algorithm="lloyd", max_iterations=0)


def choose_start(
    vectors: np.ndarray,
    labels: np.ndarray | None,
    segments: int,
    options: KMeansOptions,
    switch_gain: float,
) -> Start:
    """Chooses among three models of a sample, the one that moves fewer customers first.

    `parent`: each segment's centroid is the mean of its customers today, one step of Lloyd's algorithm. `refined`: the
    algorithm goes on from there until it rests. `fresh`: the best of all restarts. Each must lower the inertia by more
    than the gain to take the place of the one before it; and by more than what a fit gains on any new sample of an
    unchanged population, about k / m of the inertia: the squared error of a cluster's mean is its variance over its
    rows. With another k the parent's segments are joined, or new seeds are set among the customers far from all.

    Args:
      vectors: float32 [m, d], the sample.
      labels: int [m], the segments that the parent puts these customers in, 0 to segments - 1; or None, where it
        cannot be asked.
      segments: number of the parent's segments.
      options: of the fit.
      switch_gain: see `ModelConfig`.

    Raises:
      KMeansError: the sample cannot make k clusters.
    """
    fresh = _fit(vectors, options)
    if labels is None:
        return Start(fresh.centroids.astype(np.float64), "fresh")
    means, weights = segment_means(vectors, labels, segments)
    if options.spherical:
        means = directions(means)
    starts = _starts(vectors, means, weights, options)
    needed = switch_gain + options.k / len(vectors)
    refined = min((_fit(vectors, options, start) for start in starts), key=lambda fit: fit.inertia)
    chosen = Start(refined.centroids.astype(np.float64), "refined")
    if len(means) >= options.k:
        held, inertia = min(((start, _inertia(vectors, start)) for start in starts), key=lambda pair: pair[1])
        logging.info(
            "Refining the parent would lower the inertia by %.3g %%.", 100 * _gain(refined.inertia, inertia)
        )
        if _gain(refined.inertia, inertia) <= needed:
            chosen = Start(held, "parent")
    # Beside the refined one, held or not: what a parent lacks that only has to go on is no reason to start anew.
    logging.info("A fresh fit would lower it by %.3g %% more.", 100 * _gain(fresh.inertia, refined.inertia))
    if _gain(fresh.inertia, refined.inertia) > needed:
        chosen = Start(fresh.centroids.astype(np.float64), "fresh")
    logging.info("The fit begins at: %s.", chosen.origin)
    return chosen


def agreed(
    choose: Callable[[], Start] | None, k: int, columns: int, strategy: tf.distribute.Strategy | None
) -> Start:
    """The chief's choice of a start [k, columns], on all workers of a cluster; the others have none, and wait here."""
    replicas = Replicas(strategy)
    if replicas.workers == 1:
        assert choose is not None
        return choose()

    def packed() -> np.ndarray:
        assert choose is not None
        start = choose()
        return np.concatenate([[_ORIGINS.index(start.origin)], start.centroids.ravel()]).astype(np.float64)

    values = replicas.from_chief(packed, (1 + k * columns,))
    return Start(values[1:].reshape(k, columns), _ORIGINS[int(values[0])])


def _starts(
    vectors: np.ndarray, means: np.ndarray, weights: np.ndarray, options: KMeansOptions
) -> list[np.ndarray]:
    """Ways to make k centroids of the means of segments, the most promising ones."""
    if len(means) == options.k:
        return [means]
    if len(means) > options.k:
        joined = merge_closest(means, weights, options.k)
        return [joined, drop_cheapest(vectors, means, options.k)]
    seeds = np.random.SeedSequence([options.seed, len(means)]).spawn(options.n_init)
    starts = [add_seeds(vectors, means, options.k, np.random.default_rng(seed)) for seed in seeds]
    return sorted(starts, key=lambda start: _inertia(vectors, start))[:_FINALISTS]


def _fit(vectors: np.ndarray, options: KMeansOptions, start: np.ndarray | None = None) -> KMeansResult:
    on_sample = dataclasses.replace(options, algorithm="lloyd")
    return fit_kmeans(vectors, on_sample, initial_centroids=start)


def _gain(inertia: float, before: float) -> float:
    return 1.0 - inertia / before if before > 0 else 0.0


def _inertia(vectors: np.ndarray, centroids: np.ndarray) -> float:
    return float(nearest_squared(vectors, centroids).sum())
