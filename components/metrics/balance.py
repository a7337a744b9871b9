"""How the customers are spread over the segments, and how close they are to their centroids. NumPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def segment_shares(segments: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """[n] -> float64 [m]: the share of the rows in each segment that has any."""
    sizes = np.unique(np.asarray(segments), return_counts=True)[1]
    return sizes / max(1, sizes.sum())


def smallest_segment_share(segments: npt.ArrayLike, k: int) -> float:
    """Share of the rows, in [0, 1], in the smallest of all k segments; a segment without rows makes it 0.

    Args:
      segments: [n], the segment of each row.
      k: number of segments that the model has.

    Returns:
      The share, higher is better; NaN without rows.
    """
    shares = segment_shares(segments)
    if not len(shares):
        return float("nan")
    return float(shares.min()) if len(shares) >= k else 0.0


def largest_segment_share(segments: npt.ArrayLike) -> float:
    """Share of the rows, in [0, 1], in the largest segment; lower is better. NaN without rows."""
    shares = segment_shares(segments)
    return float(shares.max()) if len(shares) else float("nan")


def effective_segments(segments: npt.ArrayLike) -> float:
    """How many segments of equal size are as diverse as these: exp(-sum p log p) of the shares p.

    The exponential of Shannon's entropy, the "true diversity" of order 1 (Hill 1973, doi:10.2307/1934352).

    Returns:
      Between 1 (everybody in one segment) and the number of segments with rows (all equally large), higher is
      better; NaN without rows.
    """
    shares = segment_shares(segments)
    return float(np.exp(-(shares * np.log(shares)).sum())) if len(shares) else float("nan")


def outlier_share(is_outlier: npt.ArrayLike | None) -> float:
    """Share of the rows, in [0, 1], that the model calls outliers: bool [n]; lower is better.

    Returns:
      The share; NaN without rows, and for a model that does not say (None).
    """
    flags = np.zeros(0, bool) if is_outlier is None else np.asarray(is_outlier, bool)
    return float(flags.mean()) if flags.size else float("nan")


def inertia(distance: npt.ArrayLike) -> float:
    """Sum of the squared `distance` [n] to the own centroid: scikit-learn's `KMeans.inertia_`.

    In squared units of transformed space, lower is better. NaN without rows.
    """
    distances = np.asarray(distance, dtype=np.float64)
    return float(distances @ distances) if distances.size else float("nan")


def inertia_per_customer(distance: npt.ArrayLike) -> float:
    """`inertia` / n: the mean squared distance, which does not grow with the customers."""
    return inertia(distance) / max(1, np.size(distance))
