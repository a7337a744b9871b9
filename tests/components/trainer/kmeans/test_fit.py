"""fit_kmeans held against scikit-learn, and on data that breaks k-means."""

from __future__ import annotations

import gzip
import pathlib

import numpy as np
import pytest
from sklearn.cluster import KMeans

from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans
from components.trainer.kmeans.replicas import _compiled

_SHARED = pathlib.Path(__file__).parents[5] / "shared" / "data"


def _reference(rows, start, weights=None, **options):
    model = KMeans(len(start), init=start.astype(np.float64), n_init=1, **options)
    return model.fit(rows.astype(np.float64), sample_weight=weights)


def _assert_same_fit(result, reference, rows):
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-5)
    scale = np.abs(reference.cluster_centers_).max()
    np.testing.assert_allclose(result.centroids, reference.cluster_centers_, atol=1e-4 * scale)
    labels = assign(rows, result.centroids)[0].numpy()
    assert np.mean(labels != reference.labels_) < 1e-3  # rows halfway between two centroids


@pytest.mark.parametrize(("n", "d", "k"), [(300, 1, 3), (2_000, 5, 6), (20_000, 8, 12), (150_000, 4, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_equals_scikit_learn_from_the_same_start(blobs, n, d, k, weighted):
    rows = blobs(n, d, k, seed=n)
    weights = np.random.default_rng(0).uniform(0.1, 5.0, size=n) if weighted else None
    start = rows[:k].copy()
    result = fit_kmeans(
        rows,
        KMeansOptions(k, tolerance=0.0, max_iterations=500),
        initial_centroids=start,
        sample_weight=weights,
    )
    reference = _reference(rows, start, weights, tol=0.0, max_iter=500)
    assert result.converged
    _assert_same_fit(result, reference, rows)


def test_stops_at_the_tolerance_where_scikit_learn_does(blobs):
    rows = blobs(5_000, 6, 4, spread=0.7)
    for tolerance in (1e-1, 1e-2, 1e-4):
        result = fit_kmeans(rows, KMeansOptions(7, tolerance=tolerance), initial_centroids=rows[:7])
        reference = _reference(rows, rows[:7], tol=tolerance)
        assert result.converged
        assert result.iterations == reference.n_iter_ == len(result.history)
        assert result.inertia == pytest.approx(reference.inertia_, rel=1e-5)


def test_equals_scikit_learn_on_real_spending():
    path = _SHARED / "wholesale" / "wholesale_customers.csv"
    if not path.exists():
        pytest.skip("../shared/data/wholesale is not here")
    rows = np.log1p(np.loadtxt(path, delimiter=",", skiprows=1)[:, 2:]).astype(np.float32)
    start = rows[:5]
    result = fit_kmeans(rows, KMeansOptions(5, tolerance=0.0), initial_centroids=start)
    _assert_same_fit(result, _reference(rows, start, tol=0.0), rows)


def test_real_bills_of_unequal_scale_are_clustered_as_well_as_by_scikit_learn():
    path = _SHARED / "credit_default" / "UCI_Credit_Card.csv.gz"
    if not path.exists():
        pytest.skip("../shared/data/credit_default is not here")
    with gzip.open(path, "rt") as file:
        header = file.readline().split(",")
        rows = np.loadtxt(file, delimiter=",")
    rows = rows[:, [i for i, name in enumerate(header) if "BILL" in name or "PAY_AMT" in name]]
    reference = KMeans(6, n_init=10, random_state=0).fit(rows)
    assert fit_kmeans(rows, KMeansOptions(6, n_init=10)).inertia <= reference.inertia_ * 1.001


def test_what_is_returned_is_typed_and_consistent(blobs):
    rows = blobs(1_000, 3, 4)
    result = fit_kmeans(rows, KMeansOptions(4))
    labels, squared = assign(rows, result.centroids)
    assert result.centroids.shape == (4, 3) and result.centroids.dtype == np.float32
    assert (
        isinstance(result.inertia, float) and isinstance(result.iterations, int) and result.converged is True
    )
    assert result.inertia == pytest.approx(float(np.sum(squared, dtype=np.float64)), rel=1e-5)
    np.testing.assert_array_equal(result.cluster_weights, np.bincount(labels, minlength=4))
    assert all(step.seconds > 0 and step.reseeded == () for step in result.history)
    inertias = [step.inertia for step in result.history]
    assert inertias == sorted(inertias, reverse=True) and result.inertia <= inertias[-1]


def test_a_limit_on_iterations_is_kept_and_reported(blobs):
    rows = blobs(5_000, 6, 4, spread=0.5)
    result = fit_kmeans(rows, KMeansOptions(8, max_iterations=2, tolerance=0.0), initial_centroids=rows[:8])
    assert (result.iterations, result.converged) == (2, False)
    reference = _reference(rows, rows[:8], max_iter=2, tol=0.0)
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-5)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(blobs):
    rows = blobs(200_000, 6, 5)
    options = KMeansOptions(9, seed=3, sample_size=20_000)
    first = fit_kmeans(rows, options)
    for _ in range(2):
        np.testing.assert_array_equal(first.centroids, fit_kmeans(rows, options).centroids)
    other = fit_kmeans(rows, KMeansOptions(9, seed=4, sample_size=20_000))
    assert not np.array_equal(first.centroids, other.centroids)


def test_a_fit_from_a_sample_ends_on_all_the_data(blobs):
    rows = blobs(100_000, 5, 8)
    sampled = fit_kmeans(rows, KMeansOptions(8, sample_size=2_000))
    whole = fit_kmeans(rows, KMeansOptions(8, sample_size=100_000))
    assert sampled.inertia == pytest.approx(whole.inertia, rel=1e-4)
    assert sampled.iterations <= whole.iterations
    assert sampled.cluster_weights.sum() == 100_000


def test_random_starts_reach_the_same_place_on_easy_data(blobs):
    rows = blobs(2_000, 4, 3, spread=10.0)
    random = fit_kmeans(rows, KMeansOptions(3, init="random", n_init=10))
    assert random.inertia == pytest.approx(fit_kmeans(rows, KMeansOptions(3)).inertia, rel=1e-5)


def test_one_cluster_is_the_mean(blobs):
    rows = blobs(5_000, 3, 4)
    result = fit_kmeans(rows, KMeansOptions(1))
    np.testing.assert_allclose(result.centroids[0], rows.mean(axis=0, dtype=np.float64), rtol=1e-5, atol=1e-6)
    assert result.inertia == pytest.approx(
        float(rows.var(axis=0, dtype=np.float64).sum() * len(rows)), rel=1e-6
    )
    assert result.converged and result.iterations <= 2


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_as_many_clusters_as_rows_leaves_no_inertia(blobs, init):
    rows = blobs(40, 3, 4)
    result = fit_kmeans(rows, KMeansOptions(40, init=init))
    assert result.inertia == 0.0 and result.converged and result.cluster_weights.min() == 1
    np.testing.assert_allclose(
        result.centroids[np.lexsort(result.centroids.T)], rows[np.lexsort(rows.T)], atol=1e-6
    )


def test_more_clusters_than_rows_is_an_error(blobs):
    with pytest.raises(KMeansError, match=r"4 rows .* cannot make k=5 clusters; lower k"):
        fit_kmeans(blobs(4, 2, 2), KMeansOptions(5))
    with pytest.raises(KMeansError, match="there are no rows"):
        fit_kmeans(np.zeros([0, 2], np.float32), KMeansOptions(1))
    with pytest.raises(KMeansError, match=r"2 rows \(of positive weight\) cannot make k=3"):
        fit_kmeans(blobs(4, 2, 2), KMeansOptions(3), sample_weight=[1.0, 0.0, 0.0, 2.0])


@pytest.mark.parametrize("init", ["k-means++", "random"])
@pytest.mark.parametrize("value", [0.1, 1e6 + 0.3, -3e-12])
def test_fewer_distinct_rows_than_clusters_is_an_error_that_says_how_many(init, value):
    rows = np.repeat(np.array([[value, 0.7], [value * 3, 0.1], [0.3, -value]]), [70_000, 5, 11], axis=0)
    passes = []
    with pytest.raises(KMeansError, match=r"only 3 different kinds cannot make k=6 clusters; lower k to 3"):
        options = KMeansOptions(6, init=init, n_init=1, sample_size=100_000)
        fit_kmeans(rows, options, on_iteration=passes.append)
    assert len(passes) < 20
    result = fit_kmeans(rows, KMeansOptions(3, init=init))
    assert sorted(result.cluster_weights) == [5, 11, 70_000]
    assert result.inertia <= 1e-12 * np.square(rows).sum()


def test_identical_rows_are_one_cluster():
    rows = np.full([1_000, 3], 7.3, np.float32)
    result = fit_kmeans(rows, KMeansOptions(1))
    assert result.converged and result.inertia == 0.0
    np.testing.assert_array_equal(result.centroids, rows[:1])
    with pytest.raises(KMeansError, match="rows of only 1 different kinds"):
        fit_kmeans(rows, KMeansOptions(4))


def test_empty_clusters_move_to_far_points_and_the_fit_recovers(blobs):
    rows = blobs(3_000, 2, 4, spread=20.0)
    start = np.concatenate([rows[:1], np.full([3, 2], 1e4, np.float32)])  # three that nobody is near to
    result = fit_kmeans(rows, KMeansOptions(4), initial_centroids=start)
    assert result.history[0].reseeded == (1, 2, 3)
    assert result.cluster_weights.all() and result.converged and result.iterations < 20
    assert result.inertia == pytest.approx(fit_kmeans(rows, KMeansOptions(4, n_init=5)).inertia, rel=1e-5)
    inertias = [step.inertia for step in result.history]
    assert inertias == sorted(inertias, reverse=True)


def test_rows_without_weight_attract_nothing():
    rows = np.array([[0.0], [1.0], [10.0], [11.0], [500.0]], np.float32)
    weights = [1.0, 1.0, 1.0, 1.0, 0.0]
    result = fit_kmeans(rows, KMeansOptions(2), initial_centroids=[[0.0], [-900.0]], sample_weight=weights)
    np.testing.assert_allclose(np.sort(result.centroids[:, 0]), [0.5, 10.5])
    assert result.inertia == pytest.approx(1.0)
    with_noise = fit_kmeans(rows, KMeansOptions(2), sample_weight=weights)
    np.testing.assert_allclose(np.sort(with_noise.centroids[:, 0]), [0.5, 10.5])


def test_constant_columns_change_nothing(blobs):
    rows = blobs(1_000, 3, 4)
    wider = np.concatenate([np.full([1_000, 1], 123.456, np.float32), rows], axis=1)
    plain = fit_kmeans(rows, KMeansOptions(4, tolerance=0.0), initial_centroids=rows[:4])
    wide = fit_kmeans(wider, KMeansOptions(4, tolerance=0.0), initial_centroids=wider[:4])
    np.testing.assert_allclose(wide.centroids[:, 1:], plain.centroids, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(wide.centroids[:, 0], np.float32(123.456))


@pytest.mark.parametrize(("offset", "scale"), [(1e6, 1e-3), (-1e9, 1.0), (0.0, 1e-25), (0.0, 1e25)])
def test_a_small_signal_far_from_the_origin_is_not_lost(blobs, offset, scale):
    rows = blobs(3_000, 4, 5).astype(np.float64)
    moved = rows * scale + offset
    result = fit_kmeans(moved, KMeansOptions(5, tolerance=0.0), initial_centroids=moved[:5])
    reference = _reference(rows, rows[:5], tol=0.0)
    assert result.inertia == pytest.approx(reference.inertia_ * scale**2, rel=1e-4 if offset else 1e-5)
    np.testing.assert_array_equal(np.sort(result.cluster_weights), np.sort(np.bincount(reference.labels_)))


def test_a_float32_offset_keeps_what_float32_can_hold(blobs):
    rows = (blobs(3_000, 4, 5) * 4 + 1e6).astype(np.float32)
    result = fit_kmeans(rows, KMeansOptions(5, tolerance=0.0), initial_centroids=rows[:5])
    centred = rows.astype(np.float64) - 1e6
    reference = _reference(centred, centred[:5], tol=0.0)
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-5)


def test_tight_clusters_far_apart_are_told_apart():
    random = np.random.default_rng(0)
    rows = random.normal(size=(4_000, 2)) * 0.05 + random.integers(0, 2, size=(4_000, 1))  # two pairs ...
    rows[::2] += 2e4  # ... far from each other
    rows = rows.astype(np.float32)
    result = fit_kmeans(rows, KMeansOptions(4, n_init=5))
    reference = KMeans(4, n_init=5, random_state=0).fit(rows.astype(np.float64))
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-4)


def test_one_absurd_outlier_does_not_blur_the_rest(blobs):
    rows = np.concatenate([blobs(20_000, 3, 4), np.full([1, 3], 1e7, np.float32)])
    result = fit_kmeans(rows, KMeansOptions(5, tolerance=0.0), initial_centroids=rows[-5:])
    reference = _reference(rows, rows[-5:], tol=0.0)
    assert result.inertia == pytest.approx(reference.inertia_, rel=1e-4)
    assert result.cluster_weights.min() == 1


@pytest.mark.parametrize("weights", [[1e-60] * 4, [1e60] * 4, [1e60, 1.0, 1.0, 1.0]])
@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_extreme_weights_neither_overflow_nor_vanish(weights, init):
    rows = np.array([[0.0], [1.0], [10.0], [11.0]])
    result = fit_kmeans(rows, KMeansOptions(2, init=init, n_init=9), sample_weight=weights)
    assert np.isfinite(result.inertia) and result.converged
    left, right = np.sort(result.centroids[:, 0])
    assert right == pytest.approx(10.5) and left == pytest.approx(
        np.average([0.0, 1.0], weights=weights[:2]), abs=1e-6
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"data": [1.0, 2.0]}, r"data: expected shape \[n, d\], got \[2\]"),
        ({"data": [["a", "b"]]}, "data: expected numbers, got <U1; encode text"),
        ({"data": [[1.0, 2.0], [3.0]]}, r"data: expected numbers of shape \[n, d\]"),
        ({"data": np.zeros([3, 0])}, "data: has no columns"),
        ({"data": [[1.0], [float("nan")]]}, r"row 1, column 0 \(counted from 0\) is nan"),
        ({"sample_weight": [1.0]}, "1 weights for 3 rows"),
        ({"sample_weight": [1.0, -1.0, 1.0]}, r"sample_weight: row 1 \(counted from 0\) weighs -1"),
        ({"sample_weight": [0.0, 0.0, 0.0]}, "data: all weights are zero"),
        ({"initial_centroids": [[1.0]]}, r"initial_centroids: expected shape \[2, 1\] .* got \[1, 1\]"),
        ({"initial_centroids": [[1.0], [np.inf]]}, "initial_centroids: row 1, column 0 is inf"),
    ],
)
def test_bad_input_is_refused_with_cause_and_place(arguments, message):
    arguments = {"data": [[1.0], [2.0], [3.0]], **arguments}
    with pytest.raises(KMeansError, match=message):
        fit_kmeans(arguments.pop("data"), KMeansOptions(2), **arguments)


