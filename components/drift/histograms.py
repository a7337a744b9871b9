"""Histograms over the same buckets, from the quantiles in TFDV's statistics.

TFDV compares numeric features by their standard histograms, ten buckets of equal width from the smallest value to the
largest. One outlier more or less makes other buckets, and values are then taken to be spread evenly in them: on two
random halves of real tables its divergence comes to 0.6 of at most 1. Quantiles do not mind outliers; with both samples
counted in the same buckets the divergence of such halves stays below 0.01 (docs/drift.md).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from tensorflow_metadata.proto.v0 import statistics_pb2

BUCKETS = 10
"""Of the reference, with as many customers in each as its ties allow; two more are below and above them."""

Numbers = npt.NDArray[np.float64]


class Quantiles:
    """A distribution function known at quantiles, and even between them."""

    def __init__(self, values: Numbers, shares: Numbers):
        """Takes the quantiles.

        Args:
          values: [n], ascending; equal ones are a jump.
          shares: [n], ascending from 0 to 1: so much of the sample is at or below each value.
        """
        self.values, self.shares = values, shares

    @classmethod
    def of(cls, feature: statistics_pb2.FeatureNameStatistics) -> Quantiles | None:
        """Those of a numeric feature; None where its statistics hold none."""
        for histogram in feature.num_stats.histograms:
            if histogram.type == statistics_pb2.Histogram.QUANTILES and histogram.buckets:
                buckets = histogram.buckets
                values = np.array([buckets[0].low_value, *(bucket.high_value for bucket in buckets)])
                counts = np.cumsum([0.0, *(bucket.sample_count for bucket in buckets)])
                if counts[-1] > 0:
                    return cls(values, counts / counts[-1])
        return None

    def share_up_to(self, points: npt.ArrayLike) -> Numbers:
        """The share of the sample at or below each of the points, [m]."""
        at = np.asarray(points, np.float64)
        below = np.searchsorted(self.values, at, "right") - 1
        low = np.clip(below, 0, len(self.values) - 1)
        high = np.clip(below + 1, 0, len(self.values) - 1)
        width = self.values[high] - self.values[low]
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.nan_to_num((at - self.values[low]) / width, nan=0.0, posinf=0.0, neginf=0.0)
        shares = self.shares[low] + part * (self.shares[high] - self.shares[low])
        return np.where(below < 0, 0.0, shares)

    def at(self, shares: npt.ArrayLike) -> Numbers:
        """The quantiles of the shares, [m]."""
        return np.interp(np.asarray(shares, np.float64), self.shares, self.values)


def common_histograms(
    then: Quantiles, now: Quantiles
) -> tuple[statistics_pb2.Histogram, statistics_pb2.Histogram] | None:
    """Both samples counted, as shares, in the buckets of the first; None where it has no finite value.

    The outer buckets have no end: values beyond the first sample's are a difference, too. Bucket i goes from i to
    i + 1 and not between its cuts: TFDV loses what is in a bucket that has no end or no width.
    """
    cuts = then.at(np.linspace(0.0, 1.0, BUCKETS + 1))
    cuts = np.unique(cuts[np.isfinite(cuts)])
    if not cuts.size:
        return None
    # The smallest value is in a bucket of its own kind: what is below it must not be counted with it.
    cuts = np.concatenate([[np.nextafter(cuts[0], -np.inf)], cuts])
    first, second = (_histogram(cuts, sample) for sample in (then, now))
    return first, second


def _histogram(cuts: Numbers, sample: Quantiles) -> statistics_pb2.Histogram:
    shares = np.diff(np.concatenate([[0.0], sample.share_up_to(cuts), [1.0]]))
    histogram = statistics_pb2.Histogram(type=statistics_pb2.Histogram.STANDARD)
    for number, share in enumerate(shares.tolist()):
        histogram.buckets.add(low_value=number, high_value=number + 1, sample_count=share)
    return histogram
