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

from components.metrics import clustering as clustering_module
from components.metrics.clustering import (
    Partition,
    Samples,
    calinski_harabasz,
    clustering_metrics,
    davies_bouldin,
    dunn_generalized,
    sampled_metrics,
    silhouette,
)
from configs.evaluation import HIGHER_IS_BETTER, SAMPLED
from tests.components.metrics import references
from tests.components.metrics.clusterings import clusterings, three_blobs

REFERENCES = {
    silhouette: lambda rows, ids: sklearn_metrics.silhouette_score(rows, ids, metric="sqeuclidean"),
    davies_bouldin: sklearn_metrics.davies_bouldin_score,
    calinski_harabasz: sklearn_metrics.calinski_harabasz_score,
    dunn_generalized: references.dunn_generalized,
}
SEPARATION = tuple(metric.__name__ for metric in REFERENCES)


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
    assert back == pytest.approx(there, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("metric", REFERENCES, ids=lambda metric: metric.__name__)
def test_a_huge_offset_changes_nothing(metric):
    near, ids = three_blobs(0.0)
    far, _ = three_blobs(1e8)
    # 1e8 costs float64 eight of its sixteen digits before we see the rows, not more.
    assert metric(Partition.of(far, ids)) == pytest.approx(metric(Partition.of(near, ids)), rel=1e-6)


@pytest.mark.parametrize("metric", REFERENCES, ids=lambda metric: metric.__name__)
def test_the_callers_rows_are_left_alone(metric):
    rows, ids = three_blobs(5.0)
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
    assert all(math.isnan(values[name]) for name in SEPARATION)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_row_that_is_not_finite_does_not_go_unnoticed(bad):
    rows, ids = three_blobs(0.0)
    rows[3, 1] = bad
    values = clustering_metrics(rows, ids, np.ones(len(ids)), 3)
    assert all(math.isnan(values[name]) for name in SEPARATION)


def test_worse_segments_measure_worse():
    rows, ids = three_blobs(0.0)
    shuffled = np.random.default_rng(0).permutation(ids)
    good, bad = Partition.of(rows, ids), Partition.of(rows, shuffled)
    assert silhouette(good) > silhouette(bad)
    assert davies_bouldin(good) < davies_bouldin(bad)
    assert calinski_harabasz(good) > calinski_harabasz(bad)
    assert dunn_generalized(good) > dunn_generalized(bad)


def test_segments_in_the_same_place_are_the_worst_dunn():
    assert dunn_generalized(Partition.of([[-1.0], [1.0], [-1.0], [1.0]], [1, 1, 2, 2])) == 0


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
    assert dunn_generalized(partition) == math.inf


def test_identical_rows_in_different_segments_have_no_silhouette():
    partition = Partition.of(np.ones((4, 2)), [1, 1, 2, 2])
    assert silhouette(partition) == 0
    assert math.isnan(calinski_harabasz(partition))
    assert math.isnan(dunn_generalized(partition))


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


@pytest.mark.parametrize("block", [1, 7, 64])
def test_the_size_of_blocks_changes_nothing(monkeypatch, block):
    rows, ids = three_blobs(3.0)
    whole = clustering_metrics(rows, ids, np.ones(97), 3)
    monkeypatch.setattr("components.metrics.partition._BLOCK", block * rows.shape[1])
    assert clustering_metrics(rows, ids, np.ones(97), 3) == pytest.approx(whole, rel=1e-12, nan_ok=True)


def test_rows_are_not_copied_to_float64_all_at_once():
    import tracemalloc

    rows = np.random.default_rng(0).normal(size=(200_000, 16)).astype(np.float32)
    ids = np.arange(200_000) % 10
    distance = np.ones(200_000, np.float32)
    tracemalloc.start()
    clustering_metrics(rows, ids, distance, 10)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The rows sorted by segment, and 8 bytes each for labels and order; a float64 copy alone is twice the rows.
    assert peak < 1.9 * rows.nbytes


def test_together_they_are_the_metrics_of_the_configuration():
    rows, ids = three_blobs(0.0)
    sampled, seen = sampled_metrics(rows, ids, np.ones(len(ids)), 3)
    assert set(sampled) == set(seen) == set(SAMPLED)
    assert set(clustering_metrics(rows, ids, np.ones(97), 3)) | set(sampled) == set(HIGHER_IS_BETTER)


def test_sampled_metrics_of_few_rows_are_those_of_all():
    rows, ids = three_blobs(0.0)
    values, seen = sampled_metrics(rows, ids, np.ones(len(ids)), 3)
    assert values["silhouette_sampled"] == pytest.approx(
        sklearn_metrics.silhouette_score(rows, ids), rel=1e-9
    )
    assert values["dunn"] == pytest.approx(references.dunn(rows, ids), rel=1e-9)
    assert set(seen.values()) == {97}


def test_sampled_metrics_see_as_many_rows_as_they_say(monkeypatch):
    rows = np.random.default_rng(2).normal(size=(400, 2))
    ids = (rows[:, 0] > 0).astype(int)
    looked_at = []
    monkeypatch.setattr(
        clustering_module.Pairs,
        "of",
        classmethod(lambda cls, partition: looked_at.append(len(partition.rows))),
    )
    _, seen = sampled_metrics(
        rows, ids, np.ones(400), 2, Samples(pairs_rows=100, stability_rows=200, stability_resamples=1)
    )
    assert (looked_at, seen) == (
        [100],
        {"silhouette_sampled": 100, "dunn": 100, "stability": 200, "inertia_ratio": 200},
    )


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_row_that_is_not_finite_and_not_in_the_sample_does_not_go_unnoticed(bad):
    rows = np.random.default_rng(2).normal(size=(1000, 2)).astype(np.float32)
    rows[500, 1] = bad
    samples = Samples(pairs_rows=10, stability_rows=10, stability_resamples=1)
    values, _ = sampled_metrics(rows, (rows[:, 0] > 0).astype(int), np.ones(1000), 2, samples)
    assert all(math.isnan(value) for value in values.values())
