"""Metrics over pairs of rows against scikit-learn and a plain reference."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from sklearn.metrics import silhouette_score

from components.metrics.clustering import Partition, dunn, silhouette_euclidean
from components.metrics.pairs import Pairs
from tests.components.metrics import references
from tests.components.metrics.clusterings import clusterings, three_blobs


def measured(rows: np.ndarray, ids: np.ndarray) -> tuple[float, float]:
    pairs = Pairs.of(Partition.of(rows, ids))
    return silhouette_euclidean(pairs), dunn(pairs)


@settings(max_examples=150, deadline=None)
@given(clustering=clusterings())
def test_equal_the_references(clustering):
    rows, ids = clustering
    silhouette, ratio = measured(rows, ids)
    assert silhouette == pytest.approx(silhouette_score(rows.astype(np.float64), ids), rel=1e-5, abs=1e-6)
    expected = references.dunn(rows, ids)
    assert ratio == pytest.approx(expected, rel=1e-9)


def test_more_rows_than_a_block():
    generator = np.random.default_rng(0)
    rows, ids = generator.normal(size=(300, 4)), generator.integers(0, 3, 300)
    assert measured(rows, ids) == pytest.approx(
        (silhouette_score(rows, ids), references.dunn(rows, ids)), rel=1e-9
    )


def test_a_huge_offset_changes_nothing():
    near, ids = three_blobs(0.0)
    far, _ = three_blobs(1e8)
    assert measured(far, ids) == pytest.approx(measured(near, ids), rel=1e-6)


def test_rows_that_are_close_far_from_the_middle_keep_their_distance():
    tight = np.array([[1e6, 0], [1e6, 1e-3], [1e6 + 2e-3, 0], [1e6 + 2e-3, 1e-3]])
    rows = np.vstack([tight, -tight])
    ids = np.array([1, 1, 2, 2, 3, 3, 4, 4])
    assert measured(rows, ids)[1] == pytest.approx(2.0, rel=1e-6)
    assert measured(rows, ids)[1] == pytest.approx(references.dunn(rows, ids), rel=1e-6)


def test_the_same_rows_in_two_segments_are_not_apart():
    rows = np.array([[0.1, 0.2], [3.0, 4.0], [0.1, 0.2], [3.0, 4.0]])
    silhouette, ratio = measured(rows, np.array([1, 1, 2, 2]))
    assert ratio == 0
    assert silhouette == pytest.approx(silhouette_score(rows, [1, 1, 2, 2]), abs=1e-6)


def test_degenerate_segments():
    single_points = np.array([[0.0], [0.0], [5.0], [5.0]])
    assert measured(single_points, np.array([1, 1, 2, 2])) == (1.0, math.inf)
    one_place = np.ones((4, 2))
    silhouette, ratio = measured(one_place, np.array([1, 1, 2, 2]))
    assert silhouette == 0
    assert math.isnan(ratio)


@pytest.mark.parametrize(
    "ids", [[1, 1, 1], [1, 2, 3], []], ids=["one segment", "a segment per row", "no rows"]
)
def test_undefined_is_nan(ids):
    rows = np.arange(6.0).reshape(3, 2)[: len(ids)]
    assert all(math.isnan(value) for value in measured(rows, np.array(ids, int)))


def test_worse_segments_measure_worse():
    rows, ids = three_blobs(0.0)
    shuffled = np.random.default_rng(0).permutation(ids)
    for good, bad in zip(measured(rows, ids), measured(rows, shuffled), strict=True):
        assert good > bad
