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
from components.trainer.kmeans.passes import Table
from components.trainer.kmeans.replicas import Replicas, Rounds, chunk_rows
from components.trainer.kmeans.rows import Resident, aligned_empty
from components.trainer.kmeans.sampling import Sample
from components.trainer.kmeans.threads import in_order

POLISH = 4
"""So many times the sample on which restarts compete is the one on which the winner goes on."""
# Passes of a competition: its ranking is settled long before the last centroid rests.
_COMPETITION_PASSES = 20
# A sample places the centroids no better than this; a movement that is small beside it leads nowhere.
_SHARE_OF_NOISE = 1e-3


def choose_starts(
    sample: Sample, options: KMeansOptions, tolerance: float, candidates: Sample | None = None
) -> np.ndarray:
    """Draws `n_init` starts and picks.

    Args:
      sample: `POLISH` times `options.seeding_rows` rows, or all there are.
      options: of the fit.
      tolerance: see `lloyd`.
      candidates: of k-means||, on which starts are drawn and compete.

    Returns:
      float64 [s, k, d]: all starts, if the rows on which they would compete are all the rows there are; else only
      the best, fitted to the sample or the candidates.
    """
    small = sample.part(options.seeding_rows, options.seed)
    pool = small if candidates is None else candidates
    rows, weights = pool.rows.astype(np.float64), pool.weights.astype(np.float64)
    seeds = np.random.SeedSequence(options.seed).spawn(options.n_init)
    starts = list(in_order(lambda seed: draw_start(rows, weights, options.k, options.init, seed), seeds))
    if small.whole:
        return np.stack(starts)
    best = starts[0]
    if len(starts) > 1:
        table = sample_table(pool, options)
        passes = min(_COMPETITION_PASSES, options.max_iterations)
        fits = [lloyd(table, Position(start), tolerance, passes) for start in starts]
        best = min(fits, key=lambda fit: fit.inertia).centroids
    if sample.whole or candidates is not None:
        return best[None]
    return _polish(sample, best, options, tolerance).centroids[None]


def _polish(sample: Sample, start: np.ndarray, options: KMeansOptions, tolerance: float) -> Fit:
    table = sample_table(sample, options)
    # The squared error of a cluster's mean is its variance over its rows: in sum about the inertia by k / n^2,
    # for clusters of equal size.
    noise = table.spread * options.k / len(sample.rows) ** 2
    return lloyd(table, Position(start), max(tolerance, _SHARE_OF_NOISE * noise), options.max_iterations)


def sample_table(sample: Sample, options: KMeansOptions) -> Table:
    """A table of a sample, for this process alone."""
    values = aligned_empty(sample.rows.shape)
    values[:] = sample.rows
    least, peak = float(sample.weights.min()), float(sample.weights.max())
    rows = Resident(values, sample.weights if least < peak else None)
    replicas = Replicas(None)
    weights = sample.weights / np.float32(1.0 if least < peak else peak)
    return Table(
        Rounds(rows, replicas.devices, chunk_rows(*values.shape)),
        replicas,
        rows=len(values),
        spread=float(np.einsum("n,nd,nd->", weights, values, values, dtype=np.float64)),
        weighs=least < peak,
        even=peak <= 1e6 * least,
        spherical=options.spherical,
    )
