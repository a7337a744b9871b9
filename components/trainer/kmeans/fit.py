"""`fit_kmeans`: look at the data, draw starts, let them compete, finish on all rows."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.checkpoint import Checkpoint, Keeper, Progress
from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame
from components.trainer.kmeans.lloyd import Fit, Position, lloyd, passes_for, warm_up
from components.trainer.kmeans.minibatch import BatchPosition, minibatch
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.oversampling import draw_candidates
from components.trainer.kmeans.passes import EVEN, Passes, Table
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.result import Iteration, KMeansResult
from components.trainer.kmeans.rounds import Rounds, chunk_rows
from components.trainer.kmeans.rows import Rows
from components.trainer.kmeans.sampling import draw_sample
from components.trainer.kmeans.sources import Source, numbers, open_source
from components.trainer.kmeans.starts import POLISH, choose_starts
from components.trainer.kmeans.survey import Moments, survey

_log = logging.getLogger(__name__)


def fit_kmeans(
    data: Any,
    options: KMeansOptions,
    strategy: tf.distribute.Strategy | None = None,
    initial_centroids: Any = None,
    sample_weight: Any = None,
    *,
    on_iteration: Callable[[Iteration], None] | None = None,
    checkpoint: Checkpoint | None = None,
) -> KMeansResult:
    """Fits k-means to all the data, until its centroids rest.

    Starts are drawn from a uniform sample of the rows (`options.sample_size`). Where that is all the data, every
    restart runs on all of it; where there is more, restarts compete on the sample and the winner goes on over all
    rows. The same seed, data and workers give the same centroids, bit for bit on CPU.

    With `MultiWorkerMirroredStrategy` every worker calls this with its own shard of the rows: give each row
    to one worker only. Shards may differ in size and may be empty. A shard that is refused makes all workers
    raise.

    Args:
      data: numbers [n, d], never changed, clustered in float32 after centring (in float64 where clusters are
        very tight); or a `tf.data.Dataset` of [batch, d] or of ([batch, d], weights [batch]), read once and in
        bounded memory: its numbers go to a temporary file (under TMPDIR) for the passes.
      options: what to fit.
      strategy: a synchronous `tf.distribute` strategy; None runs on TensorFlow's default device.
      initial_centroids: numbers [k, d] to start from, in place of drawn starts and restarts. With several
        workers the chief's count, and all must give some or none.
      sample_weight: numbers [n], finite and not negative; None weighs every row 1. A row of weight N counts
        as N equal rows. A dataset carries its own.
      on_iteration: called after every pass over all rows, on every worker.
      checkpoint: where the fit saves itself, and goes on from if it was killed.

    Returns:
      The fit; no cluster of it is empty.

    Raises:
      KMeansError: the data is not finite numbers, has fewer distinct rows (of positive weight) than k, or does not
        fit the options; or the checkpoint is of another fit.
      WorkerLost: another worker is gone.
    """
    began = time.perf_counter()
    if not isinstance(options, KMeansOptions):
        raise KMeansError(f"options: expected KMeansOptions, got {type(options).__name__}")
    replicas = Replicas(strategy)
    source, given = _open(data, sample_weight, initial_centroids, options.k, replicas)
    with contextlib.closing(source):
        with _warming_up(options.k, source.columns, replicas):
            moments, shards = _survey(source, options, replicas, digest=checkpoint is not None)
            frame = moments.frame(options.spherical)
            rows = source.enter(frame)
        fit = _Fit(rows, _table(rows, moments, frame, options, replicas), frame, moments, options)
        keeper = None
        if checkpoint is not None:
            keeper = Keeper(checkpoint, _identity(options, shards, given, replicas), replicas)
        best = fit.run(given, keeper, on_iteration)
    if keeper is not None:
        keeper.clear()
    _require_distinct_rows(best)
    return _result(best, frame, options, time.perf_counter() - began)


@dataclasses.dataclass(frozen=True)
class _Fit:
    """A fit whose data have been looked at."""

    rows: Rows
    table: Table
    frame: Frame
    moments: Moments
    options: KMeansOptions

    @property
    def tolerance(self) -> float:
        """On the sum of squared movements, in the frame."""
        variance = float(self.moments.squares.mean()) / self.moments.weight
        return self.options.tolerance * variance / self.frame.unit**2

    def run(
        self,
        given: np.ndarray | None,
        keeper: Keeper | None,
        on_iteration: Callable[[Iteration], None] | None,
    ) -> Fit:
        """Fits every start on all rows and returns the best."""
        saved = keeper.restore() if keeper is not None else None
        starts = self._starts(given) if saved is None else saved.starts
        first, best = (0, None) if saved is None else (saved.index, saved.best)
        for index in range(first, len(starts)):
            position: Position = self._begin(starts[index], given is None)
            passes = passes_for(self.table, self.options.k)
            if saved is not None and index == first:
                position = saved.position
                if saved.kept:
                    passes.load(saved.kept)
                _log.warning(
                    "k-means: going on after pass %d, where a fit was cut short", len(position.history)
                )

            def watch(
                position: Position, passes: Passes, index: int = index, best: Fit | None = best
            ) -> None:
                if on_iteration is not None:
                    on_iteration(_leave(position.history[-1], self.frame))
                if keeper is not None:
                    keeper.save_if_due(lambda: Progress(starts, index, position, best, passes.save()))

            if isinstance(position, BatchPosition):
                fit = minibatch(self.rows, self.table, position, self.options, watch)
            else:
                fit = lloyd(self.table, position, self.tolerance, self.options.max_iterations, passes, watch)
            best = fit if best is None or fit.inertia < best.inertia else best
        assert best is not None
        return best

    def _begin(self, start: np.ndarray, drawn: bool) -> Position:
        if self.options.algorithm == "lloyd":
            return Position(start)
        seen = np.zeros(self.options.k)
        if drawn and not self._whole:
            # The start is the mean of a sample already, and counts as so many rows.
            share = POLISH * self.options.seeding_rows / self.moments.candidates
            seen += min(1.0, share) * self.moments.weight / self.frame.weight_unit / self.options.k
        return BatchPosition(start, seen=seen)

    @property
    def _whole(self) -> bool:
        """Whether restarts compete on all rows."""
        return self.moments.candidates <= self.options.seeding_rows

    def _starts(self, given: np.ndarray | None) -> np.ndarray:
        options, replicas = self.options, self.table.replicas
        if given is not None:
            start = self.frame.centre(given)[None]
            return replicas.from_chief(lambda: start, start.shape)
        candidates = None
        if options.init == "k-means||":
            first = draw_sample(self.rows, 1, [options.seed, 2], replicas).pool(replicas)
            candidates = draw_candidates(self.table, first.rows, options.k, options.seed)
        return choose_starts(self.rows, options, self.tolerance, replicas, candidates)


@contextlib.contextmanager
def _warming_up(k: int, columns: int, replicas: Replicas) -> Iterator[None]:
    """Traces graphs and runs them once meanwhile: the first pass would wait for that a tenth of a second."""
    if not replicas.alone:
        # Workers must trace in step, and strategies belong to the main thread.
        yield
        return
    thread = threading.Thread(target=warm_up, args=(k, columns), daemon=True)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _open(
    data: Any, sample_weight: Any, initial_centroids: Any, k: int, replicas: Replicas
) -> tuple[Source, np.ndarray | None]:
    """Opens every worker's input, or raises on every worker."""
    source, given, problem = None, None, None
    try:
        source = open_source(data, sample_weight)
        if initial_centroids is not None:
            given = _check_centroids(initial_centroids, k, source.columns)
    except KMeansError as error:
        problem = error
    replicas.agree(problem)
    assert source is not None
    shapes = replicas.gather(np.array([source.columns, given is not None], np.float64))
    if (shapes != shapes[0]).any():
        raise KMeansError(
            f"data: workers disagree; (columns, initial centroids given) are {shapes.tolist()}, one pair "
            "per worker"
        )
    return source, given


