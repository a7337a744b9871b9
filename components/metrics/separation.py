"""How far apart the segments of a partition are: over all rows, in one or two passes. NumPy only.

Names and values are scikit-learn's (`sklearn.metrics`), except where its answer to a degenerate case would
let a useless model look good or a perfect one bad; the functions say where.
"""

from __future__ import annotations

import numpy as np

from components.metrics.partition import Floats, Partition, squared_norms


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
    total = sum(_silhouettes(partition, part, block).sum() for part, block in partition.blocks())
    return float(total / len(partition.rows))


def _silhouettes(partition: Partition, part: slice, block: Floats) -> Floats:
    """The silhouettes of a block of rows: [b, d] -> [b]."""
    labels = partition.labels[part]
    own = np.empty(len(block))
    nearest_other = np.full(len(block), np.inf)
    for place, (mean, variance) in enumerate(zip(partition.means, partition.variances, strict=True)):
        to_segment = squared_norms(block - mean) + variance
        here = labels == place
        own[here] = to_segment[here]
        to_segment[here] = np.inf
        np.minimum(nearest_other, to_segment, out=nearest_other)
    size = partition.sizes[labels]
    own *= size / np.maximum(size - 1, 1)
    return silhouettes(own, nearest_other, size)


def silhouettes(own: Floats, nearest_other: Floats, size: np.ndarray) -> Floats:
    """(b - a) / max(a, b) of each row; 0 in a segment of one row, and where both are 0. All [n]."""
    larger = np.maximum(own, nearest_other)
    counts = (size > 1) & (larger != 0)
    return np.where(counts, (nearest_other - own) / np.where(counts, larger, 1.0), 0.0)


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
    spreads = partition.spreads
    worst = np.empty(len(spreads))
    for place, mean in enumerate(partition.means):
        between = np.sqrt(squared_norms(partition.means - mean))
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
    between = float(partition.sizes @ squared_norms(partition.means))
    within = float(partition.sizes @ partition.variances)
    if within == 0:
        return float("inf") if between > 0 else float("nan")
    return between * (n - m) / (within * (m - 1))


def dunn_generalized(partition: Partition) -> float:
    """Generalized Dunn index by means: the closest two segments over the widest one, in O(n d).

    min over i < j of |mu_i - mu_j|, over max over i of 2 s_i, with s as in `davies_bouldin`: of the family of
    Bezdek and Pal 1998 (doi:10.1109/3477.678624) the one with their fourth distance between sets and their
    third diameter. Unlike `dunn` it does not hang on single rows.

    Returns:
      A number >= 0, higher is better; infinite where no segment has any spread. NaN as for `silhouette`, and
      where all rows are in one place.
    """
    if not partition.comparable:
        return float("nan")
    closest = min(
        np.sqrt(squared_norms(partition.means[place + 1 :] - mean)).min()
        for place, mean in enumerate(partition.means[:-1])
    )
    return ratio_of_extremes(float(closest), 2 * float(partition.spreads.max()))


def ratio_of_extremes(separation: float, diameter: float) -> float:
    """separation / diameter; infinite for a diameter of 0, NaN where both are 0 or one is NaN."""
    if diameter == 0:
        return float("inf") if separation > 0 else float("nan")
    return separation / diameter
