"""Axes: from values to pixels, and the round numbers written along them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from components.trainer.words import format_number

Floats = npt.NDArray[np.float64]


@dataclasses.dataclass(frozen=True)
class Tick:
    """A mark: where it is, in pixels, and what is written there."""

    at: float
    text: str


@dataclasses.dataclass(frozen=True)
class Axis:
    """A stretch of numbers drawn from one pixel to another.

    Attributes:
      low, high: the ends in the data; low < high.
      first, last: the ends in pixels; first > last for an axis that runs upwards.
      log: whether steps are of log(1 + value); low >= 0 then.
    """

    low: float
    high: float
    first: float
    last: float
    log: bool = False

    def __call__(self, values: npt.ArrayLike) -> Floats:
        """Values -> pixels, those outside at the nearer end."""
        scaled = np.array([self.low, self.high, *np.ravel(values)], np.float64).clip(self.low, self.high)
        scaled = np.log1p(scaled) if self.log else scaled
        low, high, inside = scaled[0], scaled[1], scaled[2:].reshape(np.shape(values))
        placed: Floats = self.first + (inside - low) / (high - low) * (self.last - self.first)
        return placed

    def values(self, parts: int) -> Floats:
        """The ends of `parts` stretches of equal length in the picture, as values [parts + 1]."""
        if not self.log:
            return np.linspace(self.low, self.high, parts + 1)
        edges: Floats = np.expm1(np.linspace(np.log1p(self.low), np.log1p(self.high), parts + 1))
        edges[0], edges[-1] = self.low, self.high
        return edges

    def ticks(self, most: int = 5) -> list[Tick]:
        """Round numbers along the axis, at most `most`, none on top of another."""
        series = (
            [_of_powers(self.low, self.high, firsts) for firsts in ((1,), (1, 3), (1, 2, 5))]
            if self.log
            else []
        )
        chosen = next((found for found in series if len(found) >= 3), None)
        if chosen is None:
            chosen = round_numbers(self.low, self.high, most)
        gap = abs(self.last - self.first) / (most + 1)
        ticks: list[Tick] = []
        for value in chosen:
            at = round(float(self(value)), 1)
            if not ticks or abs(at - ticks[-1].at) >= gap:
                ticks.append(Tick(at, format_number(value)))
        return ticks


def round_numbers(low: float, high: float, most: int = 5) -> list[float]:
    """Multiples of 1, 2, 2.5 or 5 times a power of ten within [low, high], at most `most`."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    for step in (power * factor for factor in (1, 2, 2.5, 5, 10, 20)):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [i * step for i in range(first, last + 1)]
    return [low]


def _of_powers(low: float, high: float, firsts: Sequence[int]) -> list[float]:
    """Numbers from 1 on whose only digit that is not 0 is one of `firsts`, and 0, within [low, high]."""
    found = [first * 10.0**power for power in range(16) for first in firsts]
    return [value for value in (0.0, *found) if low <= value <= high]
