from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import MiniBatchKMeans

from components.trainer.kmeans import KMeansError, KMeansOptions, fit_kmeans


def _options(k, **changes):
    return KMeansOptions(k, algorithm="minibatch", **changes)


@pytest.mark.parametrize("k", [4, 40])
def test_ends_close_to_full_passes_and_no_worse_than_scikit_learns(blobs, k):
    rows = blobs(60_000, 6, k)
    full = fit_kmeans(rows, KMeansOptions(k, n_init=5))
    ours = fit_kmeans(rows, _options(k, n_init=5))
    theirs = MiniBatchKMeans(k, n_init=5, batch_size=16_384, random_state=0).fit(rows)
    assert ours.converged
    assert full.inertia <= ours.inertia * 1.0001
    assert ours.inertia <= min(full.inertia * 1.01, theirs.inertia_ * 1.005)
    assert ours.cluster_weights.sum() == 60_000


def test_a_centroid_is_the_mean_of_the_rows_it_was_given():
    """With one cluster every rate is 1 / n: after one epoch the centroid is the mean, whatever the batches."""
    rows = np.random.default_rng(0).normal(size=(10_000, 3)) * [1.0, 10.0, 0.1] + 5.0
    weights = np.random.default_rng(1).uniform(0.0, 3.0, size=10_000)
    for heavy in (None, weights):
        result = fit_kmeans(
            rows,
            _options(1, batch_size=700, max_iterations=1),
            initial_centroids=rows[:1] + 100.0,
            sample_weight=heavy,
        )
        np.testing.assert_allclose(result.centroids[0], np.average(rows, axis=0, weights=heavy), rtol=1e-5)


def test_smaller_batches_move_more_often_and_the_history_is_of_epochs(blobs):
    rows = blobs(30_000, 3, 4)
    few = fit_kmeans(rows, _options(4, batch_size=100, max_iterations=3))
    assert 1 <= few.iterations <= 3 and few.iterations == len(few.history)
    assert all(step.inertia > 0 and step.examined == 30_000 for step in few.history)


def test_rows_in_order_of_their_cluster_are_mixed(blobs):
    rows = blobs(40_000, 3, 5, spread=10.0)
    rows = rows[np.argsort(rows[:, 0])]
    full = fit_kmeans(rows, KMeansOptions(5, n_init=5))
    assert fit_kmeans(rows, _options(5, n_init=5)).inertia <= full.inertia * 1.01


def test_a_stream_gives_the_bits_of_an_array(blobs):
    rows = blobs(30_000, 3, 4)
    options = _options(4, batch_size=2_000, sample_size=3_000)
    data = tf.data.Dataset.from_tensor_slices(rows).batch(777)
    ours, streamed = fit_kmeans(rows, options), fit_kmeans(data, options)
    np.testing.assert_array_equal(ours.centroids, streamed.centroids)
    assert ours.inertia == streamed.inertia


def test_the_same_seed_gives_the_same_bits_and_another_does_not(blobs):
    rows = blobs(30_000, 3, 4)
    fits = [fit_kmeans(rows, _options(4, seed=seed, batch_size=1_000)).centroids for seed in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_centroids_that_saw_nothing_move_to_far_rows(blobs):
    rows = blobs(5_000, 2, 4, spread=20.0)
    start = np.concatenate([rows[:1], np.full([3, 2], 1e4, np.float32)])
    result = fit_kmeans(rows, _options(4, batch_size=500), initial_centroids=start)
    assert result.history[0].reseeded == (1, 2, 3)
    assert result.inertia <= fit_kmeans(rows, KMeansOptions(4, n_init=5)).inertia * 1.01


def test_cosine_centroids_have_length_one(blobs):
    result = fit_kmeans(blobs(5_000, 4, 4), _options(4, metric="cosine", batch_size=500))
    np.testing.assert_allclose(np.linalg.norm(result.centroids, axis=1), 1.0, rtol=1e-6)


def test_no_cluster_ends_empty_and_too_few_distinct_rows_are_refused(blobs):
    rows = np.repeat(blobs(6, 2, 6, spread=20.0), 500, axis=0)
    for seed in range(5):
        start = rows[np.random.default_rng(seed).integers(len(rows), size=6)]
        result = fit_kmeans(rows, _options(6, batch_size=50, max_iterations=1), initial_centroids=start)
        assert result.cluster_weights.all()
    with pytest.raises(KMeansError, match="rows of only 6 different kinds cannot make k=8"):
        fit_kmeans(rows, _options(8, batch_size=50))
