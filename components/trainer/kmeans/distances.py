"""Nearest centroids: the one computation that fitting, serving and metrics share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError

# Rows are compared with centroids a block at a time. Measured on 2 cores: 2 MB of scores in float32 stay near the
# cache, which saves 40 % of the time of larger blocks; smaller ones cost more in operations than they save.
_BLOCK_SCORES = 1 << 19
_MIN_BLOCK_ROWS = 1_024


def block_rows(k: tf.Tensor | int) -> tf.Tensor:
    """Rows to compare with k centroids at once, int32."""
    return tf.maximum(_MIN_BLOCK_ROWS, _BLOCK_SCORES // k)


def in_blocks(
    function: Callable[[slice], Sequence[tf.Tensor]], n: tf.Tensor, k: tf.Tensor, dtypes: Sequence[tf.DType]
) -> list[tf.Tensor]:
    """Calls `function` for consecutive slices of n rows that are compared with k centroids; joins what it returns.

    Args:
      function: slice of rows -> tensors [rows of the slice], one of each of `dtypes`.
      n: number of rows, a scalar int32 tensor; may be 0.
      k: number of centroids, likewise.
      dtypes: of the results.

    Returns:
      Tensors [n].
    """
    rows = block_rows(k)
    # One block at least: nothing at all cannot be joined.
    blocks = tf.maximum((n + rows - 1) // rows, 1)
    arrays = [tf.TensorArray(dtype, blocks, infer_shape=False, element_shape=[None]) for dtype in dtypes]

    def step(i: tf.Tensor, *arrays: tf.TensorArray) -> tuple[Any, ...]:
        results = function(slice(i * rows, (i + 1) * rows))
        return i + 1, *(array.write(i, result) for array, result in zip(arrays, results, strict=True))

    # Chunks, not blocks, are what several threads share.
    filled = tf.while_loop(lambda i, *_: i < blocks, step, [0, *arrays], parallel_iterations=1)
    return [array.concat() for array in filled[1:]]


def sum_in_blocks(
    function: Callable[[slice], tf.Tensor], n: tf.Tensor, rows: tf.Tensor | int, size: tf.Tensor
) -> tf.Tensor:
    """Calls `function` for consecutive slices of `rows` of n rows; adds up the vectors float64 [size] it returns."""

    def add(i: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return i + 1, total + function(slice(i * rows, (i + 1) * rows))

    _, total = tf.while_loop(
        lambda i, _: i * rows < n,
        add,
        (0, tf.zeros([size], tf.float64)),
        shape_invariants=(tf.TensorShape([]), tf.TensorShape([None])),
        parallel_iterations=1,
    )
    return total


def scores(points: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """Returns [k, n] scores that rank centroids as their distances do: (|x - c|^2 - |x|^2) / 2.

    Clusters come first because TensorFlow reduces the leading axis about twice as fast as the trailing one.
    """
    half_norms = 0.5 * tf.reduce_sum(tf.square(centroids), axis=1, keepdims=True)
    return half_norms - tf.matmul(centroids, points, transpose_b=True)


def nearest(points: tf.Tensor, centroids: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the label int64 [n] and the squared distance [n] of the nearest centroid of each point.

    Works in the type of the centroids. Distances are taken from the differences, not from the scores, so that they
    do not suffer from cancellation.
    """

    def compare(part: slice) -> tuple[tf.Tensor, tf.Tensor]:
        block = tf.cast(points[part], centroids.dtype)
        labels = tf.argmin(scores(block, centroids), axis=0, output_type=tf.int64)
        return labels, tf.reduce_sum(tf.math.squared_difference(block, tf.gather(centroids, labels)), axis=1)

    n, k = tf.shape(points)[0], tf.shape(centroids)[0]
    labels, squared = in_blocks(compare, n, k, (tf.int64, centroids.dtype))
    return labels, squared


def assign(points: Any, centroids: Any, metric: str = "euclidean") -> tuple[tf.Tensor, tf.Tensor]:
    """Finds the nearest centroid of every point, in blocks of bounded memory.

    Works eagerly on arrays and symbolically inside a graph. Computes in float64 relative to the mean of the
    centroids, so neither an offset nor tight clusters far apart cost precision. Ties go to the lower label.

    Args:
      points: numbers [n, d]. A row with a NaN gets label 0 and distance NaN.
      centroids: numbers [k, d].
      metric: "euclidean", or "cosine" to compare directions: both sides are divided by their length first.

    Returns:
      labels int64 [n] and squared Euclidean distances float32 [n], of directions for "cosine": 2 (1 - cos).

    Raises:
      KMeansError: the shapes do not fit each other, or the metric is not known.
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
    return _assign(points, tf.cast(centroids, tf.float64), metric == "cosine")


@tf.function(reduce_retracing=True, autograph=False)
def _assign(points: tf.Tensor, centroids: tf.Tensor, spherical: bool) -> tuple[tf.Tensor, tf.Tensor]:
    origin = tf.reduce_mean(centroids, axis=0)

    def enter(rows: tf.Tensor) -> tf.Tensor:
        exact = tf.cast(rows, tf.float64)
        return directions(exact) if spherical else exact - origin

    entered = enter(centroids)

    def compare(part: slice) -> tuple[tf.Tensor, tf.Tensor]:
        labels, squared = nearest(enter(points[part]), entered)
        return labels, tf.cast(squared, tf.float32)

    n, k = tf.shape(points)[0], tf.shape(centroids)[0]
    labels, squared = in_blocks(compare, n, k, (tf.int64, tf.float32))
    return labels, squared


def directions(points: tf.Tensor) -> tf.Tensor:
    """Points [n, d] divided by their Euclidean length; what has none stays where it is."""
    # Divided by the largest value first, or squares of tiny values vanish.
    scaled = tf.math.divide_no_nan(points, tf.reduce_max(tf.abs(points), axis=1, keepdims=True))
    return tf.math.divide_no_nan(scaled, tf.norm(scaled, axis=1, keepdims=True))
