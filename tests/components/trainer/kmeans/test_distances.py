from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from scipy.spatial.distance import cdist

from components.trainer.kmeans import KMeansError, assign
from components.trainer.kmeans.distances import block_rows


@pytest.mark.parametrize(("n", "d", "k"), [(1, 1, 1), (7, 3, 2), (1_000, 5, 13), (5_000, 2, 5_000)])
def test_assign_equals_scipy(n, d, k):
    random = np.random.default_rng(n)
    points, centroids = (
        random.normal(size=(n, d)).astype(np.float32),
        random.normal(size=(k, d)).astype(np.float32),
    )
    labels, squared = assign(points, centroids)
    expected = cdist(points.astype(np.float64), centroids.astype(np.float64), "sqeuclidean")
    assert labels.dtype == tf.int64 and squared.dtype == tf.float32
    np.testing.assert_array_equal(labels, expected.argmin(axis=1))
    np.testing.assert_allclose(squared, expected.min(axis=1), rtol=1e-6)


def test_assign_in_many_blocks_equals_one_by_one():
    random = np.random.default_rng(0)
    block = int(block_rows(8))
    points, centroids = random.normal(size=(block * 2 + 17, 2)), random.normal(size=(8, 2))
    labels, squared = assign(points, centroids)
    for edge in (0, block - 1, block, len(points) - 1):
        label, distance = assign(points[edge : edge + 1], centroids)
        assert (labels[edge], squared[edge]) == (label[0], distance[0])
    assert labels.shape == squared.shape == (len(points),)


def test_blocks_keep_the_scores_bounded():
    assert int(block_rows(1)) == 1 << 19
    assert all(int(block_rows(k)) * k <= max(1 << 19, 1_024 * k) for k in range(1, 20_000, 777))


def test_nothing_has_no_nearest_centroid():
    labels, squared = assign(np.zeros([0, 2]), np.zeros([3, 2]))
    assert labels.shape == squared.shape == (0,)


def test_ties_go_to_the_lower_label():
    labels, squared = assign([[0.0], [1.0]], [[1.0], [-1.0], [1.0], [-1.0]])
    assert labels.numpy().tolist() == [0, 0]
    assert squared.numpy().tolist() == [1.0, 0.0]


def test_an_offset_does_not_blur_distances():
    offset = 1e6
    labels, squared = assign(np.array([[offset + 0.25], [offset + 0.75]]), np.array([[offset], [offset + 1]]))
    assert labels.numpy().tolist() == [0, 1]
    np.testing.assert_allclose(squared, [0.0625, 0.0625], rtol=1e-6)


def test_no_points_give_no_labels():
    labels, squared = assign(np.zeros([0, 2], np.float32), np.ones([3, 2], np.float32))
    assert labels.shape == squared.shape == (0,)


def test_assign_works_inside_a_graph_of_unknown_batch_size():
    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32)])
    def serve(points):
        return assign(points, tf.constant([[0.0, 0.0], [4.0, 0.0]]))

    labels, squared = serve([[1.0, 0.0], [5.0, 0.0], [3.0, 1.0]])
    assert labels.numpy().tolist() == [0, 1, 1]
    assert squared.numpy().tolist() == [1.0, 1.0, 2.0]


@pytest.mark.parametrize(
    ("points", "centroids"), [(np.ones(3), np.ones((2, 3))), (np.ones((3, 2)), np.ones((2, 3)))]
)
def test_shapes_that_do_not_fit_are_refused(points, centroids):
    with pytest.raises(KMeansError, match="with the same d"):
        assign(points, centroids)
