"""Categories as numbers: ranks, shares, indices into a vocabulary, buckets, sets of items, points on a circle."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

UNSEEN = -1
MISSING = -2

_NUMBER = r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*"


def ordinal_rank(values: tf.Tensor, order: Sequence[str]) -> tf.Tensor:
    """The rank (0, 1, ...) of each category as float64 [batch]; NaN where it is missing or not in `order`."""
    # A comparison with each category: a lookup table would be initialized again at every call of the graph.
    matches = tf.cast(tf.equal(values[:, tf.newaxis], tf.constant(list(order))), tf.float64)
    rank = tf.linalg.matvec(matches, tf.range(len(order), dtype=tf.float64))
    known = tf.reduce_sum(matches, axis=1) > 0
    return tf.where(known, rank, tf.constant(float("nan"), tf.float64))


def vocabulary_name(feature: str) -> str:
    """The vocabulary file of a feature: readable, a valid file name, and unique even after cleaning."""
    clean = re.sub(r"[^A-Za-z0-9_]+", "_", feature)
    return f"categories_{clean}_{hashlib.sha256(feature.encode()).hexdigest()[:8]}"


def vocabulary_index(values: tf.Tensor, feature: str, max_categories: int) -> tf.Tensor:
    """The index of each category in the vocabulary of the most frequent ones.

    Args:
      values: string [batch], '' where missing.
      feature: names the vocabulary file.
      max_categories: size of the vocabulary at most.

    Returns:
      int64 [batch]; `UNSEEN` for a category outside the vocabulary, `MISSING` for ''.
    """
    present = tf.boolean_mask(values, tf.not_equal(values, ""))
    vocabulary = tft.vocabulary(present, top_k=max_categories, vocab_filename=vocabulary_name(feature))
    index = tft.apply_vocabulary(values, vocabulary, default_value=UNSEEN)
    return tf.where(tf.equal(values, ""), tf.constant(MISSING, tf.int64), index)


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


def item_places(values: tf.Tensor, separator: str, feature: str, max_categories: int) -> tf.Tensor:
    """Which items each list has, float32 [batch, max_categories + 2] of 0 and 1.

    Args:
      values: string [batch], items between separators; spaces around them are cut off, empty ones left out, and one
        that is there twice counts once.
      separator: text.
      feature: names the vocabulary file, of the most frequent items.
      max_categories: size of the vocabulary at most.

    Returns:
      A place per item of the vocabulary (the last of them unused where it is smaller), one for any other item, and
      one for a list without items.
    """
    items = tf.strings.strip(tf.strings.split(values, separator))
    items = tf.ragged.boolean_mask(items, tf.not_equal(items, ""))
    index = vocabulary_index(items.values, feature, max_categories)
    rows = tf.shape(values, out_type=tf.int64)[0]
    width = max_categories + 2
    cells = items.value_rowids() * width + place(index, max_categories)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(cells, tf.float32), cells, rows * width)
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
