"""Shares, their entropy, outliers and inertia."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy
from sklearn.cluster import KMeans

from components.metrics.clustering import (
    effective_segments,
    inertia,
    inertia_per_customer,
    largest_segment_share,
    outlier_share,
    smallest_segment_share,
)


def test_the_smallest_share_counts_segments_without_rows():
    assert smallest_segment_share([5, 5, 5, 9], k=2) == 0.25
    assert smallest_segment_share([5, 5, 5, 9], k=3) == 0
    assert smallest_segment_share([7, 7], k=1) == 1
    assert math.isnan(smallest_segment_share([], k=2))


def test_the_largest_share():
    assert largest_segment_share([5, 5, 5, 9]) == 0.75
    assert largest_segment_share([7]) == 1
    assert math.isnan(largest_segment_share([]))


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=60))
def test_effective_segments_is_the_exponential_of_the_entropy(ids):
    counts = np.bincount(ids)
    assert effective_segments(ids) == pytest.approx(np.exp(entropy(counts / counts.sum())), rel=1e-9)


def test_effective_segments_of_equal_and_of_one():
    assert effective_segments([1, 2, 3, 4]) == pytest.approx(4)
    assert effective_segments([3, 3]) == 1
    assert effective_segments([1] * 97 + [2, 3, 4]) < 1.2
    assert math.isnan(effective_segments([]))


def test_outliers():
    assert outlier_share([True, False, False, True]) == 0.5
    assert outlier_share(np.zeros(3, bool)) == 0
    assert math.isnan(outlier_share([]))
    assert math.isnan(outlier_share(None)), "a model that does not say has no share, not 0"


def test_inertia_is_scikit_learns():
    rows = np.random.default_rng(0).normal(size=(400, 3))
    model = KMeans(3, n_init=1, random_state=0).fit(rows)
    distance = model.transform(rows).min(axis=1).astype(np.float32)
    assert inertia(distance) == pytest.approx(model.inertia_, rel=1e-5)
    assert inertia_per_customer(distance) == pytest.approx(model.inertia_ / 400, rel=1e-5)
    assert inertia_per_customer(np.float32([1, 2, 3])) == pytest.approx(14 / 3)


def test_inertia_of_nobody_is_undefined():
    assert math.isnan(inertia([]))
    assert math.isnan(inertia_per_customer([]))
