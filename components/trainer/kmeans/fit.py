"""`fit_kmeans`: look at the data, draw starts, let them compete, finish on all rows."""

from __future__ import annotations

import functools
import logging
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.distances import chunk_rows
from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.frame import Frame
from components.trainer.kmeans.initialization import draw_start
from components.trainer.kmeans.lloyd import Fit, Table, lloyd
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.result import Iteration, KMeansResult
from components.trainer.kmeans.sources import ArraySource, Source, numbers, open_source
from components.trainer.kmeans.survey import Moments, RowSample, survey

_log = logging.getLogger(__name__)


def fit_kmeans(
    data: Any,
    options: KMeansOptions,
    strategy: tf.distribute.Strategy | None = None,
    initial_centroids: Any = None,
    sample_weight: Any = None,
) -> KMeansResult:
    """Fits k-means with full-batch Lloyd passes over all the data.

    Starts are drawn from a uniform sample of the rows (`options.sample_size`). Where that is all the data,
    every restart runs on all of it; where there is more, restarts compete on the sample and the winner goes
    on over all rows. The same seed, data and workers give the same centroids, bit for bit on CPU.

    With `MultiWorkerMirroredStrategy` every worker calls this with its own shard of the rows: give each row
    to one worker only. Shards may differ in size and may be empty. A shard that is refused makes all workers
    raise.

    Args:
      data: numbers [n, d], never changed, clustered in float32 after centring (in float64 where clusters are
        very tight); or a `tf.data.Dataset` of [batch, d] or of ([batch, d], weights [batch]), read once per
        pass in bounded memory. It must yield the same rows in each pass, and in the same order if fits are to
        repeat exactly.
      options: what to fit.
      strategy: a synchronous `tf.distribute` strategy; None runs on TensorFlow's default device.
      initial_centroids: numbers [k, d] to start from, in place of drawn starts and restarts. With several
        workers the chief's count, and all must give some or none.
      sample_weight: numbers [n], finite and not negative; None weighs every row 1. A row of weight N counts
        as N equal rows. A dataset carries its own.

    Returns:
      The fit. Fewer distinct rows than k leave clusters empty (`empty_clusters`), with a warning in the log.

    Raises:
      KMeansError: the data is not finite numbers, has fewer rows (of positive weight) than k, or does not fit
        the options.
    """
    replicas = Replicas(strategy)
    source, given = _open(data, sample_weight, initial_centroids, options.k, replicas)
    moments, sample = _survey(source, options, options.seeding_rows if given is None else 0, replicas)
    frame = moments.frame()
    tolerance = options.tolerance * float(moments.squares.mean()) / frame.unit**2 / moments.weight

    if given is not None:
        starts = replicas.from_chief(lambda: frame.centre(given)[None], (1, options.k, source.columns))
    else:
        rows, weights = _pool_sample(sample, frame, replicas)
        whole = len(rows) == moments.candidates
        starts = replicas.from_chief(
            lambda: _choose_starts(rows, weights, whole, options, tolerance),
            (options.n_init if whole else 1, options.k, source.columns),
        )

    everything = Table(
        rounds=source.rounds(frame, replicas.devices, chunk_rows(options.k)),
        replicas=replicas,
        rows=moments.rows,
        spread=float(moments.squares.sum()) / frame.unit**2 / frame.weight_unit,
    )
    fits = [lloyd(everything, start, tolerance, options.max_iterations) for start in starts]
    return _result(min(fits, key=lambda fit: fit.inertia), frame)


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
    source: Source, options: KMeansOptions, sample_size: int, replicas: Replicas
) -> tuple[Moments, RowSample]:
    """Surveys every worker's rows, or raises on all: the moments of all, and this worker's sample."""
    local, sample, problem = Moments.none(source.columns), None, None
    try:
        local, sample = survey(source, sample_size, [options.seed, replicas.worker])
    except KMeansError as error:
        problem = error
    replicas.agree(problem)
    assert sample is not None
    shards = [Moments.unpack(packed) for packed in replicas.gather(local.pack())]
    moments = functools.reduce(Moments.merge, shards)
    if moments.candidates < options.k:
        raise KMeansError(
            f"data: {moments.candidates} rows (of positive weight) cannot make k={options.k} clusters; "
            "lower k or bring more rows"
        )
    sample.shrink(_quota([shard.candidates for shard in shards], sample_size)[replicas.worker])
    return moments, sample


def _quota(candidates: list[int], size: int) -> list[int]:
    """Splits a sample over the workers in proportion to their rows, by largest remainder."""
    total = sum(candidates)
    if total <= size:
        return candidates
    quota = [size * n // total for n in candidates]
    remainders = [size * n % total for n in candidates]
    for worker in sorted(range(len(quota)), key=lambda w: -remainders[w])[: size - sum(quota)]:
        quota[worker] += 1
    return quota


def _pool_sample(sample: RowSample, frame: Frame, replicas: Replicas) -> tuple[np.ndarray, np.ndarray]:
    """Joins the workers' samples, in their order: rows [m, d] and weights [m] in the frame."""
    rows, weights = sample.take()
    counts = replicas.gather(np.array([len(rows)], np.float64))[:, 0].astype(int)
    padded = np.zeros([counts.max(), rows.shape[1] + 1], np.float32)
    padded[: len(rows), :-1] = frame.enter(rows)
    padded[: len(rows), -1] = frame.enter_weights(weights)
    pooled = np.concatenate([shard[:n] for shard, n in zip(replicas.gather(padded), counts, strict=True)])
    return pooled[:, :-1], pooled[:, -1]


def _choose_starts(
    rows: np.ndarray, weights: np.ndarray, whole: bool, options: KMeansOptions, tolerance: float
) -> np.ndarray:
    """Returns float64 [s, k, d]: all starts if the sample is the whole data, else the best, fitted to it."""
    exact_rows, exact_weights = rows.astype(np.float64), weights.astype(np.float64)
    seeds = np.random.SeedSequence(options.seed).spawn(options.n_init)
    starts = [draw_start(exact_rows, exact_weights, options.k, options.init, seed) for seed in seeds]
    if whole:
        return np.stack(starts)
    alone = Replicas(None)
    chunks = ArraySource(rows, weights).rounds(
        Frame.identity(rows.shape[1]), alone.devices, chunk_rows(options.k)
    )
    spread = float(np.einsum("n,nd,nd->", exact_weights, exact_rows, exact_rows))
    table = Table(chunks, alone, len(rows), spread)
    fits = [lloyd(table, start, tolerance, options.max_iterations) for start in starts]
    return min(fits, key=lambda fit: fit.inertia).centroids[None]


def _result(fit: Fit, frame: Frame) -> KMeansResult:
    history = [
        Iteration(step.inertia * frame.inertia_unit, step.movement * frame.unit, step.reseeded, step.seconds)
        for step in fit.history
    ]
    result = KMeansResult(
        centroids=frame.leave(fit.centroids),
        inertia=fit.inertia * frame.inertia_unit,
        iterations=len(history),
        converged=fit.converged,
        history=history,
        cluster_weights=fit.weights * frame.weight_unit,
    )
    if result.empty_clusters:
        _log.warning(
            "k-means: clusters %s of %d stayed empty; the data has fewer distinct rows than k",
            list(result.empty_clusters),
            len(fit.centroids),
        )
    if not fit.converged:
        _log.warning(
            "k-means: not converged after %d iterations; raise max_iterations or tolerance", len(history)
        )
    return result