def _check_centroids(values: Any, k: int, columns: int) -> np.ndarray:
    centroids = numbers("initial_centroids", values, rank=2, shape="[k, d]")
    if centroids.shape != (k, columns):
        raise KMeansError(
            f"initial_centroids: expected shape [{k}, {columns}] for k={k} and {columns} columns, "
            f"got {list(centroids.shape)}"
        )
    if not np.isfinite(centroids).all():
        row, column = np.argwhere(~np.isfinite(centroids))[0]
        raise KMeansError(
            f"initial_centroids: row {row}, column {column} is {centroids[row, column]}; give finite numbers"
        )
    return centroids


def _survey(
    source: Source, options: KMeansOptions, replicas: Replicas, digest: bool
) -> tuple[Moments, list[list[int]]]:
    """Surveys every worker's rows, or raises on all.

    Returns:
      The moments of all rows, and for every worker its number of rows and their checksum.
    """
    local, checksum, problem = Moments.none(source.columns), 0, None
    try:
        local, checksum = survey(source, options.spherical, digest)
    except KMeansError as error:
        problem = error
    replicas.agree(problem)
    shards = [Moments.unpack(packed) for packed in replicas.gather(local.pack())]
    moments = functools.reduce(Moments.merge, shards)
    _require_rows(moments, options)
    sizes = replicas.gather(np.array([local.rows, checksum], np.float64)).astype(int).tolist()
    return moments, sizes


