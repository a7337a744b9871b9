"""Clustering metrics from rows and their segments, without labels. NumPy only.

Names and values are scikit-learn's (`sklearn.metrics`), except where its answer to a degenerate case would
let a useless model look good or a perfect one bad; the functions say where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Partition:
    """Rows grouped by segment, with the first two moments of each segment; m segments have rows.

    Attributes:
      rows: float64 [n, d], sorted by segment, with the mean of all rows at the origin.
      labels: int [n], the segment's place in the arrays below, ascending.
      sizes: int [m], rows per segment.
      means: float64 [m, d], mean of each segment's own rows (which need not be the model's centroid).
      variances: float64 [m], mean squared Euclidean distance of a segment's rows to that mean.
    """

    rows: Floats
    labels: npt.NDArray[np.intp]
    sizes: npt.NDArray[np.int64]
    means: Floats
    variances: Floats

    @classmethod
    def of(cls, features: npt.ArrayLike, segments: npt.ArrayLike) -> Partition:
        """Groups `features` [n, d] by `segments` [n] (any sortable values).

        Raises:
          ValueError: `features` is not a matrix, or the two differ in length.
        """
        matrix = np.asarray(features, dtype=np.float64)
        ids = np.asarray(segments)
        if matrix.ndim != 2 or ids.shape != matrix.shape[:1]:
            raise ValueError(f"features must be [n, d] and segments [n]; got {matrix.shape} and {ids.shape}")
        _, labels = np.unique(ids, return_inverse=True)
        order = np.argsort(labels, kind="stable")
        labels, rows = labels[order], matrix[order]
        if not len(rows):
            empty = np.zeros(0)
            return cls(rows, labels, empty.astype(np.int64), rows, empty)
        # Far from the origin float64 would lose in the squares what distinguishes the rows.
        rows -= rows.mean(axis=0)
        sizes = np.bincount(labels)
        starts = np.cumsum(sizes) - sizes
        means = np.add.reduceat(rows, starts, axis=0) / sizes[:, None]
        spread = _squared_norms(rows - means[labels])
        return cls(rows, labels, sizes, means, np.add.reduceat(spread, starts) / sizes)

    @property
    def comparable(self) -> bool:
        """Whether there is something to compare: at least two segments, not all of them single rows."""
        return 2 <= len(self.sizes) < len(self.rows)


def silhouette(partition: Partition) -> float:
    """Mean silhouette under squared Euclidean distance, in O(n m d) instead of O(n^2 d).

    The silhouette of a row is (b - a) / max(a, b), where a is its mean distance to the other rows of its
    segment and b the smallest of its mean distances to the rows of another segment (Rousseeuw 1987,
    doi:10.1016/0377-0427(87)90125-7). Under squared distance those means need no pairs. For a segment C with
    mean mu and mean squared distance V to it, and any x,

        mean over y in C of |x - y|^2
            = |x - mu|^2 - 2 (x - mu) . mean(y - mu) + mean |y - mu|^2 = |x - mu|^2 + V

    because mean(y - mu) = 0. Within x's own segment of N rows that mean counts x itself at distance 0, so
    a = N / (N - 1) (|x - mu|^2 + V). Apache Spark's ClusteringEvaluator (`ClusteringMetrics.scala`, "squared
    Euclidean silhouette") derives the same from sums of x and |x|^2; around the mean nothing cancels.

    Args:
      partition: rows and their segments.

    Returns:
      A number in [-1, 1], higher is better; equal to scikit-learn's
      `silhouette_score(X, labels, metric="sqeuclidean")`. A segment of one row counts 0. NaN where
      fewer than two segments have rows, or every row has a segment of its own.
    """
    if not partition.comparable:
        return float("nan")
    rows, labels, sizes = partition.rows, partition.labels, partition.sizes
    own = np.empty(len(rows))
    nearest_other = np.full(len(rows), np.inf)
    for place, (mean, variance) in enumerate(zip(partition.means, partition.variances, strict=True)):
        to_segment = _squared_norms(rows - mean) + variance
        here = labels == place
        own[here] = to_segment[here]
        to_segment[here] = np.inf
        np.minimum(nearest_other, to_segment, out=nearest_other)
    size = sizes[labels]
    own *= size / np.maximum(size - 1, 1)
    larger = np.maximum(own, nearest_other)
    counts = (size > 1) & (larger != 0)
    scores = np.where(counts, (nearest_other - own) / np.where(counts, larger, 1.0), 0.0)
    return float(scores.mean())


def davies_bouldin(partition: Partition) -> float:
    """Davies-Bouldin index: how much each segment overlaps with the one it overlaps with most.

    The mean over segments i of the largest (s_i + s_j) / |mu_i - mu_j| over j != i, where s is the mean
    Euclidean distance of a segment's rows to their mean (Davies and Bouldin 1979,
    doi:10.1109/TPAMI.1979.4766909).

    Returns:
      A number >= 0, lower is better; equal to scikit-learn's `davies_bouldin_score`, but infinite where two
      segments have the same mean (scikit-learn leaves such a pair out: the worst case scores best).
      NaN as for `silhouette`.
    """
    if not partition.comparable:
        return float("nan")
    distances = np.sqrt(_squared_norms(partition.rows - partition.means[partition.labels]))
    spreads = np.bincount(partition.labels, weights=distances) / partition.sizes
    worst = np.empty(len(spreads))
    for place, mean in enumerate(partition.means):
        between = np.sqrt(_squared_norms(partition.means - mean))
        ratios = np.full(len(spreads), np.inf)
        np.divide(spreads + spreads[place], between, out=ratios, where=between != 0)
        worst[place] = np.delete(ratios, place).max()
    return float(worst.mean())


def calinski_harabasz(partition: Partition) -> float:
    """Calinski-Harabasz index: dispersion between segments over dispersion within, per degree of freedom.

    sum_i N_i |mu_i - mu|^2 / (m - 1) over sum_i N_i V_i / (n - m), with V as in `silhouette` (Calinski and
    Harabasz 1974, doi:10.1080/03610927408827101).

    Returns:
      A number >= 0, higher is better; equal to scikit-learn's `calinski_harabasz_score`, but infinite where
      no segment has any spread (there scikit-learn says 1, below any real model's). NaN as for `silhouette`.
    """
    if not partition.comparable:
        return float("nan")
    n, m = len(partition.rows), len(partition.sizes)
    between = float(partition.sizes @ _squared_norms(partition.means))
    within = float(partition.sizes @ partition.variances)
    if within == 0:
        return float("inf") if between > 0 else float("nan")
    return between * (n - m) / (within * (m - 1))


def inertia_per_customer(distance: npt.ArrayLike) -> float:
    """Mean of the squared `distance` [n] to the own centroid: k-means' inertia / n. NaN without rows."""
    distances = np.asarray(distance, dtype=np.float64)
    return float(np.square(distances).mean()) if distances.size else float("nan")


def smallest_segment_share(segments: npt.ArrayLike, k: int) -> float:
    """Share of the rows, in [0, 1], in the smallest of all k segments; a segment without rows makes it 0.

    Args:
      segments: [n], the segment of each row.
      k: number of segments that the model has.

    Returns:
      The share; NaN without rows.
    """
    sizes = np.unique(np.asarray(segments), return_counts=True)[1]
    if not len(sizes):
        return float("nan")
    return float(sizes.min() / sizes.sum()) if len(sizes) >= k else 0.0


_SEPARATION: dict[str, Callable[[Partition], float]] = {
    "silhouette": silhouette,
    "davies_bouldin": davies_bouldin,
    "calinski_harabasz": calinski_harabasz,
}


def clustering_metrics(
    features: npt.ArrayLike, segments: npt.ArrayLike, distance: npt.ArrayLike, k: int
) -> dict[str, float]:
    """All metrics of a model on the same rows.

    Args:
      features: [n, d], rows in transformed space.
      segments: [n], the segment of each row.
      distance: [n], Euclidean distance of each row to its own centroid, in transformed space.
      k: number of segments that the model has.

    Returns:
      Metric -> value. NaN where undefined, and where `features` are not finite; an infinite `distance` makes
      an infinite inertia.
    """
    # Not finite rows give NaN, which no threshold lets pass: no need for NumPy to warn as well.
    with np.errstate(invalid="ignore", over="ignore"):
        partition = Partition.of(features, segments)
        values = {name: metric(partition) for name, metric in _SEPARATION.items()}
        values["inertia_per_customer"] = inertia_per_customer(distance)
    values["smallest_segment_share"] = smallest_segment_share(segments, k)
    return values


def _squared_norms(rows: Floats) -> Floats:
    """[n, d] -> [n]."""
    return np.einsum("ij,ij->i", rows, rows)
