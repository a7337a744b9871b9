"""Every clustering metric of a model, without labels.

`clustering_metrics` costs O(n k d) and takes all rows; `sampled_metrics` looks at pairs of rows or fits anew, so it
takes a sample that does not depend on the order of the rows. docs/metrics.md lists the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.metrics.balance import (
    effective_segments,
    inertia,
    inertia_per_customer,
    largest_segment_share,
    outlier_share,
    smallest_segment_share,
)
from components.metrics.pairs import Pairs, dunn, silhouette_euclidean
from components.metrics.partition import Partition
from components.metrics.sampling import Keys, draw, row_keys
from components.metrics.separation import calinski_harabasz, davies_bouldin, dunn_generalized, silhouette
from components.metrics.stability import refits, stability

__all__ = [
    "Partition",
    "Samples",
    "calinski_harabasz",
    "clustering_metrics",
    "davies_bouldin",
    "dunn",
    "dunn_generalized",
    "effective_segments",
    "inertia",
    "inertia_per_customer",
    "largest_segment_share",
    "outlier_share",
    "refits",
    "sampled_metrics",
    "silhouette",
    "silhouette_euclidean",
    "smallest_segment_share",
    "stability",
]

_SEPARATION: dict[str, Callable[[Partition], float]] = {
    "silhouette": silhouette,
    "davies_bouldin": davies_bouldin,
    "calinski_harabasz": calinski_harabasz,
    "dunn_generalized": dunn_generalized,
}


@dataclass(frozen=True)
class Samples:
    """How much of the rows the dear metrics see.

    Attributes:
      pairs_rows: rows at most whose pairs are looked at.
      stability_rows: rows at most that are clustered anew.
      stability_resamples: how often.
      seed: another seed, other samples.
    """

    pairs_rows: int = 5_000
    stability_rows: int = 20_000
    stability_resamples: int = 5
    seed: int = 0


def clustering_metrics(
    features: npt.ArrayLike,
    segments: npt.ArrayLike,
    distance: npt.ArrayLike,
    k: int,
    is_outlier: npt.ArrayLike | None = None,
) -> dict[str, float]:
    """The metrics that see all rows.

    Args:
      features: [n, d], rows in transformed space.
      segments: [n], the segment of each row.
      distance: [n], Euclidean distance of each row to its own centroid, in transformed space.
      k: number of segments that the model has.
      is_outlier: bool [n], or None where the model does not say.

    Returns:
      Metric -> value. NaN where undefined, and where `features` are not finite; an infinite `distance` makes
      an infinite inertia.
    """
    # Not finite rows give NaN, which no threshold lets pass: no need for NumPy to warn as well.
    with np.errstate(invalid="ignore", over="ignore"):
        partition = Partition.of(features, segments)
        values = {name: metric(partition) for name, metric in _SEPARATION.items()}
        values["inertia"] = inertia(distance)
        values["inertia_per_customer"] = inertia_per_customer(distance)
    values["smallest_segment_share"] = smallest_segment_share(segments, k)
    values["largest_segment_share"] = largest_segment_share(segments)
    values["effective_segments"] = effective_segments(segments)
    values["outlier_share"] = outlier_share(is_outlier)
    return values


def sampled_metrics(
    features: npt.ArrayLike,
    segments: npt.ArrayLike,
    distance: npt.ArrayLike,
    k: int,
    samples: Samples | None = None,
    keys: Keys | None = None,
) -> tuple[dict[str, float], dict[str, int]]:
    """The metrics that see a sample of the rows, or all where there are no more than the sample's.

    Args:
      features: [n, d], rows in transformed space.
      segments: [n], the segment of each row.
      distance: [n], Euclidean distance of each row to its own centroid, in transformed space.
      k: number of segments that the model has.
      samples: how much they see.
      keys: uint64 [n], what the samples are drawn by; without them, a hash of the features. With keys that come
        from the customers, two models in different spaces are measured on the same ones.

    Returns:
      Metric -> value, NaN where undefined or where any of `features` is not finite; and metric -> rows seen.
    """
    samples = samples or Samples()
    matrix, ids = np.asarray(features), np.asarray(segments)
    if keys is None:
        keys = row_keys(matrix)
    chosen = draw(keys, samples.pairs_rows, samples.seed)
    values = dict.fromkeys(("silhouette_sampled", "dunn", "stability", "inertia_ratio"), float("nan"))
    # The sample may miss what is wrong with the rest. A sum over it all finds it in one pass, without a copy.
    with np.errstate(invalid="ignore", over="ignore"):
        finite = bool(np.isfinite(matrix.sum(axis=0, dtype=np.float64)).all())
    if finite:
        pairs = Pairs.of(Partition.of(matrix[chosen], ids[chosen]))
        values["silhouette_sampled"], values["dunn"] = silhouette_euclidean(pairs), dunn(pairs)
        fits = refits(
            matrix,
            ids,
            distance,
            k,
            resamples=samples.stability_resamples,
            most_rows=samples.stability_rows,
            seed=samples.seed,
            keys=keys,
        )
        values["stability"], values["inertia_ratio"] = fits.stability, fits.inertia_ratio
    n = len(ids)
    pairs_rows, stability_rows = min(n, samples.pairs_rows), min(n, samples.stability_rows)
    rows = dict.fromkeys(("silhouette_sampled", "dunn"), pairs_rows)
    rows |= dict.fromkeys(("stability", "inertia_ratio"), stability_rows)
    return values, rows
