"""Raw features as dense vectors with a defined place for what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Union

import tensorflow as tf

Raw = Union[tf.Tensor, tf.SparseTensor]


def numbers(columns: Sequence[Raw]) -> tf.Tensor:
    """Raw numeric features side by side, float64 [batch, columns]; missing and infinite values are NaN."""
    missing = tf.constant(float("nan"), tf.float64)
    stack = tf.concat(
        [_first_values(raw, lambda v: tf.cast(v, tf.float64), missing) for raw in columns], axis=1
    )
    return tf.where(tf.math.is_finite(stack), stack, missing)


def categories(raw: Raw) -> tf.Tensor:
    """A raw feature as text, string [batch]; missing values are ''. Numbers are written without a fraction."""
    return tf.squeeze(_first_values(raw, _as_text, tf.constant("")), axis=1)


def _as_text(values: tf.Tensor) -> tf.Tensor:
    if values.dtype == tf.string:
        return values
    if values.dtype.is_floating:
        whole = tf.equal(values, tf.round(values))
        return tf.where(
            whole,
            tf.strings.as_string(tf.cast(values, tf.int64)),
            tf.strings.as_string(values, shortest=True),
        )
    return tf.strings.as_string(values)


def _first_values(raw: Raw, convert: Callable[[tf.Tensor], tf.Tensor], default: tf.Tensor) -> tf.Tensor:
    """The converted first value of each row, [batch, 1]: a customer has one value per column."""
    # Few operations on purpose: TFT traces this graph half a dozen times, and runs it for every batch.
    if not isinstance(raw, tf.SparseTensor):
        return tf.reshape(convert(raw), [-1, 1])
    first = tf.sparse.slice(raw, [0, 0], tf.stack([raw.dense_shape[0], 1]))
    converted = tf.SparseTensor(first.indices, convert(first.values), tf.stack([raw.dense_shape[0], 1]))
    dense = tf.sparse.to_dense(converted, default, validate_indices=False)
    return tf.ensure_shape(dense, [None, 1])


def sparse_column(dense: tf.Tensor, dtype: tf.DType) -> tf.SparseTensor:
    """The inverse: a dense [batch] (NaN or '' where missing) as the sparse [batch, 1] that the schema speaks."""
    present = tf.not_equal(dense, "") if dense.dtype == tf.string else tf.math.is_finite(dense)
    rows = tf.where(present)
    values = tf.boolean_mask(dense, present)
    if values.dtype != dtype:
        values = tf.cast(values, dtype)
    shape = tf.stack([tf.shape(dense, out_type=tf.int64)[0], tf.constant(1, tf.int64)])
    return tf.SparseTensor(tf.concat([rows, tf.zeros_like(rows)], axis=1), values, shape)
