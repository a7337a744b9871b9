"""Clipping, imputation and normalization of all numeric columns at once.

The columns are stacked so that one analyzer serves them all: the cost of a TFT analysis grows with the number
of analyzers, not of columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

from configs.preparation import ClipOptions, NumericOptions
from transforms.quantiles import landmarks, normal_score, quantile, uniform_rank

_NO_SPREAD = 1e-9
_BY_QUANTILES = ("quantile_uniform", "quantile_normal")
_INFINITY = float("inf")


def signed_log1p(x: tf.Tensor) -> tf.Tensor:
    """sign(x) * log(1 + |x|): log1p where x >= 0, odd around 0."""
    return tf.sign(x) * tf.math.log1p(tf.abs(x))


def normalize(stack: tf.Tensor, options: Sequence[NumericOptions]) -> tf.Tensor:
    """Clips, imputes and normalizes.

    Args:
      stack: float64 [batch, m], one column per option, NaN where missing.
      options: how each column is prepared.

    Returns:
      float32 [batch, m] without NaN. A constant column becomes constant (it cannot tell customers apart), whatever is
      served later, and so does a column without any value: 0, or the lower end of `range`. Weights are not applied
      here.
    """
    low, high = _fixed_bounds(options)
    logged = tf.constant([o.log1p for o in options])
    bounded = _between(stack, low, high)
    x = tf.where(logged, signed_log1p(bounded), bounded)
    quantiles = _quantiles(x, options)
    if quantiles is not None:
        x = _between(x, quantiles.low, quantiles.high)
    moments = _Moments(x)
    fill = _fill_values(options, moments, quantiles)
    filled = tf.where(tf.math.is_nan(x), fill, x)
    scaled = _scaled(filled, x, options, moments, quantiles)
    ranked = [i for i, o in enumerate(options) if o.normalize in _BY_QUANTILES]
    if ranked and quantiles is not None:
        # Side by side, then each column from where it was made.
        both = tf.concat([scaled, _ranked(filled, ranked, options, quantiles)], axis=1)
        places = [len(options) + ranked.index(i) if i in ranked else i for i in range(len(options))]
        scaled = tf.gather(both, places, axis=1)
    return tf.cast(tf.where(tf.math.is_finite(scaled), scaled, 0.0), tf.float32)


class _Moments:
    """Mean and standard deviation of each column, float64 [m], each analyzed once and only where asked for."""

    def __init__(self, x: tf.Tensor):
        self._x = x
        self._mean: tf.Tensor | None = None
        self._deviation: tf.Tensor | None = None

    @property
    def mean(self) -> tf.Tensor:
        if self._mean is None:
            self._mean = tft.mean(self._x, reduce_instance_dims=False, name="mean", output_dtype=tf.float64)
        return self._mean

    @property
    def deviation(self) -> tf.Tensor:
        if self._deviation is None:
            variance = tft.var(self._x, reduce_instance_dims=False, name="variance", output_dtype=tf.float64)
            deviation = tf.sqrt(variance)
            # The mean of equal values may be a rounding error away from them: a spread of that size is none.
            self._deviation = tf.where(deviation > _NO_SPREAD * tf.abs(self.mean), deviation, 0.0)
        return self._deviation


class _Quantiles:
    """The quantiles of those columns that need them.

    Attributes:
      columns: which of the m columns they are.
      table: their landmarks, float64 [len(columns), STEPS + 1].
      low, high: where each of the m columns is clipped, float64 [m]; infinite where it is not.
    """

    def __init__(self, x: tf.Tensor, columns: list[int], options: Sequence[NumericOptions]):
        self.columns = columns
        self.table = landmarks(tf.gather(x, columns, axis=1), "quantiles")
        self._total = len(options)
        clips = [o.clip.quantiles if isinstance(o.clip, ClipOptions) else None for o in options]
        clipped = tf.constant([clip is not None for clip in clips])
        low, high = (
            self._everywhere(quantile(self.table, [(clips[c] or (0.0, 1.0))[side] for c in columns]))
            for side in (0, 1)
        )
        infinity = tf.constant(_INFINITY, tf.float64)
        self.low = tf.where(clipped, low, -infinity)
        self.high = tf.where(clipped, high, infinity)

    def at(self, share: float) -> tf.Tensor:
        """A quantile of each column as clipped, float64 [m]; of no meaning where none was asked for."""
        # Clipping keeps the order, so the clipped quantiles are the quantiles of what is clipped.
        value = self._everywhere(quantile(self.table, [share] * len(self.columns)))
        return _between(value, self.low, self.high)

    def _everywhere(self, values: tf.Tensor) -> tf.Tensor:
        return tf.scatter_nd([[c] for c in self.columns], values, [self._total])


def _quantiles(x: tf.Tensor, options: Sequence[NumericOptions]) -> _Quantiles | None:
    columns = [
        i
        for i, o in enumerate(options)
        if o.normalize in ("robust", *_BY_QUANTILES)
        or o.impute == "median"
        or (isinstance(o.clip, ClipOptions) and o.clip.quantiles)
    ]
    return _Quantiles(x, columns, options) if columns else None


def _fixed_bounds(options: Sequence[NumericOptions]) -> tuple[tf.Tensor, tf.Tensor]:
    clips = [o.clip if isinstance(o.clip, ClipOptions) else None for o in options]
    low = [-_INFINITY if c is None or c.min is None else c.min for c in clips]
    high = [_INFINITY if c is None or c.max is None else c.max for c in clips]
    return tf.constant(low, tf.float64), tf.constant(high, tf.float64)


def _between(x: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    # Comparisons with NaN are false: what is missing stays so.
    x = tf.where(x < low, low, x)
    return tf.where(x > high, high, x)


def _fill_values(
    options: Sequence[NumericOptions], moments: _Moments, quantiles: _Quantiles | None
) -> tf.Tensor:
    """What stands for a missing value, per column: float64 [m], on the scale after clip and log1p."""
    constants = [float(o.impute) if isinstance(o.impute, float) else 0.0 for o in options]
    constant = tf.constant(constants, tf.float64)
    fill = tf.where(tf.constant([o.log1p for o in options]), signed_log1p(constant), constant)
    if any(o.impute == "mean" for o in options):
        fill = tf.where(tf.constant([o.impute == "mean" for o in options]), moments.mean, fill)
    if quantiles is not None and any(o.impute == "median" for o in options):
        fill = tf.where(tf.constant([o.impute == "median" for o in options]), quantiles.at(0.5), fill)
    return fill


def _scaled(
    filled: tf.Tensor,
    x: tf.Tensor,
    options: Sequence[NumericOptions],
    moments: _Moments,
    quantiles: _Quantiles | None,
) -> tf.Tensor:
    """(filled - center) / spread, then to where the column's minimum goes: float64 [batch, m]."""
    chosen = [o.normalize for o in options]
    center = tf.zeros([len(options)], tf.float64)
    spread = tf.ones([len(options)], tf.float64)
    if "zscore" in chosen:
        this = tf.constant([c == "zscore" for c in chosen])
        center = tf.where(this, moments.mean, center)
        spread = tf.where(this, moments.deviation, spread)
    if "robust" in chosen and quantiles is not None:
        this = tf.constant([c == "robust" for c in chosen])
        between = quantiles.at(0.75) - quantiles.at(0.25)
        # Where half of the customers have the same value it may be none, though others differ.
        between = tf.where(between > 0, between, moments.deviation)
        center = tf.where(this, quantiles.at(0.5), center)
        spread = tf.where(this, between, spread)
    if "minmax" in chosen:
        this = tf.constant([c == "minmax" for c in chosen])
        missing = tf.math.is_nan(x)
        infinity = tf.constant(_INFINITY, tf.float64)
        low = tft.min(tf.where(missing, infinity, x), reduce_instance_dims=False, name="minimum")
        high = tft.max(tf.where(missing, -infinity, x), reduce_instance_dims=False, name="maximum")
        center = tf.where(this, low, center)
        spread = tf.where(this, high - low, spread)
    scaled = tf.math.divide_no_nan(filled - center, spread)
    if any(o.range for o in options):
        intervals = [o.interval if o.normalize == "minmax" else (0.0, 1.0) for o in options]
        lower = tf.constant([low for low, _ in intervals], tf.float64)
        width = tf.constant([high - low for low, high in intervals], tf.float64)
        scaled = lower + width * tf.where(tf.math.is_finite(scaled), scaled, 0.0)
    return scaled


def _ranked(
    filled: tf.Tensor, ranked: list[int], options: Sequence[NumericOptions], quantiles: _Quantiles
) -> tf.Tensor:
    """Ranks, or the normal scores of ranks, of the columns `ranked`: float64 [batch, len(ranked)]."""
    table = tf.gather(quantiles.table, [quantiles.columns.index(i) for i in ranked])
    low, high = (tf.gather(bound, ranked)[:, tf.newaxis] for bound in (quantiles.low, quantiles.high))
    table = _between(table, low, high)
    rank = uniform_rank(tf.gather(filled, ranked, axis=1), table)
    normal = tf.constant([options[i].normalize == "quantile_normal" for i in ranked])
    values = tf.where(normal, normal_score(rank), rank)
    return tf.where(table[:, -1] > table[:, 0], values, 0.0)
