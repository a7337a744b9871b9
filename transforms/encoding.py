"""Categories as numbers: ranks of a given order, or indices into a learned vocabulary."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import tensorflow as tf
import tensorflow_transform as tft

UNSEEN = -1
MISSING = -2


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
