"""A uniform sample of the rows of all workers."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rows import Rows

_PHILOX_NUMBERS = 4  # that one step of its counter makes


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows float32 [m, d] in the frame, and weights float32 [m], all positive. `whole`: there are no others."""

    rows: np.ndarray
    weights: np.ndarray
    whole: bool

    def part(self, size: int, seed: int) -> Sample:
        """A uniform part of the sample, itself where it is not larger."""
        if size >= len(self.rows):
            return self
        random = np.random.default_rng([seed, len(self.rows)])
        picked = np.sort(random.choice(len(self.rows), size, replace=False, shuffle=False))
        return Sample(self.rows[picked], self.weights[picked], whole=False)


def draw_sample(rows: Rows, size: int, seed: int, replicas: Replicas) -> Sample:
    """Draws rows of positive weight, without replacement, from all workers' rows.

    Rows are counted from the first of the first worker to the last of the last: where these hold consecutive shards
    of a table, the sample is the same for any number of workers.

    Args:
      rows: this worker's, in the frame.
      size: of the sample.
      seed: of the draw.
      replicas: who takes part.

    Returns:
      The rows of all workers, the same on all.
    """
    present = rows.weighted()
    candidates = len(rows) if present is None else len(present)
    counts = replicas.gather(np.array([candidates], np.float64))[:, 0].astype(np.int64)
    total, first = int(counts.sum()), int(counts[: replicas.worker].sum())
    if total <= size:
        picked = np.arange(candidates)
    else:
        drawn = np.random.default_rng(seed).choice(total, size, replace=False, shuffle=False)
        picked = np.sort(drawn[(drawn >= first) & (drawn < first + candidates)]) - first
    values, weights = rows.take(picked if present is None else present[picked])
    if weights is None:
        weights = np.ones(len(values), np.float32)
    if replicas.workers > 1:
        pooled = replicas.gather_rows(np.concatenate([values, weights[:, None]], axis=1)).astype(np.float32)
        values, weights = pooled[:, :-1], pooled[:, -1]
    return Sample(values, weights, whole=total <= size)


def uniform(seed: list[int], start: int, count: int) -> np.ndarray:
    """Numbers [start, start + count) of a stream of random numbers in [0, 1), float64, without drawing those before."""
    bits = np.random.Philox(np.random.SeedSequence(seed))
    bits.advance(start // _PHILOX_NUMBERS)
    skipped = start % _PHILOX_NUMBERS
    return np.random.Generator(bits).random(skipped + count)[skipped:]
