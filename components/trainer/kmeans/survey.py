"""The first look at the data: one pass that checks every value, takes moments and draws a sample."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame, power_of_two
from components.trainer.kmeans.sources import Source

# Centroids are float32, so values must be. Weights up to here, times squares, still sum in float64; squares
# of differences below _TINY are none.
_LARGEST_VALUE = float(np.finfo(np.float32).max)
_LARGEST_WEIGHT = 1e90
_TINY = 2.0**-500


@dataclasses.dataclass(frozen=True)
class Moments:
    """Weighted moments of rows [n, d], in float64.

    Attributes:
      rows: n.
      candidates: rows of positive weight; only these can be drawn.
      weight: sum of the weights.
      peak: the largest weight.
      mean: [d].
      squares: [d], weighted sum of squared deviations from the mean.
      low, high: [d], smallest and largest value; infinite where there are no rows.
    """

    rows: int
    candidates: int
    weight: float
    peak: float
    mean: np.ndarray
    squares: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def none(cls, columns: int) -> Moments:
        """Moments of no rows."""
        zero, infinite = np.zeros(columns), np.full(columns, np.inf)
        return cls(0, 0, 0.0, 0.0, zero, zero, infinite, -infinite)

    @classmethod
    def of(cls, rows: np.ndarray, weights: np.ndarray | None) -> Moments:
        """Moments of a batch of at least one row."""
        low, high = rows.min(axis=0).astype(np.float64), rows.max(axis=0).astype(np.float64)
        deviations = rows.astype(np.float64)
        if weights is None:
            mean = deviations.mean(axis=0)
            deviations -= mean
            squares = np.einsum("nd,nd->d", deviations, deviations)
            return cls(len(rows), len(rows), float(len(rows)), 1.0, mean, squares, low, high)
        heavy = weights.astype(np.float64)
        weight = float(heavy.sum())
        mean = heavy @ deviations / weight if weight else np.zeros(rows.shape[1])
        deviations -= mean
        squares = np.einsum("n,nd,nd->d", heavy, deviations, deviations)
        return cls(
            len(rows), int(np.count_nonzero(heavy)), weight, float(heavy.max()), mean, squares, low, high
        )

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
            self.mean + share * gap,
            self.squares + other.squares + self.weight * share * gap * gap,
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )

    def pack(self) -> np.ndarray:
        """As one float64 vector, to be sent to other workers."""
        head = [self.rows, self.candidates, self.weight, self.peak]
        return np.concatenate([head, self.mean, self.squares, self.low, self.high])

    @classmethod
    def unpack(cls, packed: np.ndarray) -> Moments:
        """The inverse of `pack`."""
        rows, candidates, weight, peak = packed[:4]
        return cls(int(rows), int(candidates), float(weight), float(peak), *np.split(packed[4:], 4))

    def frame(self) -> Frame:
        """The frame in which these rows are centred and at most 1 in size."""
        reach = max(np.abs(self.low - self.mean).max(), np.abs(self.high - self.mean).max())
        return Frame(self.mean, max(_TINY, power_of_two(float(reach))), power_of_two(self.peak))


class RowSample:
    """A uniform sample without replacement from a stream, by keeping the rows with the smallest random keys.

    The draws depend on the order of the rows, not on how they are batched.
    """

    def __init__(self, size: int, columns: int, seed: list[int]) -> None:
        self._size = size
        self._random = np.random.default_rng(seed)
        self._seen = 0
        self._limit = np.inf
        self._keys, self._order = np.zeros(0), np.zeros(0, np.int64)
        self._rows, self._weights = np.zeros([0, columns]), np.zeros(0)

    def offer(self, rows: np.ndarray, weights: np.ndarray | None) -> None:
        """Lets the next rows of the stream compete; rows without weight do not."""
        if self._size == 0:
            return
        keys = self._random.random(len(rows))
        if weights is None:
            weights = np.ones(len(rows))
        picked = np.flatnonzero((keys < self._limit) & (weights > 0))
        self._keys = np.concatenate([self._keys, keys[picked]])
        self._order = np.concatenate([self._order, self._seen + picked])
        self._rows = np.concatenate([self._rows, rows[picked]])
        self._weights = np.concatenate([self._weights, weights[picked]])
        self._seen += len(rows)
        if len(self._keys) > 2 * self._size:
            self.shrink(self._size)

    def take(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the sampled rows [m, d] and their weights [m], in the order of the stream."""
        order = np.argsort(self._order)
        return self._rows[order], self._weights[order]

    def shrink(self, count: int) -> None:
        """Keeps a uniform sample of at most `count` rows."""
        if count >= len(self._keys):
            return
        kept = np.argpartition(self._keys, count)
        self._limit = self._keys[kept[count]]
        kept = kept[:count]
        self._keys, self._order = self._keys[kept], self._order[kept]
        self._rows, self._weights = self._rows[kept], self._weights[kept]


def survey(source: Source, sample_size: int, seed: list[int]) -> tuple[Moments, RowSample]:
    """Reads a source once.

    Raises:
      KMeansError: a value is NaN, infinite or beyond float32, or a weight is not finite or negative; with its
        row and column, counted from 0.
    """
    moments, sample = Moments.none(source.columns), RowSample(sample_size, source.columns, seed)
    for rows, weights in source.batches():
        if len(rows) == 0:
            continue
        _check(rows, weights, first=moments.rows)
        moments = moments.merge(Moments.of(rows, weights))
        sample.offer(rows, weights)
    return moments, sample


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
