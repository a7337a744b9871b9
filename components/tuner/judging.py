"""What is measured of a candidate, on a sample of the rows that it was fitted to."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
import numpy.typing as npt

from components.metrics.clustering import Partition, davies_bouldin, silhouette
from components.metrics.sampling import sample_rows
from components.metrics.stability import stability
from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans
from components.tuner.choice import Bounds, score
from components.tuner.fits import GrowingFits, short
from components.tuner.sweep import Candidate, defined

Rows = npt.NDArray[np.float32]

# Halves that are fitted anew for the stability of a candidate.
_RESAMPLES = 3


class Judge:
    """Fits and judges one k after another on the same rows."""

    def __init__(self, rows: Rows, options: KMeansOptions, judged_rows: int, bounds: Bounds):
        """Draws the rows to judge on.

        Args:
          rows: [n, d], what is fitted.
          options: of the fits, but for `k` and `n_init`.
          judged_rows: how many rows to judge on; all where there are fewer.
          bounds: who is eligible.
        """
        self._options, self._bounds = short(options, n_init=2), bounds
        self._fits = GrowingFits(rows, options)
        self.judged = rows[sample_rows(rows, judged_rows, options.seed)]

    def candidate(self, k: int) -> Candidate:
        """Fits and judges k segments. Call with growing k."""
        began = time.perf_counter()
        try:
            fit = self._fits.fit(k)
        except KMeansError as error:
            # With a segment for each kind of row nothing is left within them, and some are empty.
            reason = str(error).removeprefix("data: ").partition(";")[0]
            return Candidate(k, 0.0, None, None, None, 0.0, False, reason, time.perf_counter() - began)
        labels = assign(self.judged, fit.centroids, self._options.metric)[0].numpy()
        partition = Partition.of(self.judged, labels)
        separation = defined(silhouette(partition)), defined(davies_bouldin(partition))
        steadiness = defined(
            stability(
                self.judged,
                labels,
                k,
                resamples=_RESAMPLES,
                most_rows=len(self.judged),
                seed=self._options.seed,
                options=self._options,
            )
        )
        share = float(fit.cluster_weights.min() / fit.cluster_weights.sum())
        reason = self._bounds.objection(share, steadiness, score(*separation, steadiness))
        return Candidate(
            k=k,
            inertia=float(fit.inertia),
            silhouette=separation[0],
            davies_bouldin=separation[1],
            stability=steadiness,
            smallest_segment_share=share,
            eligible=not reason,
            reason=reason,
            seconds=time.perf_counter() - began,
        )

    def reference(self, k: int) -> float | None:
        """The silhouette of k segments of rows without groups.

        They are spread evenly over a box with the extent of the judged rows along each of their principal axes, as
        the reference of the gap statistic is (Tibshirani, Walther and Hastie 2001, doi:10.1111/1467-9868.00293).

        Returns:
          The silhouette; None where even such rows cannot make k segments.
        """
        centred = self.judged.astype(np.float64)
        centred -= centred.mean(axis=0)
        axes = np.linalg.svd(centred.T @ centred)[2]
        along = centred @ axes.T
        random = np.random.default_rng([self._options.seed, k])
        even = random.uniform(along.min(axis=0), along.max(axis=0), along.shape) @ axes
        if self._options.spherical:
            # Judged rows have length 1, and so must these.
            even += self.judged.mean(axis=0)
            even /= np.maximum(np.linalg.norm(even, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        try:
            fit = fit_kmeans(even, dataclasses.replace(self._options, k=k))
        except KMeansError:
            return None
        labels = assign(even, fit.centroids, self._options.metric)[0].numpy()
        return defined(silhouette(Partition.of(even, labels)))
