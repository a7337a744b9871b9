"""Starting centroids: drawn, made to compete where that is cheap, and the best brought close to where it ends.

Three sizes: `sample_size` rows on which restarts are drawn and compete, four times as many on which the best goes on
until the sample can tell no more, and all rows, where the fit is finished. On data that is not larger than the first,
restarts run on everything. The candidates of k-means|| take the place of both samples, which may hold nothing of a
cluster that they found.
"""

from __future__ import annotations

import numpy as np

from components.trainer.kmeans.initialization import draw_start
from components.trainer.kmeans.lloyd import Fit, Position, lloyd
from components.trainer.kmeans.options import KMeansOptions
from components.trainer.kmeans.passes import EVEN, Table
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rounds import Rounds, chunk_rows
from components.trainer.kmeans.rows import Resident, Rows, aligned_empty
from components.trainer.kmeans.sampling import Sample, draw_sample
from components.trainer.kmeans.threads import in_order

POLISH = 4
"""So many times the sample on which restarts compete is the one on which the winner goes on."""
# A competition has two heats: the ranking is settled long before the last centroid rests.
_HEAT_PASSES, _FINALISTS = 8, 2
# A sample places the centroids no better than this; a movement that is small beside it leads nowhere.
_SHARE_OF_NOISE = 1e-3


def choose_starts(
    rows: Rows, options: KMeansOptions, tolerance: float, replicas: Replicas, candidates: Sample | None = None
) -> np.ndarray:
    """Draws `n_init` starts and picks.

    Args:
      rows: this worker's, in the frame.
      options: of the fit.
      tolerance: see `lloyd`.
      replicas: who takes part.
      candidates: of k-means||, the same on all workers, on which starts are drawn and compete.

    Returns:
      float64 [s, k, d], the same on all workers: all starts, if the rows on which they would compete are all the
      rows there are; else only the best, fitted to the sample or the candidates.
    """
    small = draw_sample(rows, options.seeding_rows, [options.seed, 0], replicas).pool(replicas)
    pool = small if candidates is None else candidates
    exact_rows, exact_weights = pool.rows.astype(np.float64), pool.weights.astype(np.float64)
    seeds = np.random.SeedSequence(options.seed).spawn(options.n_init)

    def draw(seeds: list[np.random.SeedSequence]) -> list[np.ndarray]:
        return list(
            in_order(lambda seed: draw_start(exact_rows, exact_weights, options.k, options.init, seed), seeds)
        )

    if small.whole:
        shape = (options.n_init, options.k, rows.columns)
        return replicas.from_chief(lambda: np.stack(draw(seeds)), shape)
    best = _compete(pool, draw(seeds[replicas.worker :: replicas.workers]), options, tolerance, replicas)
    large = draw_sample(rows, POLISH * options.seeding_rows, [options.seed, 1], replicas)
    if candidates is not None or large.whole:
        return best[None]
    return _polish(large, best, options, tolerance, replicas).centroids[None]


def _compete(
    pool: Sample, starts: list[np.ndarray], options: KMeansOptions, tolerance: float, replicas: Replicas
) -> np.ndarray:
    """The best of all workers' starts, each worker fitting its own: float64 [k, d], the same on all."""
    shape = options.k, pool.rows.shape[1]
    if options.n_init == 1:
        return replicas.from_chief(lambda: starts[0], shape)
    table = _table(pool, options, Replicas(None))
    positions = [Position(start) for start in starts]
    heats = [lloyd(table, position, tolerance, _HEAT_PASSES) for position in positions]
    finalists = sorted(range(len(heats)), key=lambda i: heats[i].inertia)[:_FINALISTS]
    fits = [lloyd(table, positions[i], tolerance, 2 * _HEAT_PASSES) for i in finalists]
    # A worker without a start of its own loses with the largest of numbers; infinity would spoil the sum.
    entry = np.full(1 + options.k * shape[1], np.finfo(np.float64).max)
    if fits:
        best = min(fits, key=lambda fit: fit.inertia)
        entry = np.concatenate([[best.inertia], best.centroids.ravel()])
    entries = replicas.gather(entry)
    winner: np.ndarray = entries[int(np.argmin(entries[:, 0])), 1:].reshape(shape)
    return winner


def _polish(
    sample: Sample, start: np.ndarray, options: KMeansOptions, tolerance: float, replicas: Replicas
) -> Fit:
    """Fits a start to a larger sample, of which every worker has the part that is of its rows."""
    table = _table(sample, options, replicas)
    # The squared error of a cluster's mean is its variance over its rows: in sum about the inertia by k / n^2,
    # for clusters of equal size.
    noise = table.spread * options.k / sample.total**2
    return lloyd(table, Position(start), max(tolerance, _SHARE_OF_NOISE * noise), options.max_iterations)


def _table(sample: Sample, options: KMeansOptions, replicas: Replicas) -> Table:
    """A table of a sample, of which `replicas` hold a part each."""
    values, weights = aligned_empty(sample.rows.shape), aligned_empty(sample.weights.shape)
    values[:], weights[:] = sample.rows, sample.weights
    extremes = [weights.min(initial=np.finfo(np.float32).max), -weights.max(initial=0.0)]
    least, peak = np.abs(replicas.gather(np.array(extremes, np.float64)).min(axis=0))
    spread = replicas.sum(np.array([np.einsum("n,nd,nd->", weights, values, values, dtype=np.float64)]))
    return Table(
        Rounds(Resident(values, weights), replicas.devices, chunk_rows(sample.total, values.shape[1])),
        replicas,
        rows=sample.total,
        spread=float(spread[0]),
        weighs=True,
        even=bool(peak <= EVEN * least),
        spherical=options.spherical,
    )
