"""Parts of a difference of squared distances, against plain NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from components.errors import ServingError
from components.explanation.decomposition import (
    coordinate_parts,
    feature_of_coordinates,
    feature_parts,
    is_directional,
    nearest_prototypes,
    rotated_parts,
    share_of_the_way,
)

numbers = st.floats(-1e3, 1e3, width=32)
three_points = st.integers(1, 8).flatmap(lambda d: arrays(np.float64, (3, d), elements=numbers))


@settings(deadline=None)
@given(three_points)
def test_the_parts_add_up_to_the_difference_of_the_squared_distances(points: np.ndarray) -> None:
    x, own, other = points
    parts = coordinate_parts(x, own, other)
    np.testing.assert_allclose(parts, (x - other) ** 2 - (x - own) ** 2, atol=1e-6)
    whole = np.sum((x - other) ** 2) - np.sum((x - own) ** 2)
    assert math.fsum(parts) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    grouped = feature_parts(parts, [f"f{j % 3}" for j in range(len(x))])
    assert math.fsum(grouped.values()) == pytest.approx(whole, rel=1e-9, abs=1e-6)
    np.testing.assert_array_equal(coordinate_parts(x, other, own), -parts)


def test_a_part_speaks_for_the_nearer_centroid() -> None:
    parts = coordinate_parts([0.0, 5.0, 1.0], own=[0.0, 0.0, 0.0], other=[2.0, 4.0, 2.0])
    np.testing.assert_array_equal(parts, [4.0, -24.0, 0.0])
    assert feature_parts(parts, ["age", "plan", "plan"]) == {"age": 4.0, "plan": -24.0}


def test_coordinates_belong_to_features_whatever_categories_are_called() -> None:
    names = ["age", "a=b=c", "a=age", "a=(other)", "a=(missing)", "a=b=c", "a=b=(other)", "a=b=(missing)"]
    owners = feature_of_coordinates(names, ["age", "a", "a=b"])
    assert owners == ["age", *["a"] * 4, *["a=b"] * 3]
    with pytest.raises(ServingError, match="no coordinate belongs to the feature 'b'"):
        feature_of_coordinates(["a"], ["a", "b"])
    with pytest.raises(ServingError, match="'b' belongs to no feature"):
        feature_of_coordinates(["a", "b"], ["a"])


def test_of_a_segment_with_several_prototypes_the_nearest_counts() -> None:
    centroids = np.array([[0.0, 0.0], [10.0, 0.0], [4.0, 0.0]])
    found = nearest_prototypes([5.0, 0.0], centroids, np.array([7, 3, 7]))
    assert {segment: centroid.tolist() for segment, centroid in found.items()} == {
        7: [4.0, 0.0],
        3: [10.0, 0.0],
    }


@settings(deadline=None)
@given(st.integers(1, 5).flatmap(lambda d: arrays(np.float64, (5, d), elements=numbers)))
def test_at_its_share_of_the_way_the_target_begins_to_be_nearest(points: np.ndarray) -> None:
    x, target, *others = points
    share = share_of_the_way(x, target, others)
    assert 0 <= share <= 1

    def lead(t: float) -> float:
        """By how much another centroid is nearer, squared, on the way."""
        at = x + t * (target - x)
        return float(np.sum((at - target) ** 2) - min(np.sum((at - other) ** 2) for other in others))

    scale = 1 + np.abs(points).max() ** 2
    assert lead(share) <= 1e-9 * scale
    if share > 0:
        assert lead(share) >= -1e-9 * scale, "not earlier than it must"


def test_unit_centroids_are_directions() -> None:
    assert is_directional(np.array([[0.6, 0.8], [1.0, 0.0]]))
    assert not is_directional(np.array([[0.6, 0.8], [1.1, 0.0]]))


def test_parts_of_components_add_up_and_find_their_coordinate() -> None:
    random = np.random.default_rng(0)
    axes = np.linalg.qr(random.normal(size=(4, 4)))[0][:, :2] / [0.5, 3.0]
    z, a, b = random.normal(size=4), random.normal(size=2), random.normal(size=2)
    parts = rotated_parts(z, axes, a, b)
    y = z @ axes
    assert math.fsum(parts) == pytest.approx(np.sum((y - b) ** 2) - np.sum((y - a) ** 2), rel=1e-9)
    # All axes, unscaled: as without a rotation.
    whole = np.linalg.qr(random.normal(size=(4, 4)))[0]
    own, other = random.normal(size=4), random.normal(size=4)
    np.testing.assert_allclose(
        rotated_parts(z, whole, own @ whole, other @ whole), coordinate_parts(z, own, other), rtol=1e-9
    )
