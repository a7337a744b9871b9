"""Whether the same segments come out when other customers happen to be in the data, and how well a model fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from components.metrics.balance import inertia
from components.metrics.sampling import Keys, draw, row_keys
from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans

_RESTARTS = 5
"""Of each fit: with fewer, some end in a poor optimum, which says nothing about the model."""


def adjusted_rand(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Agreement of two partitions of the same rows, corrected for chance.

    (pairs together in both - expected) / (mean of the pairs together in either - expected), where expected is
    what random partitions with the same sizes give (Hubert and Arabie 1985, doi:10.1007/BF01908075).

    Args:
      first: [n], the segment of each row.
      second: [n], likewise.

    Returns:
      1 for the same partition whatever its labels, about 0 for unrelated ones; equal to scikit-learn's
      `adjusted_rand_score`. 1 where neither partition separates any rows, and where there are none.

    Raises:
      ValueError: the lengths differ.
    """
    _, a = np.unique(np.asarray(first), return_inverse=True)
    _, b = np.unique(np.asarray(second), return_inverse=True)
    if len(a) != len(b):
        raise ValueError(f"both partitions must be of the same rows; got {len(a)} and {len(b)}")
    if not len(a):
        return 1.0
    _, cells = np.unique(a.astype(np.int64) * (int(b.max()) + 1) + b, return_counts=True)
    together = _pairs(cells)
    in_first, in_second, pairs = _pairs(np.bincount(a)), _pairs(np.bincount(b)), _pairs(np.array([len(a)]))
    expected = in_first * in_second / pairs if pairs else 0.0
    most = (in_first + in_second) / 2
    return float((together - expected) / (most - expected)) if most != expected else 1.0


def _pairs(counts: npt.NDArray[np.int64]) -> float:
    sizes = counts.astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())


_ROUNDING = 1e-10
"""Of all the rows' inertia: distances in float32 tell no less."""


@dataclass(frozen=True)
class Refits:
    """A model beside k-means fits on random halves of the customers.

    Attributes:
      stability: mean adjusted Rand index between the model's segments and those of the fits. At most 1, higher is
        better; 1 for k = 1.
      inertia_ratio: the model's inertia over the fits' mean inertia, on the same rows. About 1, or a little less,
        for a model that is fitted as well as can be; lower is better.
    """

    stability: float
    inertia_ratio: float


def refits(
    features: npt.ArrayLike,
    segments: npt.ArrayLike,
    distance: npt.ArrayLike | None,
    k: int,
    *,
    resamples: int = 5,
    most_rows: int = 20_000,
    seed: int = 0,
    keys: Keys | None = None,
) -> Refits:
    """Fits k-means to random halves of the customers and compares a model with the fits.

    Each half is clustered anew into k segments, which then take all the rows (resampling as in Hennig 2007,
    doi:10.1016/j.csda.2006.11.025, by halves without replacement; Rand's index in place of Jaccard's). A model
    whose segments the data do not suggest is not stable; one that is badly fitted has a high inertia ratio, also
    where segments are so clear that any cut through them half agrees with any other.

    Where all rows have length 1 (`model.metric: cosine`), the fits compare directions too.

    Args:
      features: [n, d], rows in transformed space.
      segments: [n], the segment of each row.
      distance: [n], Euclidean distance of each row to its own centroid; None leaves the ratio out.
      k: number of segments that the model has.
      resamples: how many halves, at least 1.
      most_rows: of more rows than these, so many are drawn first.
      seed: of the draws and the fits.
      keys: uint64 [n], what the draws go by; a hash of the features without them.

    Returns:
      Both NaN where half of the rows cannot make k segments.
    """
    matrix = np.asarray(features)
    if keys is None:
        keys = row_keys(matrix)
    chosen = draw(keys, most_rows, seed)
    matrix, labels, keys = matrix[chosen].astype(np.float32), np.asarray(segments)[chosen], keys[chosen]
    metric: Literal["cosine", "euclidean"] = "cosine" if _unit_lengths(matrix) else "euclidean"
    agreements, inertias = [], []
    for number in range(1, resamples + 1):
        half = draw(keys, len(matrix) // 2, seed + number)
        options = KMeansOptions(k=k, n_init=_RESTARTS, seed=seed + number, metric=metric)
        try:
            centroids = fit_kmeans(matrix[half], options).centroids
        except KMeansError:
            return Refits(float("nan"), float("nan"))
        refitted, squared = (tensor.numpy() for tensor in assign(matrix, centroids, metric))
        agreements.append(adjusted_rand(labels, refitted))
        inertias.append(squared.sum(dtype=np.float64))
    ratio = (
        float("nan") if distance is None else _ratio(inertia(np.asarray(distance)[chosen]), inertias, matrix)
    )
    return Refits(float(np.mean(agreements)), ratio)


def stability(
    features: npt.ArrayLike,
    segments: npt.ArrayLike,
    k: int,
    *,
    resamples: int = 5,
    most_rows: int = 20_000,
    seed: int = 0,
) -> float:
    """The `stability` of `refits`, for who has no distances."""
    fits = refits(features, segments, None, k, resamples=resamples, most_rows=most_rows, seed=seed)
    return fits.stability


def _unit_lengths(rows: npt.NDArray[np.float32]) -> bool:
    """Whether all rows have length 1 (or none: an empty direction stays where it is)."""
    lengths = np.einsum("ij,ij->i", rows, rows)
    return bool(len(lengths) and lengths.any() and ((np.abs(lengths - 1) < 1e-3) | (lengths == 0)).all())


def _ratio(own: float, inertias: list[np.float64], rows: npt.NDArray[np.float32]) -> float:
    # Where segments are single points, both are rounding: as much is added to both, and they are the same.
    rounding = _ROUNDING * float(np.square(rows - rows.mean(axis=0)).sum(dtype=np.float64))
    fitted = float(np.mean(inertias)) + rounding
    return (own + rounding) / fitted if fitted else 1.0
