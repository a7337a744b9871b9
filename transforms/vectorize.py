"""Transformed features -> one vector per customer: the last step before distances are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from transforms.encoding import MISSING, UNSEEN
from transforms.plan import FeaturePlan
from transforms.preprocessing import NUMERIC_OUTPUT, index_output


@dataclass(frozen=True)
class VectorLayout:
    """What each coordinate of a customer's vector means.

    The numeric and ordinal columns come first, one coordinate each. Then each one-hot column has a block of
    one coordinate per category of its vocabulary, one for any other category, and one for missing: a block of
    a column with category shares p has variance 1 - sum(p^2) <= 1, so that a column of categories weighs at
    most like a standardized number. Weights multiply a column's coordinates.
    """

    plan: FeaturePlan
    vocabularies: Mapping[str, Sequence[str]]

    @property
    def names(self) -> list[str]:
        """A name per coordinate: `income`, `country=UK`, `country=(other)`, `country=(missing)`."""
        names = [f.name for f in self.plan.scalars]
        for feature in self.plan.one_hot:
            values = [*self.vocabularies[feature.name], "(other)", "(missing)"]
            names.extend(f"{feature.name}={value}" for value in values)
        return names

    def vectorize(self, transformed: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Transform's outputs (see `preprocessing_fn`) -> float32 [batch, len(names)]."""
        blocks: list[tf.Tensor] = []
        if self.plan.scalars:
            weights = tf.constant([f.options.weight for f in self.plan.scalars], tf.float32)
            blocks.append(transformed[NUMERIC_OUTPUT] * weights)
        for feature in self.plan.one_hot:
            size = len(self.vocabularies[feature.name])
            index = transformed[index_output(feature.name)]
            index = tf.where(index == UNSEEN, tf.constant(size, tf.int64), index)
            index = tf.where(index == MISSING, tf.constant(size + 1, tf.int64), index)
            blocks.append(tf.one_hot(index, size + 2, on_value=feature.options.weight, dtype=tf.float32))
        return tf.concat(blocks, axis=1)
