"""k-means||: candidates from all rows."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.kmeans import KMeansError, KMeansOptions, fit_kmeans
from components.trainer.kmeans.oversampling import draw_candidates
from components.trainer.kmeans.passes import Table
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rounds import Rounds
from components.trainer.kmeans.rows import Resident


def _table(rows, weights=None, chunk=512):
    replicas = Replicas(None)
    rows = rows.astype(np.float32)
    kept = Resident(rows, None if weights is None else weights.astype(np.float32))
    return Table(Rounds(kept, replicas.devices, chunk), replicas, len(rows), 1.0)


def test_candidates_are_rows_weighted_by_those_nearest_to_them():
    random = np.random.default_rng(0)
    rows = random.uniform(-1, 1, size=(4_000, 3)).astype(np.float32)
    weights = random.integers(0, 3, size=4_000)
    found = draw_candidates(_table(rows, weights), rows[:1], 8, seed=3)
    assert 8 <= len(found.rows) <= 1 + 5 * 3 * 8
    assert {tuple(row) for row in found.rows} <= {tuple(row) for row in rows}
    nearest = np.square(rows[:, None] - found.rows[None]).sum(axis=2).argmin(axis=1)
    expected = np.bincount(nearest, weights, minlength=len(found.rows))
    np.testing.assert_allclose(found.weights, expected, atol=2)  # ties, by rounding


def test_candidates_do_not_depend_on_chunks():
    rows = np.random.default_rng(0).uniform(-1, 1, size=(4_000, 3))
    first = rows[:1].astype(np.float32)
    one, other = (draw_candidates(_table(rows, chunk=c), first, 8, seed=3).rows for c in (4_096, 160))
    np.testing.assert_array_equal(one, other)


def test_a_cluster_too_small_for_a_sample_is_found(blobs):
    rows = blobs(60_000, 3, 4)
    rows[31_000:31_006] = rows[0] + 300.0
    options = {"k": 5, "sample_size": 200, "max_iterations": 1}
    sampled = fit_kmeans(rows, KMeansOptions(**options, init="k-means++"))
    whole = fit_kmeans(rows, KMeansOptions(**options, init="k-means||"))
    assert whole.cluster_weights.min() == 6
    assert sampled.cluster_weights.min() > 6 and whole.inertia < 0.5 * sampled.inertia


@pytest.mark.parametrize("stream", [False, True])
def test_repeats_with_the_seed_from_arrays_and_streams(blobs, stream):
    rows = blobs(20_000, 3, 6)
    options = KMeansOptions(6, init="k-means||", sample_size=1_000)
    data = tf.data.Dataset.from_tensor_slices(rows).batch(999) if stream else rows
    np.testing.assert_array_equal(fit_kmeans(data, options).centroids, fit_kmeans(rows, options).centroids)


@pytest.mark.parametrize("distinct", [1, 3])
def test_fewer_distinct_rows_than_clusters_are_an_error_as_ever(distinct):
    rows = np.repeat(np.random.default_rng(0).normal(size=(distinct, 2)), 100, axis=0)
    with pytest.raises(KMeansError, match=f"rows of only {distinct} different kinds cannot make k=4"):
        fit_kmeans(rows, KMeansOptions(4, init="k-means||"))
    result = fit_kmeans(rows, KMeansOptions(distinct, init="k-means||"))
    assert result.inertia == pytest.approx(0.0, abs=1e-9)


def test_is_as_good_as_k_means_plus_plus_on_average(blobs):
    rows = blobs(20_000, 4, 12)

    def cost(init):
        options = [KMeansOptions(12, init=init, n_init=1, seed=seed) for seed in range(8)]
        return np.median([fit_kmeans(rows, each).inertia for each in options])

    assert cost("k-means||") <= cost("k-means++") * 1.05


@pytest.mark.parametrize("k", [1, 2])
def test_a_round_may_draw_nothing(k):
    rows = np.random.default_rng(0).normal(size=(500, 3))
    for seed in range(12):
        assert fit_kmeans(rows, KMeansOptions(k, init="k-means||", seed=seed)).cluster_weights.all()
