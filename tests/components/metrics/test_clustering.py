"""The formulas against scikit-learn's, on the same assignments."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn import metrics as sklearn_metrics

from components.metrics.clustering import (
    Partition,
    calinski_harabasz,
    clustering_metrics,
    davies_bouldin,
    inertia_per_customer,
    silhouette,
    smallest_segment_share,
)

REFERENCES = {
    silhouette: lambda rows, ids: sklearn_metrics.silhouette_score(rows, ids, metric="sqeuclidean"),
    davies_bouldin: sklearn_metrics.davies_bouldin_score,
    calinski_harabasz: sklearn_metrics.calinski_harabasz_score,
}


@st.composite
def clusterings(draw):
    """Rows in 2 to 6 segments of uneven sizes, single rows and repeated rows among them; any sort of ids."""
    d = draw(st.integers(1, 5))
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=6).filter(lambda s: sum(s) > len(s)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    spread = draw(st.floats(0.01, 10))
    ids = np.repeat(draw(st.permutations(range(len(sizes)))), sizes)
    rows = rng.normal(size=(len(sizes), d))[ids] * 3 + rng.normal(size=(len(ids), d)) * spread
    if draw(st.booleans()):
        # The last row of a segment twice: never in two segments, whose means might then coincide.
        rows, ids = np.vstack([rows, rows[-1:]]), np.append(ids, ids[-1])
    order = rng.permutation(len(ids))
    return rows[order].astype(np.float32), ids[order] * 10 + 1


@pytest.mark.parametrize("metric", REFERENCES, ids=lambda metric: metric.__name__)
@settings(max_examples=150, deadline=None)
@given(clustering=clusterings())
def test_equals_scikit_learn(metric, clustering):
    rows, ids = clustering
    expected = REFERENCES[metric](rows.astype(np.float64), ids)
    partition = Partition.of(rows, ids)
    # scikit-learn's Davies-Bouldin takes |x - y| from |x|^2 - 2xy + |y|^2, so that a row is 1e-7 or so from
    # itself, and divides by the distance between segments. The others are exact to rounding.
    error = 1e-6 / pdist(partition.means).min() if metric is davies_bouldin else 1e-9
    assert metric(partition) == pytest.approx(expected, rel=1e-7, abs=error)


@settings(max_examples=50, deadline=None)
@given(clustering=clusterings(), seed=st.integers(0, 1000))
def test_neither_the_order_of_rows_nor_the_numbering_of_segments_matters(clustering, seed):
    rows, ids = clustering
    order = np.random.default_rng(seed).permutation(len(ids))
    there = clustering_metrics(rows, ids, np.ones(len(ids)), 6)
    back = clustering_metrics(rows[order], 1000 - ids[order], np.ones(len(ids)), 6)
    assert back == pytest.approx(there, rel=1e-9, abs=1e-12)


def _two_far_blobs(offset: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    ids = np.repeat([1, 2, 3], [50, 40, 7])
    return rng.normal(size=(97, 3)) + ids[:, None] * 4 + offset, ids


@pytest.mark.parametrize("metric", REFERENCES, ids=lambda metric: metric.__name__)
def test_a_huge_offset_changes_nothing(metric):
    near, ids = _two_far_blobs(0.0)
    far, _ = _two_far_blobs(1e8)
    # 1e8 costs float64 eight of its sixteen digits before we see the rows, not more.
    assert metric(Partition.of(far, ids)) == pytest.approx(metric(Partition.of(near, ids)), rel=1e-6)


@pytest.mark.parametrize("metric", REFERENCES, ids=lambda metric: metric.__name__)
def test_the_callers_rows_are_left_alone(metric):
    rows, ids = _two_far_blobs(5.0)
    before = rows.copy()
    metric(Partition.of(rows, ids))
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize(
    "ids",
    [[1, 1, 1, 1], [1, 2, 3, 4], []],
    ids=["one segment", "a segment per row", "no rows"],
)
def test_undefined_is_nan(ids):
    rows = np.arange(8.0).reshape(4, 2)[: len(ids)]
    values = clustering_metrics(rows, np.array(ids, int), np.zeros(len(ids)), 4)
    assert all(math.isnan(values[name]) for name in ("silhouette", "davies_bouldin", "calinski_harabasz"))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_not_finite_does_not_go_unnoticed(bad):
    rows, ids = _two_far_blobs(0.0)
    rows[3, 1] = bad
    values = clustering_metrics(rows, ids, np.ones(len(ids)), 3)
    assert all(math.isnan(values[name]) for name in ("silhouette", "davies_bouldin", "calinski_harabasz"))


def test_worse_segments_measure_worse():
    rows, ids = _two_far_blobs(0.0)
    shuffled = np.random.default_rng(0).permutation(ids)
    good, bad = Partition.of(rows, ids), Partition.of(rows, shuffled)
    assert silhouette(good) > silhouette(bad)
    assert davies_bouldin(good) < davies_bouldin(bad)
    assert calinski_harabasz(good) > calinski_harabasz(bad)


def test_segments_in_the_same_place_are_the_worst_davies_bouldin_not_the_best():
    rows = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    assert sklearn_metrics.davies_bouldin_score(rows, [1, 1, 2, 2]) == 0
    assert davies_bouldin(Partition.of(rows, [1, 1, 2, 2])) == math.inf


def test_segments_without_any_spread_are_the_best_calinski_harabasz():
    rows = np.array([[-1.0], [-1.0], [1.0], [1.0]])
    partition = Partition.of(rows, [1, 1, 2, 2])
    assert calinski_harabasz(partition) == math.inf
    assert silhouette(partition) == 1
    assert davies_bouldin(partition) == 0


def test_identical_rows_in_different_segments_have_no_silhouette():
    partition = Partition.of(np.ones((4, 2)), [1, 1, 2, 2])
    assert silhouette(partition) == 0
    assert math.isnan(calinski_harabasz(partition))


def test_inertia_is_the_mean_squared_distance():
    assert inertia_per_customer(np.float32([1, 2, 3])) == pytest.approx(14 / 3)
    assert math.isnan(inertia_per_customer([]))


def test_the_smallest_share_counts_segments_without_rows():
    assert smallest_segment_share([5, 5, 5, 9], k=2) == 0.25
    assert smallest_segment_share([5, 5, 5, 9], k=3) == 0
    assert smallest_segment_share([7, 7], k=1) == 1
    assert math.isnan(smallest_segment_share([], k=2))


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(
        ValueError, match=r"features must be \[n, d\] and segments \[n\]; got \(3, 2\) and \(2,\)"
    ):
        Partition.of(np.ones((3, 2)), [1, 2])


def test_twenty_thousand_rows_take_no_time():
    rng = np.random.default_rng(0)
    rows, ids = rng.normal(size=(20_000, 12)).astype(np.float32), rng.integers(0, 8, 20_000)
    start = time.process_time()
    clustering_metrics(rows, ids, np.ones(20_000), 8)
    assert time.process_time() - start < 1.0  # 0.03 s; the n^2 silhouette takes many seconds
