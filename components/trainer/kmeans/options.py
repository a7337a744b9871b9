"""What a user can choose about a fit."""

from __future__ import annotations

import dataclasses
import math
import numbers
from typing import Literal

from components.trainer.kmeans.errors import KMeansError

_MIN_SAMPLE = 16_384
_SAMPLE_PER_CLUSTER = 128


@dataclasses.dataclass(frozen=True)
class KMeansOptions:
    """Options of `fit_kmeans`; every value is checked when the object is made.

    Attributes:
      k: number of clusters, at least 1.
      init: how starting centroids are drawn: "k-means++" (greedy, several candidates per step), "k-means||"
        (the same, among candidates drawn from all rows in a few passes: finds small clusters that a sample
        misses) or "random" (k different rows, the likelier the heavier).
      algorithm: "lloyd" passes over all rows until the centroids rest; "minibatch" moves them after every few
        rows, and is done after one or a few passes, at an inertia that is usually some tenths of a percent higher.
      metric: "euclidean", or "cosine": k-means on the unit sphere, of the directions of the rows. Then centroids
        have length 1, and inertia is the sum of squared distances between directions, 2 (1 - cos). Rows of zeros
        have no direction and take no part.
      n_init: independent starts; the one with the lowest inertia wins. Restart i draws the same numbers
        whatever n_init is, so on data that fits the sample more restarts are never worse.
      max_iterations: upper limit on passes over all the data; 0 leaves the starting centroids where they are, and
        measures them.
      tolerance: the fit has converged once the squared movement of the centroids, summed, is at most
        `tolerance * mean(var(data, axis=0))`, as in scikit-learn. 0 asks for centroids that stand still.
      seed: seed of every random draw, at least 0.
      batch_size: rows between two movements of the centroids, for "minibatch".
      sample_size: rows on which starts are drawn, and on which restarts compete when there is more data than
        that. None means 16,384 or 128 per cluster, whichever is more.

    Raises:
      KMeansError: an option has the wrong type or an impossible value.
    """

    k: int
    init: Literal["k-means++", "k-means||", "random"] = "k-means++"
    algorithm: Literal["lloyd", "minibatch"] = "lloyd"
    metric: Literal["euclidean", "cosine"] = "euclidean"
    n_init: int = 5
    max_iterations: int = 300
    tolerance: float = 1e-4
    seed: int = 0
    batch_size: int = 16_384
    sample_size: int | None = None

    def __post_init__(self) -> None:
        _require_integer("k", self.k, minimum=1)
        _require_choice("init", self.init, "k-means++", "k-means||", "random")
        _require_choice("algorithm", self.algorithm, "lloyd", "minibatch")
        _require_choice("metric", self.metric, "euclidean", "cosine")
        _require_integer("n_init", self.n_init, minimum=1)
        _require_integer("max_iterations", self.max_iterations, minimum=0)
        _require_integer("seed", self.seed, minimum=0)
        _require_integer("batch_size", self.batch_size, minimum=1)
        if self.sample_size is not None:
            _require_integer("sample_size", self.sample_size, minimum=1)
            if self.sample_size < self.k:
                raise KMeansError(
                    f"sample_size: {self.sample_size} rows cannot seed k={self.k} clusters; "
                    f"use at least {self.k}, or None for an automatic size"
                )
        if isinstance(self.tolerance, bool) or not isinstance(self.tolerance, numbers.Real):
            raise KMeansError(f"tolerance: expected a number, got {self.tolerance!r}")
        if not (math.isfinite(self.tolerance) and self.tolerance >= 0):
            raise KMeansError(f"tolerance: {self.tolerance!r} is impossible; use a finite number, 0 or more")

        # Plain numbers, whoever made them: NumPy's cannot be written as JSON.
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, numbers.Integral):
                object.__setattr__(self, field.name, int(value))
            elif isinstance(value, numbers.Real):
                object.__setattr__(self, field.name, float(value))

    @property
    def spherical(self) -> bool:
        """Whether centroids have length 1."""
        return self.metric == "cosine"

    @property
    def seeding_rows(self) -> int:
        """The sample size in force."""
        return self.sample_size or max(_MIN_SAMPLE, _SAMPLE_PER_CLUSTER * self.k)


def _require_choice(name: str, value: object, *known: str) -> None:
    if value not in known:
        choices = " or ".join(f'"{choice}"' for choice in known)
        raise KMeansError(f"{name}: {value!r} is not known; use {choices}")


def _require_integer(name: str, value: object, minimum: int) -> None:
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise KMeansError(f"{name}: expected an integer, got {value!r}")
    if value < minimum:
        raise KMeansError(f"{name}: {value} is too small; use {minimum} or more")
