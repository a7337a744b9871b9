"""The assignment of old segments to new clusters that keeps most customers where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

Indices = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Overlap:
    """Customers in common.

    counts: int64 [p, c], customers of old segment i in new cluster j. sizes: int64 [c], all customers of each
    cluster: more than the sum of its column where some belong to no old segment.
    """

    counts: npt.NDArray[np.int64]
    sizes: npt.NDArray[np.int64]

    @property
    def of_old(self) -> npt.NDArray[np.float64]:
        """[p, c]: the share of old segment i that is in cluster j; 0 where the segment has no customers."""
        return self.counts / np.maximum(self.counts.sum(axis=1, keepdims=True), 1)

    @property
    def of_new(self) -> npt.NDArray[np.float64]:
        """[p, c]: the share of cluster j that is from old segment i; 0 where the cluster has no customers."""
        return self.counts / np.maximum(self.sizes, 1)


def count_overlap(
    old: Indices, new: Indices, n_old: int, n_new: int, familiar: npt.NDArray[np.bool_] | None = None
) -> Overlap:
    """Counts who is where.

    Args:
      old: [n], each customer's old segment, 0 to n_old - 1.
      new: [n], each customer's new cluster, 0 to n_new - 1.
      n_old: number of old segments.
      n_new: number of new clusters.
      familiar: [n], False for customers that no old segment can claim, such as its outliers; all by default.
    """
    cells = np.asarray(old, np.int64) * n_new + np.asarray(new, np.int64)
    if familiar is not None:
        cells = cells[familiar]
    counts = np.bincount(cells, minlength=n_old * n_new).reshape(n_old, n_new)
    return Overlap(counts.astype(np.int64), np.bincount(new, minlength=n_new).astype(np.int64))


def find_heirs(overlap: Overlap, min_overlap: float) -> npt.NDArray[np.int64]:
    """Finds for each cluster the old segment that it continues.

    The overlap of a pair is the smaller of two shares: of the old segment's customers that are in the cluster, and of
    the cluster's customers that are from the old segment. Pairs are made to maximize the sum of the overlaps (Kuhn
    1955), among those above the threshold. From 0.5 on no segment and no cluster is in two such pairs.

    Args:
      overlap: of p old segments and c clusters.
      min_overlap: a pair's overlap must be more than this, from 0 to 1.

    Returns:
      int64 [c]: an old segment, or -1 for a cluster that continues none.
    """
    p, c = overlap.counts.shape
    heirs = np.full(c, -1, np.int64)
    if p == 0 or c == 0:
        return heirs
    strength = np.minimum(overlap.of_old, overlap.of_new)
    strength[strength <= min_overlap] = 0.0
    # Of equally good assignments the one that is found depends on the order of the clusters: give them one of their
    # own, so that it follows from who is in them.
    order = np.lexsort(np.vstack([overlap.counts[::-1], overlap.sizes]))
    old, columns = linear_sum_assignment(strength[:, order], maximize=True)
    new = order[columns]
    valid = strength[old, new] > 0
    heirs[new[valid]] = old[valid]
    return heirs
