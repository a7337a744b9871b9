"""A uniform sample of the rows of all workers."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rows import Rows

_PHILOX_NUMBERS = 4  # that one step of its counter makes


@dataclasses.dataclass(frozen=True)
class Sample:
    """Rows float32 [m, d] in the frame, and weights float32 [m], all positive.

    `total` is the number of rows in the samples of all workers together; `whole`: there are no other rows.
    """

    rows: np.ndarray
    weights: np.ndarray
    total: int
    whole: bool

    def pool(self, replicas: Replicas) -> Sample:
        """The samples of all workers as one, in their order, the same on all."""
        if replicas.workers == 1:
            return self
        pooled = replicas.gather_rows(np.concatenate([self.rows, self.weights[:, None]], axis=1))
        pooled = pooled.astype(np.float32)
        return dataclasses.replace(self, rows=pooled[:, :-1], weights=pooled[:, -1])


def draw_sample(rows: Rows, size: int, seed: list[int], replicas: Replicas) -> Sample:
    """Draws rows of positive weight, without replacement, from all workers' rows.

    Rows are counted from the first of the first worker to the last of the last: where these hold consecutive shards
    of a table, the sample is the same for any number of workers.

    Args:
      rows: this worker's, in the frame.
      size: of the sample.
      seed: of the draw.
      replicas: who takes part.

    Returns:
      What was drawn of this worker's rows.
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
    return Sample(values, weights, min(total, size), whole=total <= size)


def uniform(seed: list[int], start: int, count: int) -> np.ndarray:
    """Numbers [start, start + count) of a stream of random numbers in [0, 1), float64, without drawing those before."""
    bits = np.random.Philox(np.random.SeedSequence(seed))
    bits.advance(start // _PHILOX_NUMBERS)
    skipped = start % _PHILOX_NUMBERS
    return np.random.Generator(bits).random(skipped + count)[skipped:]
