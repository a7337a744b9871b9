"""Nearest centroids: the one computation that fitting, serving and metrics share."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError

# Measured on 2 cores: below 65,536 rows per chunk the calls cost more than the arithmetic where there are few
# centroids; with many, a chunk's [rows, k] matrix of scores should stay near the cache: 8 MB in float32.
_MAX_CHUNK_ROWS = 65_536
_MIN_CHUNK_ROWS = 1_024
_MAX_CHUNK_SCORES = 1 << 21
_MIN_CHUNKS = 4


def chunk_rows(k: int, rows: int) -> int:
    """Rows to compare with k centroids at once: few enough that memory stays bounded and several threads have work.

    Args:
      k: number of centroids.
      rows: number of rows of all workers together, so that workers with different shards cut them alike.

    Returns:
      A multiple of 16, so that every chunk of an aligned table is aligned.
    """
    most = max(_MIN_CHUNK_ROWS, min(_MAX_CHUNK_ROWS, _MAX_CHUNK_SCORES // k))
    return min(most, max(_MIN_CHUNK_ROWS, rows // _MIN_CHUNKS)) // 16 * 16


def scores(points: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """Returns [k, n] scores that rank centroids as their distances do: (|x - c|^2 - |x|^2) / 2.

    Clusters come first because TensorFlow reduces the leading axis about twice as fast as the trailing one.
    """
    half_norms = 0.5 * tf.reduce_sum(tf.square(centroids), axis=1, keepdims=True)
    return half_norms - tf.matmul(centroids, points, transpose_b=True)


def nearest(points: tf.Tensor, centroids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the label int64 [n] and the squared distance [n] of the nearest centroid of each point.

    Distances are taken from the differences, not from the scores, so that they do not suffer from
    cancellation.
    """
    labels = tf.argmin(scores(points, centroids), axis=0, output_type=tf.int64)
    return labels, tf.reduce_sum(tf.math.squared_difference(points, tf.gather(centroids, labels)), axis=1)


def assign(points: Any, centroids: Any, metric: str = "euclidean") -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the nearest centroid of every point, in chunks of bounded memory.

    Works eagerly on arrays and symbolically inside a graph. Computes in float64 relative to the mean of the
    centroids, so neither an offset nor tight clusters far apart cost precision. Ties go to the lower label.

    Args:
      points: numbers [n, d]. A row with a NaN gets label 0 and distance NaN.
      centroids: numbers [k, d].
      metric: "euclidean", or "cosine" to compare directions: both sides are divided by their length first.

    Returns:
      labels int64 [n] and squared Euclidean distances float32 [n], of directions for "cosine": 2 (1 - cos).

    Raises:
      KMeansError: the shapes do not fit each other.
    """
    points, centroids = tf.convert_to_tensor(points), tf.convert_to_tensor(centroids)
    if (
        points.shape.rank != 2
        or centroids.shape.rank != 2
        or not points.shape[1:].is_compatible_with(centroids.shape[1:])
    ):
        raise KMeansError(
            f"assign: points {points.shape} and centroids {centroids.shape} must be [n, d] and [k, d] "
            "with the same d"
        )
    if metric not in ("euclidean", "cosine"):
        raise KMeansError(f'assign: metric {metric!r} is not known; use "euclidean" or "cosine"')
    centroids = tf.cast(centroids, tf.float64)
    if metric == "cosine":
        return _assign(points, tf.math.l2_normalize(centroids, axis=1, epsilon=0.0), True)
    return _assign(points, centroids, False)


@tf.function(reduce_retracing=True)
def _assign(points: tf.Tensor, centroids: tf.Tensor, spherical: bool) -> tuple[tf.Tensor, tf.Tensor]:
    origin = tf.zeros_like(centroids[0]) if spherical else tf.reduce_mean(centroids, axis=0)
    centred = centroids - origin
    rows = tf.shape(points, out_type=tf.int64)[0]
    k = tf.shape(centroids, out_type=tf.int64)[0]
    step = tf.clip_by_value(_MAX_CHUNK_SCORES // k, _MIN_CHUNK_ROWS, _MAX_CHUNK_ROWS)
    chunks = tf.maximum((rows + step - 1) // step, 1)
    labels = tf.TensorArray(tf.int64, tf.cast(chunks, tf.int32), infer_shape=False, element_shape=[None])
    squared = tf.TensorArray(tf.float32, tf.cast(chunks, tf.int32), infer_shape=False, element_shape=[None])
    for i in tf.range(tf.cast(chunks, tf.int32)):
        start = tf.cast(i, tf.int64) * step
        chunk = tf.cast(points[start : start + step], tf.float64)
        chunk = _directions(chunk) if spherical else chunk - origin
        chunk_labels, chunk_squared = nearest(chunk, centred)
        labels = labels.write(i, chunk_labels)
        squared = squared.write(i, tf.cast(chunk_squared, tf.float32))
    return labels.concat(), squared.concat()


def _directions(points: tf.Tensor) -> tf.Tensor:
    return tf.math.divide_no_nan(points, tf.norm(points, axis=1, keepdims=True))
