"""Columns that become several coordinates, and the scale that makes each weigh like one number.

A block of coordinates X contributes E|X - X'|^2 = 2 sum_j var(X_j) to the expected squared distance between two
customers drawn at random; a standardized number contributes 2. So each block is divided by the square root of its
total variance over the training data. Weighing every attribute by the inverse of its average dissimilarity gives them
equal influence: Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2nd edition, section 14.3.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import tensorflow as tf
import tensorflow_transform as tft

from transforms.embedding import embed
from transforms.encoding import (
    bucket_index,
    circle_point,
    item_places,
    place,
    text_as_number,
    vocabulary_index,
)
from transforms.inputs import Raw, categories, numbers
from transforms.plan import BlockFeature, FeaturePlan

SCALES_OUTPUT = "scales"

# Below this total variance a block is constant: one customer in 1e9 that differs would still be told apart.
_NO_VARIANCE = 1e-9


def index_output(feature: str) -> str:
    """The transformed feature that holds the category indices of a raw feature."""
    return f"index_{feature}"


def block_output(feature: str) -> str:
    """The transformed feature that holds the unscaled coordinates of a raw feature."""
    return f"block_{feature}"


@dataclass(frozen=True)
class _Counted:
    """A column's places among all that are counted: `start` and `width`, and its places or memberships."""

    start: int
    width: int
    places: tf.Tensor


class Counts:
    """How many customers of the training data are in each place of each column: one analyzer for all columns."""

    def __init__(self) -> None:
        self._batches: list[tf.Tensor] = []
        self._width = 1  # Of the first place, in which every customer is.
        self._rows: tf.Tensor | None = None
        self._totals: tf.Tensor | None = None

    def add(self, index: tf.Tensor, size: int) -> _Counted:
        """Counts a column of indices int64 [batch] (see `encoding.place`) into `size` categories."""
        places = place(index, size)
        self._batches.append(tf.math.unsorted_segment_sum(tf.ones_like(places, tf.float64), places, size + 2))
        return self._added(places, size + 2)

    def add_memberships(self, memberships: tf.Tensor) -> _Counted:
        """Counts places that a customer is in several of, float32 [batch, width] of 0 and 1."""
        self._batches.append(tf.reduce_sum(tf.cast(memberships, tf.float64), axis=0))
        return self._added(memberships, int(memberships.shape[1]))

    def _added(self, places: tf.Tensor, width: int) -> _Counted:
        self._rows = tf.cast(tf.shape(places)[:1], tf.float64)
        counted = _Counted(self._width, width, places)
        self._width += width
        return counted

    def shares(self, counted: _Counted) -> tf.Tensor:
        """The share of the customers in each place of a column, float64 [width]."""
        if self._totals is None:
            # A row per batch: batches are summed, whatever they hold.
            batch = tf.concat([self._rows, *self._batches], axis=0)[tf.newaxis]
            self._totals = tft.sum(batch, reduce_instance_dims=False, name="counts")
        own = self._totals[counted.start : counted.start + counted.width]
        return tf.math.divide_no_nan(own, self._totals[0])

    def share(self, counted: _Counted) -> tf.Tensor:
        """Of a column of indices: the share of the customers in the same place as each, float64 [batch].

        Those outside the vocabulary have no share in common: theirs is 0.
        """
        shares = self.shares(counted)
        known = tf.concat([shares[:-2], tf.zeros([1], tf.float64), shares[-1:]], axis=0)
        return tf.gather(known, counted.places)


def encode_blocks(plan: FeaturePlan, inputs: Mapping[str, Raw], counts: Counts) -> dict[str, tf.Tensor]:
    """Encodes every block of a plan, each column on its own.

    Args:
      plan: the features.
      inputs: raw columns.
      counts: further columns may have been added to it, but none asked for.

    Returns:
      Per one-hot or hashed column `index_<name>` int64 [batch], with `UNSEEN` and `MISSING`; per multi-hot, cyclic or
      embedded column `block_<name>` float32 [batch, width]; and `scales` float32 [batch, blocks]: what to multiply
      each block with, weights included, the same for every customer. Nothing where there are no blocks.
    """
    outputs: dict[str, tf.Tensor] = {}
    counted: dict[str, _Counted] = {}
    points: dict[str, tf.Tensor] = {}
    for feature in plan.blocks:
        name, options = feature.name, feature.options
        if options.encode == "hashed":
            index = bucket_index(categories(inputs[name]), options.buckets or 0)
            counted[name] = counts.add(index, options.buckets or 0)
            outputs[index_output(name)] = index
        elif options.encode == "multi_hot":
            block = item_places(
                categories(inputs[name]), options.separator or ",", name, options.most_categories
            )
            counted[name] = counts.add_memberships(block)
            outputs[block_output(name)] = block
        elif options.encode in ("cyclic", "embedding"):
            points[name] = _point(feature, inputs[name])
        else:
            index = vocabulary_index(categories(inputs[name]), name, options.most_categories)
            counted[name] = counts.add(index, options.most_categories)
            outputs[index_output(name)] = index
    filled, variances = _points(points)
    outputs.update({block_output(name): block for name, block in filled.items()})
    for name, own in counted.items():
        share = counts.shares(own)
        variances[name] = tf.reduce_sum(share * (1 - share))
    if plan.blocks:
        scales = [_scale(variances[f.name], f.options.weight) for f in plan.blocks]
        anything = next(iter(outputs.values()))
        outputs[SCALES_OUTPUT] = tf.tile(tf.stack(scales)[tf.newaxis], [tf.shape(anything)[0], 1])
    return outputs


def _point(feature: BlockFeature, raw: Raw) -> tf.Tensor:
    """A cyclic or embedded column as points, float64 [batch, width]; NaN where there is none."""
    options = feature.options
    if options.encode == "embedding":
        return embed(categories(raw), options.model or "", feature.name)
    value = text_as_number(categories(raw)) if raw.dtype == tf.string else numbers([raw])[:, 0]
    return circle_point(value, options.period or 1.0, options.start or 0.0)


def _points(points: Mapping[str, tf.Tensor]) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Points with the mean of the training data where there is none, float32 [batch, width]; and total variances."""
    if not points:
        return {}, {}
    stack = tf.concat(list(points.values()), axis=1)
    mean = tft.mean(stack, reduce_instance_dims=False, name="points_mean", output_dtype=tf.float64)
    variance = tft.var(stack, reduce_instance_dims=False, name="points_variance", output_dtype=tf.float64)
    mean = tf.where(tf.math.is_finite(mean), mean, 0.0)
    filled = tf.cast(tf.where(tf.math.is_nan(stack), mean, stack), tf.float32)
    sizes = [int(block.shape[1]) for block in points.values()]
    blocks = dict(zip(points, tf.split(filled, sizes, axis=1), strict=True))
    totals = [tf.reduce_sum(part) for part in tf.split(variance, sizes)]
    return blocks, dict(zip(points, totals, strict=True))


def _scale(variance: tf.Tensor, weight: float) -> tf.Tensor:
    varies = variance > _NO_VARIANCE
    scale = tf.where(varies, tf.math.rsqrt(tf.where(varies, variance, 1.0)), 0.0)
    return tf.cast(scale * weight, tf.float32)
