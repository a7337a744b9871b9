"""Imputation and normalization of all numeric columns at once.

The columns are stacked so that one analyzer serves them all: the cost of a TFT analysis grows with the number
of analyzers, not of columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from configs.features import NumericOptions

_NO_SPREAD = 1e-9


def signed_log1p(x: tf.Tensor) -> tf.Tensor:
    """sign(x) * log(1 + |x|): log1p where x >= 0, odd around 0."""
    return tf.sign(x) * tf.math.log1p(tf.abs(x))


def normalize(stack: tf.Tensor, options: Sequence[NumericOptions]) -> tf.Tensor:
    """Imputes and normalizes.

    Args:
      stack: float64 [batch, m], one column per option, NaN where missing.
      options: how each column is prepared.

    Returns:
      float32 [batch, m] without NaN. A constant column becomes 0 (it cannot tell customers apart), and so
      does a column without any value. Weights are not applied here.
    """
    logged = tf.constant([o.log1p for o in options])
    x = tf.where(logged, signed_log1p(stack), stack)
    center, spread = _center_and_spread(x, options)
    fill = _fill_values(x, options, center)
    filled = tf.where(tf.math.is_nan(x), fill, x)
    # The mean of equal values may be a rounding error away from them: a spread of that size is none.
    spread = tf.where(spread > _NO_SPREAD * tf.abs(center), spread, 0.0)
    scaled = tf.math.divide_no_nan(filled - center, spread)
    return tf.cast(tf.where(tf.math.is_finite(scaled), scaled, 0.0), tf.float32)


def _center_and_spread(x: tf.Tensor, options: Sequence[NumericOptions]) -> tuple[tf.Tensor, tf.Tensor]:
    """Per column: mean and standard deviation, minimum and range, or 0 and 1; float64 [m] each."""
    chosen = [o.normalize for o in options]
    center = tf.zeros([len(options)], tf.float64)
    spread = tf.ones([len(options)], tf.float64)
    if "zscore" in chosen:
        this = tf.constant([c == "zscore" for c in chosen])
        mean = tft.mean(x, reduce_instance_dims=False, name="mean", output_dtype=tf.float64)
        variance = tft.var(x, reduce_instance_dims=False, name="variance", output_dtype=tf.float64)
        center = tf.where(this, mean, center)
        spread = tf.where(this, tf.sqrt(variance), spread)
    if "minmax" in chosen:
        this = tf.constant([c == "minmax" for c in chosen])
        missing = tf.math.is_nan(x)
        infinity = tf.constant(float("inf"), tf.float64)
        low = tft.min(tf.where(missing, infinity, x), reduce_instance_dims=False, name="minimum")
        high = tft.max(tf.where(missing, -infinity, x), reduce_instance_dims=False, name="maximum")
        center = tf.where(this, low, center)
        spread = tf.where(this, high - low, spread)
    return center, spread


def _fill_values(x: tf.Tensor, options: Sequence[NumericOptions], center: tf.Tensor) -> tf.Tensor:
    """What stands for a missing value, per column: float64 [m], on the scale of x."""
    constants = [float(o.impute) if isinstance(o.impute, float) else 0.0 for o in options]
    logged = tf.constant([o.log1p for o in options])
    constant = tf.constant(constants, tf.float64)
    fill = tf.where(logged, signed_log1p(constant), constant)
    by_mean = [o.impute == "mean" for o in options]
    if any(by_mean):
        # Where the column is standardized, its center is its mean already.
        if all(o.normalize == "zscore" for o, m in zip(options, by_mean, strict=True) if m):
            mean = center
        else:
            mean = tft.mean(x, reduce_instance_dims=False, name="fill_mean", output_dtype=tf.float64)
        fill = tf.where(tf.constant(by_mean), mean, fill)
    for column, option in enumerate(options):
        if option.impute == "median":
            present = tf.boolean_mask(x[:, column], tf.math.is_finite(x[:, column]))
            # Quantiles are sketched in float32: 0.1 % of the rows is far below what a median needs.
            median = tft.quantiles(tf.cast(present, tf.float32), 2, epsilon=0.001, name=f"median_{column}")
            value = tf.cast(tf.reshape(median, [-1])[0], tf.float64)
            here = tf.one_hot(column, len(options), on_value=True, off_value=False)
            fill = tf.where(here, value, fill)
    return fill