def test_graphs_are_traced_once_for_all_sizes(blobs):
    fit_kmeans(blobs(70_000, 3, 3), KMeansOptions(3))
    traced = _compiled.cache_info().misses
    for n, d, k in ((150, 2, 4), (66_000, 5, 3), (1_000, 1, 1)):
        fit_kmeans(blobs(n, d, k), KMeansOptions(k))
    assert _compiled.cache_info().misses == traced


@pytest.mark.parametrize("size", [1e-100, 1e35])
def test_values_of_absurd_size_do_not_break_the_arithmetic(size):
    rows = np.array([[0.0], [1.0], [10.0], [11.0]]) * size
    result = fit_kmeans(rows, KMeansOptions(2))
    assert result.converged and result.inertia == pytest.approx(size**2, rel=1e-5)


def test_differences_whose_squares_vanish_are_none():
    rows = np.array([[0.0], [1.0], [10.0], [11.0]]) * 1e-200
    assert fit_kmeans(rows, KMeansOptions(1)).inertia == 0.0
    with pytest.raises(KMeansError, match="rows of only 1 different kinds"):
        fit_kmeans(rows, KMeansOptions(2))


def test_weighted_repeats_are_not_mistaken_for_far_points():
    """The weighted mean of equal rows is off by a rounding error: no distance to move a cluster for."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        rows = np.repeat(random.normal(size=(3, 4)), 500, axis=0).astype(np.float32)
        weights = random.uniform(0.1, 1.0, size=len(rows))
        passes = []
        with pytest.raises(KMeansError, match="rows of only 3 different kinds"):
            fit_kmeans(rows, KMeansOptions(6, n_init=1), sample_weight=weights, on_iteration=passes.append)
        assert len(passes) <= 4


@pytest.mark.parametrize(
    ("rows", "options"),
    [
        (np.outer(np.arange(1, 100), [1.0, 2.0, 3.0]), KMeansOptions(2, metric="cosine")),
        (np.repeat([[0.1, 0.2, 0.3], [0.7, 0.1, 0.9]], 50, axis=0), KMeansOptions(40)),
        (np.repeat([[1.0, -1.0], [-1.0, 1.0]], 200, axis=0), KMeansOptions(40, algorithm="minibatch")),
    ],
)
def test_rows_that_differ_by_rounding_only_end_the_fit(rows, options):
    blurred = rows * (1 + 1e-9 * np.random.default_rng(0).normal(size=rows.shape))
    passes = []
    with pytest.raises(KMeansError, match="different kinds cannot make"):
        fit_kmeans(blurred, options, on_iteration=passes.append)
    assert len(passes) < 100


def test_minibatches_tell_tight_rows_apart():
    blur = 3e-5 * np.random.default_rng(0).normal(size=(400, 2))
    rows = np.where(np.arange(400)[:, None] % 2, 1.0, -1.0) + blur
    result = fit_kmeans(rows, KMeansOptions(6, algorithm="minibatch", n_init=1))
    assert result.cluster_weights.all()


def test_a_heavy_row_does_not_drown_the_light_ones():
    rows = np.random.default_rng(9).normal(size=(200_000, 4))
    weights = np.ones(len(rows))
    weights[0] = 2.0**25
    result = fit_kmeans(rows, KMeansOptions(5, n_init=1), sample_weight=weights)
    assert result.cluster_weights.sum() == pytest.approx(weights.sum(), rel=1e-12)


def test_options_are_options(blobs):
    with pytest.raises(KMeansError, match="expected KMeansOptions, got str"):
        fit_kmeans(blobs(10, 2, 2), "5")
