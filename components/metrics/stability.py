"""Whether the same segments come out when other customers happen to be in the data."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from components.metrics.sampling import Keys, draw, row_keys
from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans

_RESTARTS = 5
"""Of each fit: with fewer, some end in a poor optimum, which says nothing about the model."""


def adjusted_rand(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Agreement of two partitions of the same rows, corrected for chance.

    (pairs together in both - expected) / (mean of the pairs together in either - expected), where expected is
    what random partitions with the same sizes give (Hubert and Arabie 1985, doi:10.1007/BF01908075).

    Args:
      first: [n], the segment of each row.
      second: [n], likewise.

    Returns:
      1 for the same partition whatever its labels, about 0 for unrelated ones; equal to scikit-learn's
      `adjusted_rand_score`. 1 where neither partition separates any rows, and where there are none.

    Raises:
      ValueError: the lengths differ.
    """
    _, a = np.unique(np.asarray(first), return_inverse=True)
    _, b = np.unique(np.asarray(second), return_inverse=True)
    if len(a) != len(b):
        raise ValueError(f"both partitions must be of the same rows; got {len(a)} and {len(b)}")
    if not len(a):
        return 1.0
    _, cells = np.unique(a.astype(np.int64) * (int(b.max()) + 1) + b, return_counts=True)
    together = _pairs(cells)
    in_first, in_second, pairs = _pairs(np.bincount(a)), _pairs(np.bincount(b)), _pairs(np.array([len(a)]))
    expected = in_first * in_second / pairs if pairs else 0.0
    most = (in_first + in_second) / 2
    return float((together - expected) / (most - expected)) if most != expected else 1.0


def _pairs(counts: npt.NDArray[np.int64]) -> float:
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


def stability(
    features: npt.ArrayLike,
    segments: npt.ArrayLike,
    k: int,
    *,
    resamples: int = 5,
    most_rows: int = 20_000,
    seed: int = 0,
    keys: Keys | None = None,
    options: KMeansOptions | None = None,
) -> float:
    """Agreement of a model with fits on random halves of the customers.

    Each half is clustered anew into k segments, which then take all the rows; the mean adjusted Rand index
    between those partitions and the model's is returned (resampling as in Hennig 2007,
    doi:10.1016/j.csda.2006.11.025, by halves without replacement; Rand's index in place of Jaccard's). A model
    whose segments the data do not suggest scores low, whether they are arbitrary or badly fitted.

    Args:
      features: [n, d], rows in transformed space.
      segments: [n], the segment of each row.
      k: number of segments that the model has.
      resamples: how many halves, at least 1.
      most_rows: of more rows than these, so many are drawn first.
      seed: of the draws and the fits.
      keys: uint64 [n], what the draws go by; a hash of the features without them.
      options: of the fits, but for `k` and `seed`; None for five restarts and the engine's defaults.

    Returns:
      At most 1, higher is better; 1 for k = 1. NaN where half of the rows cannot make k segments.
    """
    matrix = np.asarray(features)
    labels = np.asarray(segments)
    if k == 1:
        return 1.0
    if keys is None:
        keys = row_keys(matrix)
    chosen = draw(keys, most_rows, seed)
    matrix, labels, keys = matrix[chosen].astype(np.float32), labels[chosen], keys[chosen]
    options = options or KMeansOptions(k=k, n_init=_RESTARTS)
    agreements = []
    for number in range(1, resamples + 1):
        half = draw(keys, len(matrix) // 2, seed + number)
        try:
            fit = fit_kmeans(matrix[half], dataclasses.replace(options, k=k, seed=seed + number))
        except KMeansError:
            return float("nan")
        agreements.append(adjusted_rand(labels, assign(matrix, fit.centroids, options.metric)[0].numpy()))
    return float(np.mean(agreements))
