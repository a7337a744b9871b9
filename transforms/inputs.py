"""Raw features as dense vectors with a defined place for what is missing."""

from __future__ import annotations

from typing import Union

import tensorflow as tf

Raw = Union[tf.Tensor, tf.SparseTensor]


def numbers(raw: Raw) -> tf.Tensor:
    """A raw numeric feature as float64 [batch]; missing and infinite values are NaN."""
    if isinstance(raw, tf.SparseTensor):
        values = tf.cast(raw.values, tf.float64)
        dense = _first_values(raw, values, tf.constant(float("nan"), tf.float64))
    else:
        dense = tf.reshape(tf.cast(raw, tf.float64), [-1])
    return tf.where(tf.math.is_finite(dense), dense, tf.constant(float("nan"), tf.float64))


def categories(raw: Raw) -> tf.Tensor:
    """A raw feature as text, string [batch]; missing values are ''. Numbers are written without a fraction."""
    if isinstance(raw, tf.SparseTensor):
        return _first_values(raw, _as_text(raw.values), tf.constant(""))
    return tf.reshape(_as_text(raw), [-1])


def _as_text(values: tf.Tensor) -> tf.Tensor:
    if values.dtype == tf.string:
        return values
    if values.dtype.is_floating:
        whole = tf.equal(values, tf.round(values))
        return tf.where(
            whole, tf.strings.as_string(tf.cast(values, tf.int64)), tf.strings.as_string(values, shortest=True)
        )
    return tf.strings.as_string(values)


def _first_values(sparse: tf.SparseTensor, values: tf.Tensor, default: tf.Tensor) -> tf.Tensor:
    # A customer has one value per column: only column 0 of the sparse matrix is looked at.
    first = tf.equal(sparse.indices[:, 1], 0)
    rows = tf.boolean_mask(sparse.indices[:, :1], first)
    dense = tf.fill(sparse.dense_shape[:1], default)
    return tf.tensor_scatter_nd_update(dense, rows, tf.boolean_mask(values, first))


def sparse_column(dense: tf.Tensor, dtype: tf.DType) -> tf.SparseTensor:
    """The inverse: a dense [batch] (NaN or '' where missing) as the sparse [batch, 1] that the schema speaks."""
    present = tf.not_equal(dense, "") if dense.dtype == tf.string else tf.math.is_finite(dense)
    rows = tf.where(present)
    values = tf.boolean_mask(dense, present)
    if values.dtype != dtype:
        values = tf.cast(values, dtype)
    shape = tf.stack([tf.shape(dense, out_type=tf.int64)[0], tf.constant(1, tf.int64)])
    return tf.SparseTensor(tf.concat([rows, tf.zeros_like(rows)], axis=1), values, shape)
