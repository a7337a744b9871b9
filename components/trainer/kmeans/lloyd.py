"""Lloyd's algorithm on all the data, in passes that each end in one reduction."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import numpy as np

from components.trainer.kmeans.bounds import BoundedPasses
from components.trainer.kmeans.passes import Partition, Passes, PlainPasses, Table
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.reseeding import farthest_points
from components.trainer.kmeans.result import Iteration
from components.trainer.kmeans.rounds import Rounds
from components.trainer.kmeans.rows import Resident

# Rounding in float32 disturbs a squared distance by about 2e-7 |x|^2. Where clusters are so tight that their
# inertia is below this share of the spread, that blurs them, and passes are made in float64 instead.
TIGHT = 1e-3
# How far, relative to its size, a point must lie from all centroids to be told apart from them. Scores are differences
# of squares, so that is the root of their precision.
_ROUNDING = {False: 2e-3, True: 1e-7}
# From so many clusters on, finding out what need not be compared costs less than comparing.
_BOUNDED_FROM = 32


@dataclasses.dataclass(frozen=True)
class Fit:
    """Where Lloyd's algorithm ended, in the frame: see `KMeansResult`. Arrays are float64."""

    centroids: np.ndarray
    weights: np.ndarray
    inertia: float
    converged: bool
    history: list[Iteration]


@dataclasses.dataclass
class Position:
    """Where Lloyd's algorithm is: all that it needs to go on, besides what its passes keep.

    Attributes:
      centroids: float64 [k, d].
      precise: whether passes are made in float64.
      converged: whether the centroids have come to rest.
      history: the passes so far.
    """

    centroids: np.ndarray
    precise: bool = False
    converged: bool = False
    history: list[Iteration] = dataclasses.field(default_factory=list)


# Called after every pass with the position and the passes.
Watch = Callable[[Position, Passes], None]


def passes_for(table: Table, k: int) -> Passes:
    """The cheaper kind of passes. Kept sums of clusters need weights that do not drown each other in rounding."""
    return BoundedPasses(table) if k >= _BOUNDED_FROM and table.even else PlainPasses(table)


def warm_up(k: int, columns: int) -> None:
    """Makes the first pass of a fit of this process alone as quick as the others."""
    alone = Replicas(None)
    rounds = Rounds(Resident(np.zeros([1, columns], np.float32)), alone.devices, chunk=1)
    passes = passes_for(Table(rounds, alone, rows=1, spread=0.0), k)
    passes.partition(np.zeros([k, columns]), precise=False)
    passes.measure(np.zeros([k, columns]), precise=False)


def lloyd(
    table: Table,
    position: Position,
    tolerance: float,
    max_iterations: int,
    passes: Passes | None = None,
    watch: Watch | None = None,
) -> Fit:
    """Moves centroids to the means of their clusters until they rest.

    An empty cluster moves to a point far from all others, at most once per iteration. Where no point is left for it,
    it stays where it is, empty.

    Args:
      table: the rows.
      position: where to begin; moves along.
      tolerance: the fit has converged when the sum of squared movements is at most this.
      max_iterations: upper limit on passes.
      passes: what makes passes over the table; by default the cheaper kind.
      watch: told of every pass.
    """
    passes = passes or passes_for(table, len(position.centroids))
    while not position.converged and len(position.history) < max_iterations:
        _step(table, passes, position, tolerance)
        if watch is not None:
            watch(position, passes)
    return finish(table, passes, position)


def finish(table: Table, passes: Passes, position: Position) -> Fit:
    """Measures where a fit ended. A cluster that the last movement emptied gets a row, if there is one for it."""
    inertia, weights = passes.measure(position.centroids, position.precise)
    empty, before = np.count_nonzero(weights == 0), len(weights)
    while 0 < empty < before:
        centroids = position.centroids.copy()
        if not fill_empty(table, centroids, weights > 0, position.precise):
            break
        position.centroids = centroids
        inertia, weights = passes.measure(centroids, position.precise)
        empty, before = np.count_nonzero(weights == 0), empty
    return Fit(position.centroids, weights, inertia, position.converged, position.history)


def _step(table: Table, passes: Passes, position: Position, tolerance: float) -> None:
    """One pass: partition, move, fill what is empty."""
    began = time.perf_counter()
    centroids = position.centroids
    partition = passes.partition(centroids, position.precise)
    inertia = table.inertia(partition, centroids)
    moved = means(partition, centroids, table.spherical)
    reseeded = fill_empty(table, moved, partition.weights > 0, position.precise)
    movement = float(np.square(moved - centroids).sum())
    coarse = not position.precise and inertia < TIGHT * table.spread
    position.converged = movement <= tolerance and not reseeded and not coarse
    position.precise |= coarse
    position.centroids = moved
    seconds = time.perf_counter() - began
    position.history.append(
        Iteration(inertia, float(np.sqrt(movement)), reseeded, partition.examined, seconds)
    )


def means(partition: Partition, centroids: np.ndarray, spherical: bool) -> np.ndarray:
    """The best centroids for a partition; those of empty clusters stay."""
    moved = centroids.copy()
    filled = partition.weights > 0
    moved[filled] = partition.sums[filled] / partition.weights[filled, None]
    if spherical:
        lengths = np.sqrt(np.square(moved).sum(axis=1, keepdims=True))
        # Directions that cancel out have no mean direction: any is as good as the one there is.
        moved = np.where(lengths > 1e-12, moved / np.maximum(lengths, 1e-12), centroids)
    return moved


def fill_empty(table: Table, centroids: np.ndarray, filled: np.ndarray, precise: bool) -> tuple[int, ...]:
    """Moves the centroids of empty clusters in place; returns those that found a new place."""
    empty = np.flatnonzero(~filled)
    if len(empty) == 0:
        return ()
    points = farthest_points(table.rounds, table.replicas, centroids[filled], len(empty), _ROUNDING[precise])
    reseeded = empty[: len(points)]
    centroids[reseeded] = points
    return tuple(int(j) for j in reseeded)
