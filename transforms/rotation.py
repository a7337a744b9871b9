"""Principal components of the numeric coordinates."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf
import tensorflow_transform as tft

from configs.preparation import PcaConfig

_NO_VARIANCE = 1e-9


@dataclass(frozen=True)
class Rotated:
    """The components of a batch.

    values: float32 [batch, c], `centered` times `matrix`. centered: float32 [batch, m], the coordinates less their
    mean. matrix: float32 [m, c]. kept: int64, how many of the components count; the others are 0.
    """

    values: tf.Tensor
    centered: tf.Tensor
    matrix: tf.Tensor
    kept: tf.Tensor


def rotate(x: tf.Tensor, config: PcaConfig) -> Rotated:
    """Projects coordinates onto the principal components of the training data.

    Args:
      x: float32 [batch, m] without NaN, the weighted coordinates.
      config: how many components (never more than m), and whether they are whitened.

    Components are in the order of falling variance; the largest entry of each is positive. Where a share of the
    variance is to be explained, it is the fewest components whose variances reach it. A whitened component has
    variance 1; one without variance is 0.
    """
    m = int(x.shape[1])
    wide = tf.cast(x, tf.float64)
    most = min(config.components, m) if isinstance(config.components, int) else m
    mean = tft.mean(wide, reduce_instance_dims=False, name="pca_mean", output_dtype=tf.float64)
    axes = tft.pca(wide, most, tf.float64, name="pca")
    covariance = tft.covariance(wide, tf.float64, name="pca_covariance")
    axes = tf.ensure_shape(axes, [m, most])
    # An axis and its opposite are equally good: one is chosen, so that the same data give the same coordinates.
    largest = tf.gather(axes, tf.argmax(tf.abs(axes), axis=0), axis=0)
    axes *= tf.sign(tf.linalg.diag_part(largest))
    variance = tf.maximum(
        tf.linalg.diag_part(tf.matmul(axes, tf.matmul(covariance, axes), transpose_a=True)), 0.0
    )
    total = tf.linalg.trace(covariance)
    counts = variance > _NO_VARIANCE * total
    if isinstance(config.components, float):
        # A component counts while those before it do not explain enough.
        before = tf.cumsum(variance, exclusive=True)
        counts &= before < (config.components - _NO_VARIANCE) * total
    scale = tf.cast(counts, tf.float64)
    if config.whiten:
        scale = tf.where(counts, tf.math.rsqrt(tf.where(counts, variance, 1.0)), 0.0)
    matrix = axes * scale
    centered = wide - mean
    return Rotated(
        tf.cast(tf.matmul(centered, matrix), tf.float32),
        tf.cast(centered, tf.float32),
        tf.cast(matrix, tf.float32),
        tf.reduce_sum(tf.cast(counts, tf.int64)),
    )
