"""The smallest change of one feature that leads to another segment, found by asking the model. NumPy only."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

# Values of a feature [n] -> whether each moves the customer to the segment [n], and how much is missing [n]: the
# squared distance to that segment less the smallest squared distance to any other.
Probe: TypeAlias = Callable[[Floats], tuple[npt.NDArray[np.bool_], Floats]]

_ROUNDS = 8
_POINTS = 62
_PRECISION = 1e-5
_DIGITS = 3


def nearest_crossing(probe: Probe, start: float, low: float, high: float, whole: bool) -> float | None:
    """The value nearest to `start` at which the customer is in the segment.

    What is missing is a maximum of functions that are linear in the coordinate, and a coordinate rises with its
    feature: it falls to one lowest place and rises from there. So the values that cross are an interval, which a
    grid finds, or a finer one around the grid's lowest value; sectioning finds the interval's end. (By the cosine
    metric what is missing is divided by the length, which keeps the interval; one that is narrower than the grid
    can be overlooked.)

    Args:
      probe: asks the model.
      start: the value now. It need not lie between `low` and `high`.
      low, high: where to look.
      whole: only whole numbers.

    Returns:
      A value that the model confirmed, beyond the boundary by at most a hundredth of the change (three digits of
      it); None where there is none.
    """
    values = _grid(start, low, high, whole)
    crossed, missing = probe(values)
    for _ in range(_ROUNDS):
        if crossed.any():
            break
        lowest = int(np.argmin(missing))
        closer = _between(values[max(lowest - 1, 0)], values[min(lowest + 1, len(values) - 1)], whole)
        if not len(closer):
            return None
        values = closer
        crossed, missing = probe(values)
    if not crossed.any():
        return None
    inside = float(values[crossed][np.argmin(np.abs(values[crossed] - start))])
    return _end_of_interval(probe, start, inside, (low, high), whole)


def _end_of_interval(
    probe: Probe, start: float, inside: float, limits: tuple[float, float], whole: bool
) -> float:
    outside = start
    for _ in range(_ROUNDS):
        if abs(inside - outside) <= _PRECISION * abs(inside - start):
            break
        between = _between(outside, inside, whole)
        if not len(between):
            break
        between = between if inside > outside else between[::-1]
        crossed, _ = probe(between)
        first = int(np.argmax(crossed)) if crossed.any() else len(between)
        outside = float(between[first - 1]) if first else outside
        inside = float(between[first]) if first < len(between) else inside
    if whole:
        return inside
    rounded = _rounded_away(start, inside)
    if limits[0] <= rounded <= limits[1] and probe(np.array([rounded]))[0][0]:
        return rounded
    return inside


def _grid(start: float, low: float, high: float, whole: bool) -> Floats:
    """Values from the start to both ends, denser near it, and the start itself."""
    steps = np.concatenate([np.linspace(0.0, 1.0, 97), np.geomspace(1e-5, 1.0, 64)])
    up, down = max(high - start, 0.0), max(start - low, 0.0)
    values = np.concatenate([start + up * steps, start - down * steps])
    return np.unique(np.round(values) if whole else values)


def _between(one: float, other: float, whole: bool) -> Floats:
    """Values strictly between two, rising."""
    values = np.linspace(min(one, other), max(one, other), _POINTS + 2)[1:-1]
    values = np.unique(np.round(values) if whole else values)
    return values[(values > min(one, other)) & (values < max(one, other))]


def _rounded_away(start: float, value: float) -> float:
    """The value with as many digits as three of the change have, rounded away from the start."""
    change = value - start
    if change == 0:
        return value
    decimals = _DIGITS - 1 - math.floor(math.log10(abs(change)))
    unit = 10.0**-decimals
    steps = math.ceil(value / unit) if change > 0 else math.floor(value / unit)
    return round(steps * unit, decimals)
