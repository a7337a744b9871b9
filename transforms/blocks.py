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
from transforms.encoding import bucket_index, circle_point, items_of, memberships, place, text_as_number
from transforms.inputs import Raw, categories, numbers
from transforms.plan import BlockFeature, FeaturePlan
from transforms.vocabulary import look_up

SCALES_OUTPUT = "scales"
WORDS_OUTPUT = "words"

# Below this total variance a block is constant: one customer in 1e9 that differs would still be told apart.
_NO_VARIANCE = 1e-9


def index_output(feature: str) -> str:
    """The transformed feature that holds the category indices of a raw feature."""
    return f"index_{feature}"


def block_output(feature: str) -> str:
    """The transformed feature that holds the unscaled coordinates of a raw feature."""
    return f"block_{feature}"


@dataclass(frozen=True)
class Encoded:
    """The columns that are no numbers.

    outputs: of `preprocessing_fn`. shares: frequency column -> float64 [batch]: the share of the training customers
    that have the same category, or miss it as well; 0 of a category outside the vocabulary.
    """

    outputs: Mapping[str, tf.Tensor]
    shares: Mapping[str, tf.Tensor]


def encode(plan: FeaturePlan, inputs: Mapping[str, Raw]) -> Encoded:
    """Encodes every column with a vocabulary, and every block.

    `outputs` are per one-hot or hashed column `index_<name>` int64 [batch], with `UNSEEN` and `MISSING`; per multi-hot,
    cyclic or embedded column `block_<name>` float32 [batch, width]; and, the same for every customer, `scales` float32
    [batch, blocks], what to multiply each block with, weights included, and `words` string [batch, n], the vocabularies
    of `plan.with_vocabulary`. What there is nothing for is not there.
    """
    outputs: dict[str, tf.Tensor] = {}
    counted: dict[str, tf.Tensor] = {}
    variances: dict[str, tf.Tensor] = {}
    shares: dict[str, tf.Tensor] = {}
    texts = {f.name: categories(inputs[f.name]) for f in plan.with_vocabulary}
    lists = {f.name: items_of(texts[f.name], f.options.separator or ",") for f in plan.blocks
             if f.options.encode == "multi_hot"}  # fmt: skip
    if texts:
        found = look_up(
            {
                f.name: (
                    lists[f.name].values if f.name in lists else texts[f.name],
                    f.options.most_categories,
                )
                for f in plan.with_vocabulary
            }
        )
        outputs[WORDS_OUTPUT] = _for_each(texts, found.words)
        for feature in plan.with_vocabulary:
            name, size = feature.name, feature.options.most_categories
            index, share = found.index[name], found.shares[name]
            if feature.options.encode == "frequency":
                # Those outside the vocabulary have no share in common.
                known = tf.concat([share[:-2], tf.zeros([1], tf.float64), share[-1:]], axis=0)
                shares[name] = tf.gather(known, place(index, size))
            elif name in lists:
                outputs[block_output(name)] = block = memberships(lists[name], index, size)
                counted[name] = block
            else:
                outputs[index_output(name)] = index
                variances[name] = _variance(share)
    points: dict[str, tf.Tensor] = {}
    for feature in plan.blocks:
        name, options = feature.name, feature.options
        if options.encode == "hashed":
            index = bucket_index(categories(inputs[name]), options.buckets or 0)
            outputs[index_output(name)] = index
            counted[name] = tf.one_hot(place(index, options.buckets or 0), (options.buckets or 0) + 2)
        elif options.encode in ("cyclic", "embedding"):
            points[name] = _point(feature, inputs[name])
    filled, spreads = _points(points)
    outputs.update({block_output(name): block for name, block in filled.items()})
    variances |= spreads | _counted_variances(counted)
    if plan.blocks:
        scales = tf.stack([_scale(variances[f.name], f.options.weight) for f in plan.blocks])
        outputs[SCALES_OUTPUT] = _for_each(outputs, scales)
    return Encoded(outputs, shares)


def _for_each(columns: Mapping[str, tf.Tensor], row: tf.Tensor) -> tf.Tensor:
    """A row [n] for every customer of a batch, [batch, n]."""
    anything = next(iter(columns.values()))
    return tf.tile(row[tf.newaxis], [tf.shape(anything)[0], 1])


def _counted_variances(counted: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """The total variance of each block of places, float32 [batch, width] of 0 and 1, by one analyzer for all."""
    if not counted:
        return {}
    blocks = list(counted.values())
    rows = tf.cast(tf.shape(blocks[0])[:1], tf.float64)
    # A row per batch: batches are summed, whatever they hold.
    batch = [rows, *(tf.reduce_sum(tf.cast(block, tf.float64), axis=0) for block in blocks)]
    totals = tft.sum(tf.concat(batch, axis=0)[tf.newaxis], reduce_instance_dims=False, name="counts")
    shares = tf.math.divide_no_nan(totals[1:], totals[0])
    parts = tf.split(shares, [int(block.shape[1]) for block in blocks])
    return {name: _variance(part) for name, part in zip(counted, parts, strict=True)}


def _variance(shares: tf.Tensor) -> tf.Tensor:
    """The total variance of coordinates that are 1 for these shares of the customers, and else 0."""
    return tf.reduce_sum(shares * (1 - shares))


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
