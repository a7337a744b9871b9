"""Out of core: a dataset gives what an array gives."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from components.trainer.kmeans import KMeansError, KMeansOptions, fit_kmeans


def _dataset(*tensors, batch):
    return tf.data.Dataset.from_tensor_slices(tensors if len(tensors) > 1 else tensors[0]).batch(batch)


@pytest.mark.parametrize("batch", [13, 700, 50_000])
@pytest.mark.parametrize("sample_size", [None, 1_000])
def test_a_dataset_gives_the_bits_of_an_array_whatever_its_batches(blobs, batch, sample_size):
    rows = blobs(20_000, 4, 5)
    options = KMeansOptions(5, sample_size=sample_size)
    expected = fit_kmeans(rows, options)
    result = fit_kmeans(_dataset(rows, batch=batch), options)
    np.testing.assert_array_equal(result.centroids, expected.centroids)
    assert (result.inertia, result.iterations) == (expected.inertia, expected.iterations)


def test_chunks_larger_than_one_pass_through_memory_add_up(blobs):
    rows = blobs(150_000, 3, 4)
    options = KMeansOptions(4, sample_size=5_000)
    result = fit_kmeans(tf.data.Dataset.from_tensors(rows), options)
    np.testing.assert_array_equal(result.centroids, fit_kmeans(rows, options).centroids)


def test_a_dataset_carries_weights(blobs):
    rows = blobs(5_000, 3, 4)
    weights = np.random.default_rng(0).uniform(0.0, 3.0, size=len(rows))
    expected = fit_kmeans(rows, KMeansOptions(4), sample_weight=weights)
    result = fit_kmeans(_dataset(rows, weights, batch=100), KMeansOptions(4))
    np.testing.assert_array_equal(result.centroids, expected.centroids)
    assert result.inertia == expected.inertia


def test_integers_and_float64_are_taken(blobs):
    rows = np.round(blobs(2_000, 3, 4) * 100).astype(np.int32)
    expected = fit_kmeans(rows, KMeansOptions(4))
    for dtype in (np.int32, np.float64):
        np.testing.assert_array_equal(
            fit_kmeans(_dataset(rows.astype(dtype), batch=64), KMeansOptions(4)).centroids, expected.centroids
        )


def test_empty_clusters_are_reseeded_from_a_dataset(blobs):
    rows = blobs(3_000, 2, 4, spread=20.0)
    start = np.concatenate([rows[:1], np.full([3, 2], 1e4, np.float32)])
    result = fit_kmeans(_dataset(rows, batch=100), KMeansOptions(4), initial_centroids=start)
    assert result.history[0].reseeded == (1, 2, 3)
    np.testing.assert_array_equal(
        result.centroids, fit_kmeans(rows, KMeansOptions(4), initial_centroids=start).centroids
    )


def test_a_bad_value_is_found_by_its_row_in_the_stream(blobs):
    rows = blobs(30_000, 3, 4)
    rows[27_001, 2] = np.nan
    with pytest.raises(KMeansError, match=r"row 27001, column 2 \(counted from 0\) is nan"):
        fit_kmeans(_dataset(rows, batch=77), KMeansOptions(4))


def test_a_dataset_is_read_once_so_it_may_be_shuffled_or_used_up(blobs):
    rows = blobs(5_000, 3, 4)
    reads = []

    def generate():
        reads.append(1)
        yield from np.array_split(rows, 7)

    data = tf.data.Dataset.from_generator(generate, output_signature=tf.TensorSpec([None, 3], tf.float32))
    result = fit_kmeans(data, KMeansOptions(4, tolerance=0.0))
    assert reads == [1] and result.iterations > 1
    np.testing.assert_array_equal(
        result.centroids, fit_kmeans(rows, KMeansOptions(4, tolerance=0.0)).centroids
    )
    shuffled = _dataset(rows, batch=100).shuffle(50, reshuffle_each_iteration=True)
    again = fit_kmeans(shuffled, KMeansOptions(4, tolerance=0.0), initial_centroids=result.centroids)
    assert again.inertia == pytest.approx(result.inertia, rel=1e-6)


def test_an_error_of_the_dataset_itself_is_not_swallowed():
    def generate():
        yield np.ones([3, 2], np.float32)
        raise OSError("the disk is on fire")

    data = tf.data.Dataset.from_generator(generate, output_signature=tf.TensorSpec([None, 2], tf.float32))
    with pytest.raises(tf.errors.OpError, match="the disk is on fire"):
        fit_kmeans(data, KMeansOptions(1))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            lambda: tf.data.Dataset.from_tensor_slices(np.ones([4, 2], np.float32)),
            r"numbers \[batch, d\], got",
        ),
        (lambda: tf.data.Dataset.from_tensors([["a", "b"]]), r"numbers \[batch, d\], got"),
        (lambda: tf.data.Dataset.from_tensors({"x": [[1.0]]}), r"numbers \[batch, d\], got"),
        (lambda: tf.data.Dataset.from_tensors(([[1.0]], [[1.0]])), r"numbers \[batch\], got"),
        (lambda: tf.data.Dataset.from_tensors([[1.0]]).repeat(), "never ends; remove repeat"),
        (lambda: tf.data.Dataset.from_tensors(np.ones([1, 2])).take(0), "data: there are no rows"),
        (
            lambda: tf.data.Dataset.from_generator(
                lambda: iter([(np.ones([10, 2]), np.ones(7))]),
                output_signature=(tf.TensorSpec([None, 2]), tf.TensorSpec([None])),
            ),
            "does every element hold as many weights as rows",
        ),
        (
            lambda: tf.data.Dataset.from_generator(list, output_signature=tf.TensorSpec([None, None])),
            "does not know its number of columns",
        ),
    ],
)
def test_a_dataset_of_another_shape_is_refused(data, message):
    with pytest.raises(KMeansError, match=message):
        fit_kmeans(data(), KMeansOptions(1))


def test_weights_beside_a_dataset_are_refused():
    data = tf.data.Dataset.from_tensors([[1.0], [2.0]])
    with pytest.raises(KMeansError, match=r"yield \(rows, weights\) instead"):
        fit_kmeans(data, KMeansOptions(1), sample_weight=[1.0, 1.0])


@pytest.mark.slow
def test_memory_stays_bounded(start_script, finish_scripts):
    (grown,) = finish_scripts(start_script("measure_memory.py"))
    # The dataset holds 256 MB in float32; the matrix of all distances would take 1 GB.
    assert grown["dataset"] < 150, grown
    assert grown["many_clusters"] < 300, grown
