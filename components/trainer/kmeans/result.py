"""What a fit returns."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Iteration:
    """One pass of Lloyd's algorithm over all the data.

    Attributes:
      inertia: weighted sum of squared distances to the centroids that the pass started from; good to
        about 1e-7 of the spread of the data.
      movement: Euclidean norm of the change of all centroids together, in units of the data.
      reseeded: clusters that were empty and were moved to the farthest points.
      examined: rows that were compared with all centroids; the others provably kept theirs.
      seconds: wall time of the pass.
    """

    inertia: float
    movement: float
    reseeded: tuple[int, ...]
    examined: int
    seconds: float


@dataclasses.dataclass(frozen=True)
class KMeansResult:
    """A fitted set of centroids; with several workers every worker holds the same one.

    Attributes:
      centroids: float32 [k, d], in the units of the data. The fit itself works on centred data, so data far
        from the origin is clustered more finely than float32 can write its centroids down.
      inertia: weighted sum of squared distances of all rows to their nearest final centroid.
      iterations: passes of Lloyd's algorithm over all the data, `len(history)`.
      converged: whether the centroids came to rest within max_iterations.
      history: the passes, in order.
      cluster_weights: float64 [k], the total weight of the rows of each cluster (their number, without
        weights).
      seconds: wall time of the fit.
    """

    centroids: np.ndarray
    inertia: float
    iterations: int
    converged: bool
    history: list[Iteration]
    cluster_weights: np.ndarray
    seconds: float
