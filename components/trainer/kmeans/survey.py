"""The first look at the data: one pass that checks every value and takes moments."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator

import numpy as np

from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame, directions, power_of_two
from components.trainer.kmeans.sources import Source
from components.trainer.kmeans.threads import in_order

# Centroids are float32, so values must be. Weights up to here, times squares, still sum in float64; squares
# of differences below _TINY are none.
_LARGEST_VALUE = float(np.finfo(np.float32).max)
_LARGEST_WEIGHT = 1e90
_TINY = 2.0**-500
# Reducing over rows is several times faster where the rows are at least this wide.
_WIDE = 256


@dataclasses.dataclass(frozen=True)
class Moments:
    """Weighted moments of rows [n, d], in float64.

    Attributes:
      rows: n.
      candidates: rows that take part: of positive weight and, for the cosine metric, not all zero.
      weight: sum of the weights of those.
      peak, least: the largest of their weights, and the smallest.
      mean: [d].
      squares: [d], weighted sum of squared deviations from the mean.
      low, high: [d], smallest and largest value; infinite where there are no rows.
    """

    rows: int
    candidates: int
    weight: float
    peak: float
    least: float
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def none(cls, columns: int) -> Moments:
        """Moments of no rows."""
        zero, infinite = np.zeros(columns), np.full(columns, np.inf)
        return cls(0, 0, 0.0, 0.0, np.inf, zero, zero, infinite, -infinite)

    @classmethod
    def of(cls, rows: np.ndarray, weights: np.ndarray | None) -> Moments:
        """Moments of a batch of at least one row."""
        low, high = _reduce(np.minimum, rows), _reduce(np.maximum, rows)
        deviations = rows.astype(np.float64)
        if weights is None:
            mean = deviations.mean(axis=0)
            deviations -= mean
            squares = np.einsum("nd,nd->d", deviations, deviations)
            return cls(len(rows), len(rows), float(len(rows)), 1.0, 1.0, mean, squares, low, high)
        heavy = weights.astype(np.float64)
        weight = float(heavy.sum())
        mean = heavy @ deviations / weight if weight else np.zeros(rows.shape[1])
        deviations -= mean
        squares = np.einsum("n,nd,nd->d", heavy, deviations, deviations)
        present = heavy[heavy > 0]
        least = float(present.min(initial=np.inf))
        return cls(len(rows), len(present), weight, float(heavy.max()), least, mean, squares, low, high)

    def merge(self, other: Moments) -> Moments:
        """Moments of both sets of rows together (Chan, Golub & LeVeque 1979)."""
        weight = self.weight + other.weight
        share = other.weight / weight if weight else 0.0
        gap = other.mean - self.mean
        return Moments(
            self.rows + other.rows,
            self.candidates + other.candidates,
            weight,
            max(self.peak, other.peak),
            min(self.least, other.least),
            self.mean + share * gap,
            self.squares + other.squares + self.weight * share * gap * gap,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def pack(self) -> np.ndarray:
        """As one float64 vector, to be sent to other workers."""
        head = [self.rows, self.candidates, self.weight, self.peak, self.least]
        return np.concatenate([head, self.mean, self.squares, self.low, self.high])

    @classmethod
    def unpack(cls, packed: np.ndarray) -> Moments:
        """The inverse of `pack`."""
        rows, candidates, weight, peak, least = packed[:5]
        parts = np.split(packed[5:], 4)
        return cls(int(rows), int(candidates), float(weight), float(peak), float(least), *parts)

    def frame(self, spherical: bool) -> Frame:
        """The frame in which these rows are centred and at most 1 in size."""
        weighs = self.candidates < self.rows or self.least < self.peak
        weight_unit = power_of_two(self.peak) if weighs else self.peak
        if spherical:
            return Frame(np.zeros_like(self.mean), 1.0, weight_unit, weighs, spherical=True)
        reach = max(np.abs(self.low - self.mean).max(), np.abs(self.high - self.mean).max())
        unit = max(_TINY, power_of_two(float(reach)))
        return Frame(self.mean, unit, weight_unit, weighs)

    def spread(self, frame: Frame) -> float:
        """The weighted sum of |x|^2 over these rows, in the frame."""
        squares = float(self.squares.sum()) / frame.unit**2
        if frame.spherical:
            squares += self.weight * float(np.square(self.mean).sum())
        return squares / frame.weight_unit


def _reduce(function: np.ufunc, rows: np.ndarray) -> np.ndarray:
    """Reduces rows [n, d] over n, as float64 [d]."""
    fold = max(1, _WIDE // rows.shape[1])
    whole = len(rows) // fold * fold
    parts = [rows[whole:]]
    if whole:
        folded = function.reduce(rows[:whole].reshape(-1, fold * rows.shape[1]), axis=0)
        parts.append(folded.reshape(fold, -1))
    reduced: np.ndarray = function.reduce(np.concatenate(parts), axis=0).astype(np.float64)
    return reduced


def survey(source: Source, spherical: bool = False, digest: bool = False) -> tuple[Moments, int]:
    """Reads a source once.

    Args:
      source: the rows.
      spherical: take the moments of their directions instead.
      digest: whether to take a checksum of the rows and weights in their order.

    Returns:
      The moments and the checksum, 0 where none is wanted.

    Raises:
      KMeansError: a value is NaN, infinite or beyond float32, or a weight is not finite or negative; with its
        row and column, counted from 0.
    """

    def look(batch: tuple[int, np.ndarray, np.ndarray | None]) -> tuple[Moments, int]:
        first, rows, weights = batch
        _check(rows, weights, first)
        checksum = _checksum(rows, weights) if digest else 0
        if not spherical:
            return Moments.of(rows, weights), checksum
        present = rows.any(axis=1)
        if not present.all():
            weights = np.where(present, 1.0 if weights is None else weights, 0.0)
        return Moments.of(directions(rows), weights), checksum

    moments, checksum = Moments.none(source.columns), 0
    for batch, its_checksum in in_order(look, _numbered(source)):
        moments = moments.merge(batch)
        if digest:
            checksum = zlib.crc32(its_checksum.to_bytes(4, "little"), checksum)
    return moments, checksum


def _checksum(rows: np.ndarray, weights: np.ndarray | None) -> int:
    checksum = zlib.crc32(np.ascontiguousarray(rows).data)
    return checksum if weights is None else zlib.crc32(np.ascontiguousarray(weights).data, checksum)


def _numbered(source: Source) -> Iterator[tuple[int, np.ndarray, np.ndarray | None]]:
    first = 0
    for rows, weights in source.batches():
        if len(rows):
            yield first, rows, weights
        first += len(rows)


def _check(rows: np.ndarray, weights: np.ndarray | None, first: int) -> None:
    # A minimum and a maximum find NaN and infinity without a temporary array of flags.
    if not (rows.min() >= -_LARGEST_VALUE and rows.max() <= _LARGEST_VALUE):
        row, column = np.argwhere(~(np.abs(rows) <= _LARGEST_VALUE))[0]
        raise KMeansError(
            f"data: row {first + row}, column {column} (counted from 0) is {rows[row, column]}; "
            "impute or remove missing, infinite and absurd values first"
        )
    if weights is None:
        return
    if len(weights) != len(rows):
        raise KMeansError(
            f"data: {len(weights)} weights for {len(rows)} rows from row {first} on; give one per row"
        )
    wrong = np.flatnonzero(~((weights >= 0) & (weights <= _LARGEST_WEIGHT)))
    if len(wrong):
        raise KMeansError(
            f"sample_weight: row {first + wrong[0]} (counted from 0) weighs {weights[wrong[0]]}; "
            "weights are finite and not negative"
        )
