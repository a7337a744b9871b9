"""Categories as numbers: ranks, places, buckets, sets of items, points on a circle."""

from __future__ import annotations

import math
from collections.abc import Sequence

import tensorflow as tf

from transforms.vocabulary import MISSING, UNSEEN

_NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"


def ordinal_rank(values: tf.Tensor, order: Sequence[str]) -> tf.Tensor:
    """The rank (0, 1, ...) of each category as float64 [batch]; NaN where it is missing or not in `order`."""
    # A comparison with each category: a lookup table would be initialized again at every call of the graph.
    matches = tf.cast(tf.equal(values[:, tf.newaxis], tf.constant(list(order))), tf.float64)
    rank = tf.linalg.matvec(matches, tf.range(len(order), dtype=tf.float64))
    known = tf.reduce_sum(matches, axis=1) > 0
    return tf.where(known, rank, tf.constant(float("nan"), tf.float64))


def bucket_index(values: tf.Tensor, buckets: int) -> tf.Tensor:
    """The bucket of each category, int64 [batch]: its FarmHash64 fingerprint modulo `buckets`; `MISSING` for ''.

    The fingerprint is the same on every platform and in every version.
    """
    index = tf.strings.to_hash_bucket_fast(values, buckets)
    return tf.where(tf.equal(values, ""), tf.constant(MISSING, tf.int64), index)


def place(index: tf.Tensor, size: int) -> tf.Tensor:
    """Indices as places 0 to size + 1: those of `size` categories, then of others (`UNSEEN`), then of missing."""
    index = tf.where(index == UNSEEN, tf.constant(size, tf.int64), index)
    return tf.where(index == MISSING, tf.constant(size + 1, tf.int64), index)


def items_of(values: tf.Tensor, separator: str) -> tf.RaggedTensor:
    """The items of lists written as text, string [batch, (items)]: spaces around them cut off, empty ones left out."""
    items = tf.strings.strip(tf.strings.split(values, separator))
    return tf.ragged.boolean_mask(items, tf.not_equal(items, ""))


def memberships(items: tf.RaggedTensor, index: tf.Tensor, size: int) -> tf.Tensor:
    """Which items each list has, float32 [batch, size + 2] of 0 and 1; one that is there twice counts once.

    Args:
      items: of `items_of`.
      index: of each item in the vocabulary, int64 [all items].
      size: of the vocabulary at most.

    Returns:
      A place per item of the vocabulary (the last of them unused where it is smaller), one for any other item, and
      one for a list without items.
    """
    width = size + 2
    cells = items.value_rowids() * width + place(index, size)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cells, tf.float32), cells, items.nrows() * width)
    found = tf.minimum(tf.reshape(counts, [-1, width]), 1.0)
    none = tf.cast(tf.equal(items.row_lengths(), 0), tf.float32)
    return tf.concat([found[:, :-1], none[:, tf.newaxis]], axis=1)


def circle_point(value: tf.Tensor, period: float, start: float) -> tf.Tensor:
    """Sine and cosine of 2 pi (value - start) / period, float64 [batch, 2]; NaN where the value [batch] is."""
    angle = (value - start) * (2 * math.pi / period)
    return tf.stack([tf.sin(angle), tf.cos(angle)], axis=1)


def text_as_number(values: tf.Tensor) -> tf.Tensor:
    """Text as float64 [batch]; NaN where it is none."""
    is_number = tf.strings.regex_full_match(values, _NUMBER)
    return tf.strings.to_number(tf.where(is_number, tf.strings.strip(values), "nan"), tf.float64)
