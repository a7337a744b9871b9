"""The frame of reference of a fit: centred data in units in which float32 is safe."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

# Rows of positive weight keep one in float32, even beside rows that weigh 1e30 times as much.
_LIGHTEST = 2.0**-100


@dataclasses.dataclass(frozen=True)
class Frame:
    """Maps data to `(x - origin) / unit`, and weights to `w / weight_unit`.

    The origin is the mean: far from it, |x|^2 - 2 x.c + |c|^2 in float32 loses a small signal to
    cancellation. Units are powers of two, so dividing by them rounds nothing; they bring every value into
    [-1, 1], where squares neither overflow nor vanish.

    In the spherical frame of the cosine metric a row is divided by its own length instead, and a row of zeros,
    which has no direction, weighs nothing.

    Attributes:
      origin: float64 [d].
      unit: of the data.
      weight_unit: of the weights.
      weighs: whether rows have different weights in the frame.
      spherical: whether rows are divided by their length; then the origin is 0 and the unit 1.
    """

    origin: np.ndarray
    unit: float
    weight_unit: float
    weighs: bool
    spherical: bool = False

    def centre(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows [n, d] in the frame, a new float64 array."""
        if self.spherical:
            return directions(rows)
        centred = rows - self.origin
        centred /= self.unit
        return centred

    def enter(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows [n, d] in the frame, a new float32 array."""
        return self.centre(rows).astype(np.float32)

    def enter_weights(self, rows: np.ndarray, weights: np.ndarray | None) -> np.ndarray | None:
        """Returns the weights [n] of these rows in the frame, float32; None where all weigh 1."""
        if not self.weighs:
            return None
        scaled = np.ones(len(rows)) if weights is None else weights / self.weight_unit
        present = scaled > 0
        if self.spherical:
            present &= rows.any(axis=1)
        return np.where(present, np.maximum(scaled, _LIGHTEST), 0.0).astype(np.float32)

    def leave(self, centroids: np.ndarray) -> np.ndarray:
        """Returns centroids [k, d] in the units of the data, float32."""
        return (centroids * self.unit + self.origin).astype(np.float32)

    @property
    def inertia_unit(self) -> float:
        """What an inertia of 1 in the frame is outside it."""
        return self.unit * self.unit * self.weight_unit


def directions(rows: np.ndarray) -> np.ndarray:
    """Rows [n, d] divided by their Euclidean length, float64; rows of zeros stay what they are."""
    exact = rows.astype(np.float64)
    # Divided by the largest value first, or the squares of absurd values overflow or vanish.
    exact /= _positive(np.abs(exact).max(axis=1, keepdims=True, initial=0.0))
    exact /= _positive(np.sqrt(np.einsum("nd,nd->n", exact, exact))[:, None])
    return exact


def _positive(lengths: np.ndarray) -> np.ndarray:
    return np.where(lengths > 0, lengths, 1.0)


def power_of_two(value: float) -> float:
    """Returns the smallest power of two that is at least `value`; 1 for 0."""
    if value == 0:
        return 1.0
    mantissa, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)
