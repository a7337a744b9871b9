"""Spherical k-means: the directions of rows are clustered, whatever their lengths."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans


def _fans(n=3_000, d=6, k=5, seed=0):
    """Rows of very different lengths around k directions, and which each is of."""
    random = np.random.default_rng(seed)
    kinds = random.integers(k, size=n)
    rows = random.normal(size=(k, d))[kinds] + 0.1 * random.normal(size=(n, d))
    return (rows * np.exp(random.normal(size=(n, 1)) * 3)).astype(np.float32), kinds


def _spherical_lloyd(rows, start, passes=200):
    """A plain NumPy reference in float64: (centroids, sum of squared distances between directions)."""
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    centroids = start / np.linalg.norm(start, axis=1, keepdims=True)
    for _ in range(passes):
        labels = (units @ centroids.T).argmax(axis=1)
        sums = np.stack([units[labels == j].sum(axis=0) for j in range(len(start))])
        centroids = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    return centroids, float((2 - 2 * (units @ centroids.T).max(axis=1)).sum())


@pytest.mark.parametrize("k", [5, 40])  # by plain and by bounded passes
def test_equals_a_numpy_reference_from_the_same_start(k):
    rows, _ = _fans(k=max(k, 5))
    result = fit_kmeans(rows, KMeansOptions(k, metric="cosine", tolerance=0.0), initial_centroids=rows[:k])
    centroids, inertia = _spherical_lloyd(rows.astype(float), rows[:k].astype(float))
    assert result.inertia == pytest.approx(inertia, rel=1e-5)
    np.testing.assert_allclose(result.centroids, centroids, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(result.centroids, axis=1), 1.0, rtol=1e-6)


def test_finds_directions_that_euclidean_distances_hide():
    rows, kinds = _fans()
    labels = assign(rows, fit_kmeans(rows, KMeansOptions(5, metric="cosine")).centroids, "cosine")[0].numpy()
    assert len(set(zip(kinds.tolist(), labels.tolist(), strict=True))) == 5
    plain = assign(rows, fit_kmeans(rows, KMeansOptions(5)).centroids)[0].numpy()
    assert len(set(zip(kinds.tolist(), plain.tolist(), strict=True))) > 5


def test_lengths_change_nothing():
    rows, _ = _fans()
    options = KMeansOptions(4, metric="cosine")
    factors = np.random.default_rng(1).choice([1e-30, 0.5, 1.0, 1e20], size=(len(rows), 1))
    scaled = rows.astype(float) * factors
    np.testing.assert_allclose(
        fit_kmeans(scaled, options).centroids, fit_kmeans(rows, options).centroids, atol=1e-5
    )


def test_the_inertia_is_the_sum_of_what_assign_returns():
    rows, _ = _fans()
    result = fit_kmeans(rows, KMeansOptions(4, metric="cosine"))
    _, squared = assign(rows, result.centroids, "cosine")
    assert result.inertia == pytest.approx(float(np.sum(squared, dtype=np.float64)), rel=1e-5)


def test_a_dataset_gives_the_bits_of_an_array():
    rows, _ = _fans()
    options = KMeansOptions(4, metric="cosine", sample_size=500)
    data = tf.data.Dataset.from_tensor_slices(rows).batch(100)
    np.testing.assert_array_equal(fit_kmeans(data, options).centroids, fit_kmeans(rows, options).centroids)


@pytest.mark.parametrize("stream", [False, True])
def test_rows_of_zeros_take_no_part(stream):
    rows, _ = _fans(600)
    rows[::3] = 0.0
    data = tf.data.Dataset.from_tensor_slices(rows).batch(50) if stream else rows
    options = KMeansOptions(4, metric="cosine", tolerance=0.0)
    result = fit_kmeans(data, options, initial_centroids=rows[1:5])
    without = fit_kmeans(rows[(rows != 0).any(axis=1)], options, initial_centroids=rows[1:5])
    np.testing.assert_allclose(result.centroids, without.centroids, atol=1e-6)
    assert result.cluster_weights.sum() == 400
    _, squared = assign(np.zeros([1, 6]), result.centroids, "cosine")
    assert squared.numpy() == pytest.approx(1.0)  # as far from every centroid as from any other
    with pytest.raises(KMeansError, match="all rows are zero or weigh nothing"):
        fit_kmeans(np.zeros([5, 2]), KMeansOptions(1, metric="cosine"))


def test_directions_that_cancel_out_do_not_divide_by_zero():
    rows = np.array([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    result = fit_kmeans(rows, KMeansOptions(1, metric="cosine"))
    assert np.isfinite(result.centroids).all() and result.inertia == pytest.approx(8.0)


def test_an_unknown_metric_of_assign_is_refused():
    with pytest.raises(KMeansError, match=r'metric .l1. is not known; use "euclidean" or "cosine"'):
        assign([[1.0]], [[1.0]], "l1")
