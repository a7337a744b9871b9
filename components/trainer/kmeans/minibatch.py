"""Mini-batch k-means: centroids move after every few rows, at rates that fall with the rows they have seen.

Sculley, "Web-scale k-means clustering" (2010): a centroid is the running mean of the rows that were given to it, so
the n-th row moves it by 1 / n of the way. A batch is made of blocks from all over the data, since neighbours in a
file are often alike; an epoch visits every row once.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import numpy as np

from components.trainer.kmeans.lloyd import TIGHT, Fit, Position, Watch, fill_empty, finish, means
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.passes import Partition, PlainPasses, Table
from components.trainer.kmeans.result import Iteration
from components.trainer.kmeans.rounds import Rounds
from components.trainer.kmeans.rows import Resident, Rows, aligned_empty

_BLOCKS = 16  # of which a batch is made


@dataclasses.dataclass
class BatchPosition(Position):
    """Where mini-batch k-means is; `seen` float64 [k] is the weight of the rows that each centroid has seen."""

    seen: np.ndarray = dataclasses.field(default_factory=lambda: np.zeros(0))


def minibatch(
    rows: Rows, table: Table, position: BatchPosition, options: KMeansOptions, watch: Watch | None = None
) -> Fit:
    """Moves centroids batch by batch until an epoch gains next to nothing.

    Done when the inertia, as met while the centroids moved, is lower than in the epoch before by no more than
    `options.tolerance`, relative.

    Args:
      rows: this worker's.
      table: the same rows.
      position: where to begin; moves along. Epochs are its passes.
      options: of the fit.
      watch: told of every epoch.
    """
    passes = PlainPasses(table)
    batches = _Batches(rows, table, options)
    while not position.converged and len(position.history) < options.max_iterations:
        _epoch(table, batches, position, options)
        if watch is not None:
            watch(position, passes)
    return finish(table, passes, position)


def _epoch(table: Table, batches: _Batches, position: BatchPosition, options: KMeansOptions) -> None:
    began = time.perf_counter()
    before, inertia = position.centroids, 0.0
    filled = np.zeros(options.k, bool)
    for batch in batches.epoch(len(position.history)):
        partition = PlainPasses(batch).partition(position.centroids, position.precise)
        inertia += batch.inertia(partition, position.centroids)
        filled |= partition.weights > 0
        _move(position, partition, table.spherical)
    moved = position.centroids.copy()
    reseeded = fill_empty(table, moved, filled, position.precise)
    position.seen[list(reseeded)] = 0.0
    position.centroids = moved
    coarse = not position.precise and inertia < TIGHT * table.spread
    position.precise |= coarse
    movement = float(np.sqrt(np.square(moved - before).sum()))
    if position.history and not reseeded and not coarse:
        position.converged = position.history[-1].inertia - inertia <= options.tolerance * inertia
    position.history.append(Iteration(inertia, movement, reseeded, table.rows, time.perf_counter() - began))


def _move(position: BatchPosition, partition: Partition, spherical: bool) -> None:
    """Moves every centroid to the mean of all rows that it has seen."""
    seen = position.seen + partition.weights
    sums = position.seen[:, None] * position.centroids + partition.sums
    position.centroids = means(Partition(sums, seen, 0), position.centroids, spherical)
    position.seen = seen


class _Batches:
    """The batches of an epoch, the same number on every worker."""

    def __init__(self, rows: Rows, table: Table, options: KMeansOptions) -> None:
        self._rows, self._table, self._options = rows, table, options
        replicas = table.replicas
        # Every worker gives its share, so that shards of any size are through at the same time.
        share = -(-options.batch_size * len(rows) // max(table.rows, 1))
        self._block = max(1, -(-share // _BLOCKS))
        self._blocks = -(-len(rows) // self._block)
        self._steps = int(replicas.gather(np.array([-(-self._blocks // _BLOCKS)], np.float64)).max())

    def epoch(self, number: int) -> Iterator[Table]:
        replicas = self._table.replicas
        random = np.random.default_rng([self._options.seed, replicas.worker, number])
        order = random.permutation(self._blocks)
        for step in range(self._steps):
            starts = order[step * _BLOCKS : (step + 1) * _BLOCKS] * self._block
            yield self._batch(starts)

    def _batch(self, starts: np.ndarray) -> Table:
        parts = [self._rows.read(start, start + self._block) for start in starts]
        values = aligned_empty((sum(len(part) for part, _ in parts), self._rows.columns))
        np.concatenate([np.zeros([0, self._rows.columns], np.float32), *(p for p, _ in parts)], out=values)
        weights = None
        if self._table.weighs:
            weights = np.concatenate([np.zeros(0, np.float32), *(w for _, w in parts if w is not None)])
        heavy = np.ones(len(values)) if weights is None else weights
        own = np.array([len(values), np.einsum("n,nd,nd->", heavy, values, values, dtype=np.float64)])
        count, spread = self._table.replicas.sum(own)
        devices = self._table.replicas.devices
        rounds = Rounds(Resident(values, weights), devices, max(16, -(-len(values) // len(devices))))
        return dataclasses.replace(self._table, rounds=rounds, rows=int(count), spread=float(spread))
