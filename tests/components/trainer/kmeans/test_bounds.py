"""Passes that leave rows out give what passes over all rows give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans

from components.trainer.kmeans import KMeansOptions, fit_kmeans, lloyd
from components.trainer.kmeans.bounds import BoundedPasses
from components.trainer.kmeans.lloyd import Position
from components.trainer.kmeans.passes import PlainPasses, Table
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rounds import Rounds
from components.trainer.kmeans.rows import Resident


def _table(rows, weights=None, chunk=64):
    rows = rows.astype(np.float32)
    replicas = Replicas(None)
    heavy = np.ones(len(rows)) if weights is None else weights
    spread = float(np.einsum("n,nd,nd->", heavy, rows, rows, dtype=np.float64))
    kept = Resident(rows, None if weights is None else weights.astype(np.float32))
    return Table(Rounds(kept, replicas.devices, chunk), replicas, len(rows), spread)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.data())
def test_any_sequence_of_centroids_is_partitioned_alike(data):
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    n, d, k = data.draw(st.integers(1, 300)), data.draw(st.integers(1, 6)), data.draw(st.integers(1, 12))
    lumpy = data.draw(st.booleans())
    rows = random.integers(-2, 3, size=(n, d)) / 4.0 if lumpy else random.uniform(-1, 1, size=(n, d))
    weights = (
        random.uniform(0.5, 2.0, size=n) * (random.random(n) < 0.8) if data.draw(st.booleans()) else None
    )
    table = _table(rows, weights)
    bounded, plain = BoundedPasses(table), PlainPasses(table)
    centroids = rows[random.integers(n, size=k)].astype(np.float64)
    for _ in range(6):
        ours, theirs = bounded.partition(centroids, False), plain.partition(centroids, False)
        # Where two centroids are equally near, rounding may decide either way; what that costs is nothing.
        assert table.inertia(ours, centroids) == pytest.approx(
            table.inertia(theirs, centroids), rel=1e-5, abs=1e-5
        )
        if not lumpy:
            np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-4)
            np.testing.assert_allclose(ours.sums, theirs.sums, atol=1e-4)
        centroids = centroids + random.choice([0.0, 0.001, 0.3], size=(k, 1)) * random.normal(size=(k, d))
    inertia, sizes = bounded.measure(centroids, False)
    expected, expected_sizes = plain.measure(centroids, False)
    assert inertia == pytest.approx(expected, rel=1e-5, abs=1e-6)
    assert sizes.sum() == pytest.approx(expected_sizes.sum(), rel=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("n", "d", "k"), [(3_000, 2, 32), (40_000, 8, 40), (5_000, 20, 100)])
def test_equals_scikit_learn_from_the_same_start(blobs, n, d, k, weighted):
    rows = blobs(n, d, k, seed=n, spread=1.5)
    weights = np.random.default_rng(0).uniform(0.1, 5.0, size=n) if weighted else None
    options = KMeansOptions(k, tolerance=0.0, max_iterations=1_000)
    result = fit_kmeans(rows, options, initial_centroids=rows[:k], sample_weight=weights)
    reference = KMeans(k, init=rows[:k].astype(float), n_init=1, tol=0.0, max_iter=1_000).fit(
        rows.astype(float), sample_weight=weights
    )
    assert result.converged and result.inertia == pytest.approx(reference.inertia_, rel=1e-5)
    assert result.iterations == pytest.approx(reference.n_iter_, abs=2)
    np.testing.assert_allclose(
        np.sort(result.cluster_weights),
        np.sort(np.bincount(reference.labels_, weights, minlength=k)),
        rtol=1e-3,
    )


def test_rows_that_cannot_change_are_not_examined(blobs):
    rows = blobs(50_000, 4, 40, spread=10.0)
    result = fit_kmeans(rows, KMeansOptions(40, tolerance=0.0), initial_centroids=rows[:40])
    assert result.history[0].examined == 50_000
    assert result.history[-1].examined < 5_000


def test_tight_clusters_are_told_apart_in_float64():
    random = np.random.default_rng(0)
    kinds = np.concatenate([np.arange(40), random.integers(40, size=5_960)])
    centres = random.normal(size=(40, 3)) * 1e3
    rows = (centres[kinds] + random.normal(size=(6_000, 3)) * 1e-2).astype(np.float32)
    start = rows[:40]  # one row of every cluster
    result = fit_kmeans(rows, KMeansOptions(40, tolerance=0.0), initial_centroids=start)
    reference = KMeans(40, init=start.astype(float), n_init=1, tol=0.0).fit(rows.astype(float))
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-4)


def test_few_clusters_and_uneven_weights_are_compared_plainly(blobs):
    table = _table(blobs(200, 2, 3) / 20)
    assert isinstance(lloyd.passes_for(table, 3), PlainPasses)
    assert isinstance(lloyd.passes_for(table, 40), BoundedPasses)
    weights = np.ones(4_000)
    weights[::7] = 1e9
    rows = blobs(4_000, 2, 40)
    result = fit_kmeans(
        rows, KMeansOptions(40, tolerance=0.0), initial_centroids=rows[:40], sample_weight=weights
    )
    reference = KMeans(40, init=rows[:40].astype(float), n_init=1, tol=0.0).fit(
        rows.astype(float), sample_weight=weights
    )
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-4)


def test_one_centroid_needs_one_look():
    table = _table(np.random.default_rng(0).uniform(-1, 1, size=(100, 2)))
    passes = BoundedPasses(table)
    assert passes.partition(np.zeros([1, 2]), False).examined == 100
    assert passes.partition(np.full([1, 2], 0.5), False).examined == 0


def test_lloyd_by_either_kind_of_pass_ends_alike(blobs):
    rows = blobs(5_000, 3, 6) / 20
    fits = [
        lloyd.lloyd(_table(rows), Position(rows[:6].astype(float)), 0.0, 100, kind(_table(rows)))
        for kind in (PlainPasses, BoundedPasses)
    ]
    assert fits[0].inertia == pytest.approx(fits[1].inertia, rel=1e-6)
    np.testing.assert_allclose(fits[0].centroids, fits[1].centroids, atol=1e-5)
