"""Provisional segments: what stands for a target where there is none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.selection.encoding import Encoded, blocks
from components.selection.target import Target
from components.trainer.kmeans import KMeansOptions, assign, fit_kmeans

NAME = "provisional segments"

_SMALLEST = 10


def provisional_segments(features: Sequence[Encoded], k: int, seed: int) -> Target:
    """Clusters the sample by all of these features, numbers standardized and categories one-hot.

    Args:
      features: at least one.
      k: number of segments.
      seed: of the fit.

    Returns:
      The segments as classes. Customers in segments too small to be learned are left out.

    Raises:
      components.trainer.kmeans.KMeansError: the customers cannot make k segments.
    """
    vectors = np.hstack([blocks(feature) for feature in features]).astype(np.float32)
    fit = fit_kmeans(vectors, KMeansOptions(k=k, n_init=4, seed=seed))
    labels = assign(vectors, fit.centroids)[0].numpy().astype(np.int64)
    large = np.flatnonzero(np.bincount(labels, minlength=k) >= _SMALLEST)
    rows = np.flatnonzero(np.isin(labels, large))
    return Target(NAME, "classification", np.searchsorted(large, labels[rows]), rows, len(large))
