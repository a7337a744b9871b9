"""Principal components of customers, and where the centroids lie among them. NumPy only."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Projection:
    """The plane of the greatest variance.

    Attributes:
      mean: [d], the origin.
      axes: [2, d], orthonormal rows; the largest entry of each is positive. A row of zeros where the data has
        no such dimension.
      explained: [2], the share of the variance along each axis.
    """

    mean: Floats
    axes: Floats
    explained: Floats

    def __call__(self, points: npt.NDArray[np.floating]) -> Floats:
        """Points [n, d] -> their coordinates in the plane, [n, 2]."""
        projected: Floats = (np.asarray(points, np.float64) - self.mean) @ self.axes.T
        return projected


def principal_plane(points: npt.NDArray[np.floating]) -> Projection:
    """The first two principal components of points [n, d], n >= 1, by the SVD of the centred matrix.

    The variance along axis i is the i-th squared singular value over n (Jolliffe, Principal Component
    Analysis, 2nd ed., section 3.5).
    """
    data = np.asarray(points, np.float64)
    mean = data.mean(axis=0)
    _, singular, rows = np.linalg.svd(data - mean, full_matrices=False)
    variance = singular**2
    total = variance.sum()
    axes = np.zeros((2, data.shape[1]))
    explained = np.zeros(2)
    # Differences of the size of rounding errors are no dimension of the data.
    real = singular > singular.max(initial=0.0) * max(data.shape) * np.finfo(np.float64).eps
    for i in range(min(2, int(real.sum()))):
        largest = rows[i, np.argmax(np.abs(rows[i]))]
        axes[i] = rows[i] * np.sign(largest)
        explained[i] = variance[i] / total
    return Projection(mean, axes, explained)


def locate_centroids(points: npt.NDArray[np.floating], distances: npt.NDArray[np.floating]) -> Floats | None:
    """Finds centroids from the distances of points to them, since a served model does not say where they are.

    For a point x at distance r from the centroid c, |x|^2 - r^2 = 2 x.c - |c|^2, which is linear in c and
    |c|^2: least squares over the points. Where the points do not span the space, the answer lies in their
    span, which is enough to project it on their principal plane.

    Args:
      points: [n, d].
      distances: [n, k], Euclidean.

    Returns:
      The centroids [k, d]; None where no k points are at these distances (a segment of several prototypes).
    """
    data = np.asarray(points, np.float64)
    squared = np.asarray(distances, np.float64) ** 2
    mean = data.mean(axis=0)
    centred = data - mean
    system = np.hstack([2 * centred, -np.ones((len(data), 1))])
    target = np.sum(centred**2, axis=1, keepdims=True) - squared
    solution, *_ = np.linalg.lstsq(system, target, rcond=1e-6)
    residual = np.abs(system @ solution - target).max()
    if not np.isfinite(residual) or residual > 1e-3 * max(squared.max(), np.finfo(np.float32).tiny):
        return None
    located: Floats = solution[:-1].T + mean
    return located
