import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from components.report.projection import locate_centroids, principal_plane


@pytest.mark.parametrize("shape", [(200, 5), (6, 12), (50, 2)])
def test_equals_scikit_learn_up_to_sign(shape):
    rng = np.random.default_rng(1)
    points = (rng.normal(size=shape) @ rng.normal(size=(shape[1], shape[1])) + 7).astype(np.float32)
    plane = principal_plane(points)
    reference = PCA(2).fit(points.astype(np.float64))
    np.testing.assert_allclose(plane.explained, reference.explained_variance_ratio_, rtol=1e-6)
    np.testing.assert_allclose(np.abs(plane.axes), np.abs(reference.components_), atol=1e-6)
    projected, expected = plane(points), reference.transform(points)
    signs = np.sign((projected * expected).sum(axis=0))
    np.testing.assert_allclose(projected * signs, expected, atol=1e-4)


def test_sign_does_not_depend_on_the_order_of_the_rows():
    points = np.random.default_rng(2).normal(size=(100, 4)) * [4, 3, 2, 1]
    first, second = principal_plane(points), principal_plane(points[::-1])
    np.testing.assert_allclose(first.axes, second.axes, atol=1e-9)
    assert (first.axes[np.arange(2), np.abs(first.axes).argmax(axis=1)] > 0).all()


def test_one_dimension_has_no_second_axis():
    plane = principal_plane(np.arange(5.0)[:, np.newaxis])
    np.testing.assert_allclose(plane.explained, [1, 0])
    np.testing.assert_allclose(plane(np.array([[4.0]])), [[2, 0]])


def test_points_on_a_line_have_no_second_axis():
    plane = principal_plane(np.outer(np.arange(9.0), [1, 2, 3]))
    np.testing.assert_allclose(plane.explained, [1, 0], atol=1e-12)
    np.testing.assert_allclose(plane.axes[0], np.array([1, 2, 3]) / np.sqrt(14))


@pytest.mark.parametrize("n", [1, 4])
def test_equal_points_have_no_axis(n):
    plane = principal_plane(np.full((n, 3), 1.7))
    assert plane.explained.tolist() == [0, 0]
    np.testing.assert_array_equal(plane(np.full((2, 3), 1.7)), np.zeros((2, 2)))


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 8), st.integers(1, 6), st.integers(0, 2**32 - 1), st.floats(-100, 100))
def test_centroids_are_found_from_distances(d, k, seed, offset):
    rng = np.random.default_rng(seed)
    points = (rng.normal(size=(100, d)) + offset).astype(np.float32)
    centroids = rng.normal(size=(k, d)) * 2 + offset
    distances = np.linalg.norm(points[:, np.newaxis] - centroids, axis=2).astype(np.float32)
    np.testing.assert_allclose(locate_centroids(points, distances), centroids, atol=1e-3)


def test_centroids_in_the_plane_of_data_that_does_not_span_the_space():
    rng = np.random.default_rng(3)
    # A number and three one-hot columns, which always add up to 1.
    points = np.column_stack([rng.normal(size=90), np.eye(3)[np.arange(90) % 3]])
    centroids = np.array([[1.0, 0.5, 0.25, 0.25], [-1.0, 0.0, 0.0, 1.0]])
    distances = np.linalg.norm(points[:, np.newaxis] - centroids, axis=2)
    plane = principal_plane(points)
    np.testing.assert_allclose(plane(locate_centroids(points, distances)), plane(centroids), atol=1e-8)


def test_distances_to_several_prototypes_have_no_centroid():
    rng = np.random.default_rng(4)
    points = rng.normal(size=(200, 3))
    prototypes = np.array([[5.0, 0, 0], [-5.0, 0, 0]])
    nearest = np.linalg.norm(points[:, np.newaxis] - prototypes, axis=2).min(axis=1, keepdims=True)
    assert locate_centroids(points, nearest) is None


def test_distances_that_are_not_finite_have_no_centroid():
    assert locate_centroids(np.eye(3), np.full((3, 1), np.inf)) is None
    assert locate_centroids(np.eye(3), np.full((3, 1), np.nan)) is None
