"""Fits of the same rows for one k after another, each helped by the one before."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from components.metrics.sampling import sample_rows
from components.trainer.kmeans import KMeansError, KMeansOptions, KMeansResult, assign, fit_kmeans

Rows = npt.NDArray[np.float32]

# Starts compete on so many rows; what the others change after that is little.
_SAMPLE_ROWS = 8_192
# With fewer clusters than there are groups, a start or two often end where the wrong ones share a centroid.
_FRESH_STARTS = 4
# Passes beyond these move centroids, but no k ahead of another.
_TOLERANCE, _PASSES = 1e-3, 20


class GrowingFits:
    """k-means of the same rows for growing k.

    A fit starts from the centroids of the one before and one more, or from fresh draws, whichever ends lowest on a
    sample of the rows, and goes on from there over all of them. Beside a start that is good already, a few draws do
    where a fit on its own needs many.
    """

    def __init__(self, rows: Rows, options: KMeansOptions):
        """Draws the sample.

        Args:
          rows: [n, d].
          options: of the fits, but for `k`; starts and passes are bounded.
        """
        self._rows, self._options = rows, short(options, _FRESH_STARTS)
        whole = len(rows) <= _SAMPLE_ROWS
        self._sample = rows if whole else rows[sample_rows(rows, _SAMPLE_ROWS, options.seed)]
        self._last: np.ndarray | None = None

    def fit(self, k: int) -> KMeansResult:
        """Fits k clusters to all rows.

        Raises:
          KMeansError: the rows cannot make so many.
        """
        options = dataclasses.replace(self._options, k=k)
        try:
            best = self._compete(options)
        except KMeansError:
            # All rows may hold more different ones than the sample does.
            if self._sample is self._rows:
                raise
            best = fit_kmeans(self._rows, options)
        else:
            if self._sample is not self._rows:
                best = fit_kmeans(self._rows, options, initial_centroids=best.centroids)
        self._last = best.centroids
        return best

    def _compete(self, options: KMeansOptions) -> KMeansResult:
        fresh = fit_kmeans(self._sample, options)
        if self._last is None or len(self._last) != options.k - 1:
            return fresh
        start = with_one_more(self._last, self._sample, options)
        if start is None:
            return fresh
        grown = fit_kmeans(self._sample, options, initial_centroids=start)
        return min(grown, fresh, key=lambda fit: fit.inertia)


def short(options: KMeansOptions, n_init: int) -> KMeansOptions:
    """The same for fits that are only to be compared: few starts, and no passes for the last bit of rest."""
    return dataclasses.replace(
        options,
        n_init=min(options.n_init, n_init),
        tolerance=max(options.tolerance, _TOLERANCE),
        max_iterations=min(options.max_iterations, _PASSES),
    )


def with_one_more(centroids: np.ndarray, rows: Rows, options: KMeansOptions) -> np.ndarray | None:
    """Adds a row to centroids, drawn as greedy k-means++ does.

    A few rows are drawn with probabilities that grow with their squared distance to the nearest centroid; the one
    that lowers the inertia most is taken.

    Args:
      centroids: [k - 1, d].
      rows: [n, d].
      options: of the fit that is to start there: `k`, `metric` and `seed`.

    Returns:
      float32 [k, d]; None where every row is a centroid already.
    """
    squared = assign(rows, centroids, options.metric)[1].numpy().astype(np.float64)
    total = squared.sum()
    if not total > 0:
        return None
    random = np.random.default_rng([options.seed, options.k])
    # As many as scikit-learn tries.
    drawn = random.choice(len(rows), 2 + int(np.log(options.k)), p=squared / total)
    left = [
        np.minimum(squared, np.square(rows - rows[place], dtype=np.float64).sum(axis=1)).sum()
        for place in drawn
    ]
    return np.vstack([centroids, rows[drawn[int(np.argmin(left))]]]).astype(np.float32)