def _require_rows(moments: Moments, options: KMeansOptions) -> None:
    if moments.rows == 0:
        raise KMeansError("data: there are no rows; nothing can be clustered")
    if moments.candidates == 0:
        what = "all rows are zero or weigh nothing" if options.spherical else "all weights are zero"
        raise KMeansError(f"data: {what}; nothing can be clustered")
    if moments.candidates < options.k:
        what = "of positive weight" if not options.spherical else "of positive weight and not all zero"
        raise KMeansError(
            f"data: {moments.candidates} rows ({what}) cannot make k={options.k} clusters; "
            "lower k or bring more rows"
        )


def _table(rows: Rows, moments: Moments, frame: Frame, options: KMeansOptions, replicas: Replicas) -> Table:
    return Table(
        Rounds(rows, replicas.devices, chunk_rows(moments.rows, rows.columns)),
        replicas,
        rows=moments.rows,
        spread=moments.spread(frame),
        weighs=frame.weighs,
        even=moments.peak <= EVEN * moments.least,
        spherical=options.spherical,
    )


def _identity(
    options: KMeansOptions, shards: list[list[int]], given: np.ndarray | None, replicas: Replicas
) -> dict[str, Any]:
    """What makes two fits the same one."""
    return {
        **dataclasses.asdict(options),
        "rows of each worker": [rows for rows, _ in shards],
        "data or their order": [checksum for _, checksum in shards],
        "devices of each worker": len(replicas.devices),
        "initial_centroids": None if given is None else hashlib.sha256(given.tobytes()).hexdigest(),
    }


def _leave(iteration: Iteration, frame: Frame) -> Iteration:
    """An iteration in the units of the data."""
    return dataclasses.replace(
        iteration,
        inertia=iteration.inertia * frame.inertia_unit,
        movement=iteration.movement * frame.unit,
    )


def _require_distinct_rows(fit: Fit) -> None:
    # An empty cluster moves to any row that is not a centroid yet: one that stayed empty found none.
    k, distinct = len(fit.weights), int(np.count_nonzero(fit.weights))
    if distinct < k:
        raise KMeansError(
            f"data: rows of only {distinct} different kinds cannot make k={k} clusters; "
            f"lower k to {distinct}, or bring columns that tell more rows apart"
        )


def _result(fit: Fit, frame: Frame, options: KMeansOptions, seconds: float) -> KMeansResult:
    result = KMeansResult(
        centroids=frame.leave(fit.centroids),
        inertia=fit.inertia * frame.inertia_unit,
        iterations=len(fit.history),
        converged=fit.converged,
        history=[_leave(iteration, frame) for iteration in fit.history],
        cluster_weights=fit.weights * frame.weight_unit,
        seconds=seconds,
    )
    if not fit.converged and options.max_iterations:
        _log.warning(
            "k-means: not converged after %d iterations; raise max_iterations or tolerance",
            result.iterations,
        )
    return result
