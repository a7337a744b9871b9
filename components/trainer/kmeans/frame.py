"""The frame of reference of a fit: centred data in units in which float32 is safe."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import tensorflow as tf

# Rows of positive weight keep one in float32, even beside rows that weigh 1e30 times as much.
_LIGHTEST = 2.0**-100


@dataclasses.dataclass(frozen=True)
class Frame:
    """Maps data to `(x - origin) / unit`, and weights to `w / weight_unit`.

    The origin is the mean: far from it, |x|^2 - 2 x.c + |c|^2 in float32 loses a small signal to
    cancellation. Units are powers of two, so dividing by them rounds nothing; they bring every value into
    [-1, 1], where squares neither overflow nor vanish.

    Attributes:
      origin: float64 [d].
      unit: of the data.
      weight_unit: of the weights.
    """

    origin: np.ndarray
    unit: float
    weight_unit: float

    @classmethod
    def identity(cls, columns: int) -> Frame:
        """The frame that changes nothing, for rows that are in a frame already."""
        return cls(np.zeros(columns), 1.0, 1.0)

    def centre(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows [n, d] in the frame, a new float64 array."""
        centred = rows - self.origin
        centred /= self.unit
        return centred

    def enter(self, rows: np.ndarray) -> np.ndarray:
        """Returns the rows [n, d] in the frame, a new float32 array."""
        return self.centre(rows).astype(np.float32)

    def enter_weights(self, weights: np.ndarray) -> np.ndarray:
        """Returns the weights [n] in the frame, float32."""
        scaled = weights / self.weight_unit
        return np.where(scaled > 0, np.maximum(scaled, _LIGHTEST), 0.0).astype(np.float32)

    def enter_tensor(self, rows: tf.Tensor) -> tf.Tensor:
        """`enter` on a tensor."""
        return tf.cast((tf.cast(rows, tf.float64) - self.origin) / self.unit, tf.float32)

    def enter_weights_tensor(self, weights: tf.Tensor) -> tf.Tensor:
        """`enter_weights` on a tensor."""
        scaled = tf.cast(weights, tf.float64) / self.weight_unit
        return tf.cast(tf.where(scaled > 0, tf.maximum(scaled, _LIGHTEST), 0.0), tf.float32)

    def leave(self, centroids: np.ndarray) -> np.ndarray:
        """Returns centroids [k, d] in the units of the data, float32."""
        return (centroids * self.unit + self.origin).astype(np.float32)

    @property
    def inertia_unit(self) -> float:
        """What an inertia of 1 in the frame is outside it."""
        return self.unit * self.unit * self.weight_unit


def power_of_two(value: float) -> float:
    """Returns the smallest power of two that is at least `value`; 1 for 0."""
    if value == 0:
        return 1.0
    mantissa, exponent = math.frexp(value)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)
