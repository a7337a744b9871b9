"""What holds for every fit, whatever the data."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans

_examples = settings(max_examples=25, deadline=None, derandomize=True)


@st.composite
def problems(draw, most_rows=120):
    """(rows float32 [n, d], k): continuous, so that nothing ties."""
    k, d = draw(st.integers(1, 6)), draw(st.integers(1, 5))
    n = draw(st.integers(k, most_rows))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = random.normal(size=(n, d)) + 3.0 * random.integers(0, 3, size=(n, 1))
    return rows.astype(np.float32), k


@st.composite
def lumpy_problems(draw):
    """(rows float32 [n, d], k): few distinct values, so that rows repeat, tie and leave clusters empty."""
    k, d = draw(st.integers(1, 9)), draw(st.integers(1, 3))
    n = draw(st.integers(k, 60))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = random.integers(0, draw(st.integers(1, 6)), size=(n, d)) * draw(
        st.sampled_from([1.0, 0.1, 1e6, 1e-6])
    )
    return (rows + draw(st.sampled_from([0.0, 0.3, -1e4]))).astype(np.float32), k


@_examples
@given(problems(), st.integers(0, 2**32 - 1), st.booleans())
def test_a_weight_of_n_equals_n_repeats(problem, seed, drawn_start):
    rows, k = problem
    weights = np.random.default_rng(seed).integers(1, 5, size=len(rows))
    start = None if drawn_start else rows[:k]
    options = KMeansOptions(k, tolerance=0.0)
    weighted = fit_kmeans(rows, options, initial_centroids=start, sample_weight=weights)
    repeated = fit_kmeans(np.repeat(rows, weights, axis=0), options, initial_centroids=start)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-4, abs=1e-6)
    np.testing.assert_allclose(weighted.centroids, repeated.centroids, atol=1e-4)


@_examples
@given(problems())
def test_unit_weights_equal_none(problem):
    rows, k = problem
    plain, weighted = (
        fit_kmeans(rows, KMeansOptions(k)),
        fit_kmeans(rows, KMeansOptions(k), sample_weight=np.ones(len(rows))),
    )
    np.testing.assert_array_equal(plain.centroids, weighted.centroids)
    assert plain.inertia == weighted.inertia


@_examples
@given(problems(), st.floats(0.01, 100.0))
def test_scaling_all_weights_scales_only_the_inertia(problem, factor):
    rows, k = problem
    plain = fit_kmeans(rows, KMeansOptions(k, tolerance=0.0), initial_centroids=rows[:k])
    scaled = fit_kmeans(
        rows,
        KMeansOptions(k, tolerance=0.0),
        initial_centroids=rows[:k],
        sample_weight=np.full(len(rows), factor),
    )
    np.testing.assert_allclose(plain.centroids, scaled.centroids, atol=1e-5)
    assert scaled.inertia == pytest.approx(plain.inertia * factor, rel=1e-5, abs=1e-9)


@_examples
@given(problems())
def test_refitting_from_the_fitted_centroids_changes_nothing(problem):
    rows, k = problem
    first = fit_kmeans(rows, KMeansOptions(k, tolerance=0.0))
    again = fit_kmeans(rows, KMeansOptions(k, tolerance=0.0), initial_centroids=first.centroids)
    assert first.converged and again.converged and again.iterations <= 2
    np.testing.assert_allclose(again.centroids, first.centroids, rtol=1e-6, atol=1e-6)
    assert again.inertia == pytest.approx(first.inertia, rel=1e-6, abs=1e-9)


@_examples
@given(problems(), st.sampled_from(["k-means++", "random"]))
def test_more_restarts_are_never_worse(problem, init):
    rows, k = problem
    inertias = [fit_kmeans(rows, KMeansOptions(k, init=init, n_init=n)).inertia for n in (1, 2, 5)]
    assert inertias[0] >= inertias[1] >= inertias[2]


@_examples
@given(problems(), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_does_not_matter(problem, seed):
    rows, k = problem
    order = np.random.default_rng(seed).permutation(len(rows))
    options = KMeansOptions(k, tolerance=0.0)
    straight = fit_kmeans(rows, options, initial_centroids=rows[:k])
    shuffled = fit_kmeans(rows[order], options, initial_centroids=rows[:k])
    np.testing.assert_allclose(straight.centroids, shuffled.centroids, atol=1e-5)
    assert straight.inertia == pytest.approx(shuffled.inertia, rel=1e-5, abs=1e-9)


@_examples
@given(problems(), st.floats(-1e3, 1e3), st.sampled_from([1e-3, 0.3, 7.0, 1e4]))
def test_moving_and_scaling_the_data_moves_and_scales_the_fit(problem, shift, scale):
    rows, k = problem
    rows = rows.astype(np.float64)
    options = KMeansOptions(k, tolerance=0.0)
    plain = fit_kmeans(rows, options, initial_centroids=rows[:k])
    moved = fit_kmeans((rows + shift) * scale, options, initial_centroids=(rows[:k] + shift) * scale)
    assert moved.inertia == pytest.approx(plain.inertia * scale**2, rel=1e-4, abs=1e-6 * scale**2)
    np.testing.assert_allclose(moved.centroids / scale - shift, plain.centroids, atol=1e-3)


@_examples
@given(problems())
def test_float32_is_close_to_float64(problem):
    rows, k = problem
    options = KMeansOptions(k, tolerance=0.0)
    single = fit_kmeans(rows, options, initial_centroids=rows[:k])
    double = fit_kmeans(rows.astype(np.float64), options, initial_centroids=rows[:k].astype(np.float64))
    assert single.inertia == pytest.approx(double.inertia, rel=1e-5, abs=1e-9)
    np.testing.assert_allclose(single.centroids, double.centroids, atol=1e-5)


@_examples
@given(problems(), st.sampled_from([np.float32, np.float64]))
def test_what_the_caller_gave_is_never_changed(problem, dtype):
    rows, k = problem
    given_arrays = [rows.astype(dtype), rows[:k].astype(dtype), np.ones(len(rows), dtype)]
    copies = [array.copy() for array in given_arrays]
    fit_kmeans(
        given_arrays[0], KMeansOptions(k), initial_centroids=given_arrays[1], sample_weight=given_arrays[2]
    )
    fit_kmeans(given_arrays[0], KMeansOptions(k), sample_weight=given_arrays[2])
    for array, copy in zip(given_arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


@settings(_examples, max_examples=60)
@given(lumpy_problems(), st.sampled_from(["k-means++", "random"]))
def test_repeated_rows_and_ties_end_with_a_sound_fit(problem, init):
    rows, k = problem
    distinct = len(np.unique(rows, axis=0))
    if distinct < k:
        with pytest.raises(KMeansError, match=f"only {distinct} different kinds cannot make k={k} "):
            fit_kmeans(rows, KMeansOptions(k, init=init, tolerance=0.0))
        k = distinct
    result = fit_kmeans(rows, KMeansOptions(k, init=init, tolerance=0.0))
    assert result.converged and result.iterations < 100
    assert result.cluster_weights.all() and result.cluster_weights.sum() == len(rows)
    if k == distinct:
        assert result.inertia <= 1e-9 * np.square(rows.astype(np.float64)).sum()
    spread = float(np.square(rows - rows.mean(axis=0, dtype=np.float64)).sum())
    inertias = [step.inertia for step in result.history] + [result.inertia]
    assert all(after <= before + 1e-6 * spread for before, after in itertools.pairwise(inertias))


@settings(_examples, max_examples=60)
@given(lumpy_problems(), st.data())
def test_any_start_ends_at_means_of_clusters(problem, data):
    rows, k = problem
    k = min(k, len(np.unique(rows, axis=0)))
    picks = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=k, max_size=k))
    result = fit_kmeans(rows, KMeansOptions(k, tolerance=0.0), initial_centroids=rows[picks])
    assert result.converged and result.iterations < 100 and result.cluster_weights.all()
    labels = assign(rows, result.centroids)[0].numpy()
    scale = np.abs(rows).max() + 1e-30
    for j in np.unique(labels):
        mean = rows[labels == j].mean(axis=0, dtype=np.float64)
        # A row halfway between two centroids may count for either; then the mean may differ, the cost may
        # not.
        if len(rows[labels == j]) == result.cluster_weights[j]:
            np.testing.assert_allclose(result.centroids[j], mean, atol=2e-6 * scale)
