"""How much each feature says for the own segment and against another. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from components.errors import ServingError

Floats = npt.NDArray[np.float64]


def coordinate_parts(vector: npt.ArrayLike, own: npt.ArrayLike, other: npt.ArrayLike) -> Floats:
    """The difference of two squared distances, coordinate by coordinate.

    |x - b|^2 - |x - a|^2 = sum_j (x_j - b_j)^2 - (x_j - a_j)^2 = sum_j (a_j - b_j) ((x_j - a_j) + (x_j - b_j)):
    in the last form no large terms cancel.

    On vectors of length 1 (the cosine metric) |x - c|^2 = 2 - 2 cos(x, c) where c has length 1 too: the sum is twice
    by how much the customer's direction is more similar to a than to b. There x_j depends on every feature,
    since all of them make the length that it is divided by.

    Args:
      vector: [d], the customer x.
      own: [d], the centroid a.
      other: [d], the centroid b.

    Returns:
      float64 [d]; a positive part speaks for a, a negative one for b.
    """
    x, a, b = (np.asarray(each, np.float64) for each in (vector, own, other))
    parts: Floats = (a - b) * ((x - a) + (x - b))
    return parts


def feature_parts(parts: Floats, feature_of: Sequence[str]) -> dict[str, float]:
    """Sums parts [d] over the coordinates of each feature; features in the order of their first coordinate."""
    grouped: dict[str, list[float]] = {}
    for feature, part in zip(feature_of, parts.tolist(), strict=True):
        grouped.setdefault(feature, []).append(part)
    return {feature: math.fsum(values) for feature, values in grouped.items()}


def feature_of_coordinates(names: Sequence[str], features: Sequence[str]) -> list[str]:
    """The feature that each coordinate belongs to.

    Args:
      names: of the coordinates, as `transforms.vectorize.VectorLayout` gives them: a feature's own name, or a block
        `feature=category`, ..., `feature=(other)`, `feature=(missing)`.
      features: in the order of the coordinates.

    Raises:
      ServingError: the names are not such a sequence.
    """
    found: list[str] = []
    for feature in features:
        position = len(found)
        if position < len(names) and names[position] == feature:
            found.append(feature)
            continue
        # By its end, not by its names: `a` with the category `b=c` begins like the feature `a=b`.
        ends = [f"{feature}=(other)", f"{feature}=(missing)"]
        length = next((n for n in range(2, len(names) - position + 1)
                       if list(names[position + n - 2 : position + n]) == ends), 0)  # fmt: skip
        if not length:
            raise ServingError(f"segments.json: no coordinate belongs to the feature '{feature}'")
        found += [feature] * length
    if len(found) != len(names):
        raise ServingError(f"segments.json: the coordinate '{names[len(found)]}' belongs to no feature")
    return found


def rotated_parts(
    centered: npt.ArrayLike, rotation: npt.ArrayLike, own: npt.ArrayLike, other: npt.ArrayLike
) -> Floats:
    """The parts of the coordinates that principal components were made of.

    With components y = z M of centered coordinates z, and a and b on them, the difference of the squared distances is
    linear in z: sum_j 2 (a_j - b_j) (y_j - m_j) with m = (a + b) / 2. The middle m is turned back by the
    pseudoinverse, n = m M^+, which is the shortest z that is projected there. Then y_j - m_j = sum_i M_ij (z_i - n_i),
    and coordinate i has the part (z_i - n_i) sum_j 2 M_ij (a_j - b_j). The parts add up to the difference.

    Args:
      centered: [d], z of the customer.
      rotation: [d, c], M; its columns are linearly independent.
      own: [c], the components of the centroid a.
      other: [c], of b.

    Returns:
      float64 [d].
    """
    z, matrix, a, b = (np.asarray(each, np.float64) for each in (centered, rotation, own, other))
    middle = (a + b) / 2 @ np.linalg.pinv(matrix)
    parts: Floats = (z - middle) * (matrix @ (2 * (a - b)))
    return parts


def nearest_prototypes(
    vector: npt.ArrayLike, centroids: Floats, segment_ids: npt.NDArray[np.int64]
) -> Mapping[int, Floats]:
    """Segment id -> its centroid nearest to a vector [d], of centroids [p, d] with their segments' ids [p]."""
    squared = np.sum((np.asarray(vector, np.float64) - centroids) ** 2, axis=1)
    order = np.argsort(-squared, kind="stable")
    # The nearest of a segment comes last, and stays.
    return {int(segment_ids[i]): centroids[i] for i in order}


def share_of_the_way(vector: npt.ArrayLike, target: Floats, others: Sequence[Floats]) -> float:
    """How far a customer would have to go straight towards a centroid until no other is nearer.

    At x + t (b - x) the difference |. - b|^2 - |. - a|^2 is (1 - t) (|x - b|^2 - |x - a|^2) - t |b - a|^2, linear
    in t; it reaches 0 at t = f / (f + |b - a|^2), where f is its value at t = 0. The largest t over all other
    centroids a counts. Among vectors of length 1 the segments are the same cones, so the same t holds there.

    Args:
      vector: [d], the customer.
      target: [d], the centroid b.
      others: [d] each, of all other segments.

    Returns:
      t from 0 to 1; at 0 the customer is there, at 1 only the centroid itself would do.
    """
    shares = [0.0]
    for other in others:
        difference = math.fsum(coordinate_parts(vector, other, target).tolist())
        between = float(np.sum((target - other) ** 2))
        if difference > 0:
            shares.append(difference / (difference + between))
    return max(shares)


def is_directional(centroids: Floats, tolerance: float = 1e-4) -> bool:
    """Whether centroids [p, d] all have length 1, as those of the cosine metric do."""
    return bool(np.all(np.abs(np.linalg.norm(centroids, axis=1) - 1.0) < tolerance))
