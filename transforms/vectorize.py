"""Transformed features -> one vector per customer: the last step before distances are taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import tensorflow as tf

from transforms.blocks import SCALES_OUTPUT, block_output, index_output
from transforms.encoding import place
from transforms.plan import BlockFeature, FeaturePlan
from transforms.preprocessing import NUMERIC_OUTPUT

_OTHER, _MISSING = "(other)", "(missing)"


@dataclass(frozen=True)
class VectorLayout:
    """What each coordinate of a customer's vector means.

    The numeric, ordinal and frequency columns come first, one coordinate each, or their principal components. Then each
    other column has a block of coordinates, scaled to a total variance of 1 (`transforms.blocks` says why).

    plan: the features. vocabularies: the categories of each one-hot or multi-hot column. widths: the number of
    coordinates of each embedded column. components: how many principal components there are; None without.
    """

    plan: FeaturePlan
    vocabularies: Mapping[str, Sequence[str]]
    widths: Mapping[str, int]
    components: int | None = None

    @property
    def names(self) -> list[str]:
        """A name per coordinate: `income`, `country=UK`, `country=(other)`, `country=(missing)`."""
        if self.components is None:
            names = [f.name for f in self.plan.scalars]
        else:
            names = [f"component {number}" for number in range(1, self.components + 1)]
        return names + [name for feature in self.plan.blocks for name in self._block_names(feature)]

    @property
    def owners(self) -> list[str | None]:
        """The feature that each coordinate belongs to; None: all of `plan.scalars`."""
        owners: list[str | None] = [f.name for f in self.plan.scalars]
        if self.components is not None:
            owners = [None] * self.components
        for feature in self.plan.blocks:
            owners += [feature.name] * len(self._block_names(feature))
        return owners

    def _block_names(self, feature: BlockFeature) -> list[str]:
        name, options = feature.name, feature.options
        if options.encode == "cyclic":
            return [f"{name}: sine", f"{name}: cosine"]
        if options.encode == "embedding":
            return [f"{name}[{i}]" for i in range(self.widths[name])]
        if options.encode == "hashed":
            return [*(f"{name}#{i}" for i in range(options.buckets or 0)), f"{name}={_MISSING}"]
        return [f"{name}={value}" for value in (*self.vocabularies[name], _OTHER, _MISSING)]

    def vectorize(self, transformed: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """Transform's outputs (see `preprocessing_fn`) -> float32 [batch, len(names)]."""
        blocks: list[tf.Tensor] = []
        if self.plan.scalars:
            # Components that do not count are the last.
            blocks.append(transformed[NUMERIC_OUTPUT][:, : self.components])
        if self.plan.blocks:
            scales = tf.split(transformed[SCALES_OUTPUT], len(self.plan.blocks), axis=1)
            for feature, scale in zip(self.plan.blocks, scales, strict=True):
                blocks.append(self._block(feature, transformed) * scale)
        return tf.concat(blocks, axis=1)

    def _block(self, feature: BlockFeature, transformed: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """A column's coordinates before they are scaled, float32 [batch, width]."""
        name, options = feature.name, feature.options
        if options.encode in ("cyclic", "embedding"):
            return transformed[block_output(name)]
        if options.encode == "multi_hot":
            places = transformed[block_output(name)]
            # Places of a vocabulary that is smaller than it might be.
            return tf.concat([places[:, : len(self.vocabularies[name])], places[:, -2:]], axis=1)
        index = transformed[index_output(name)]
        if options.encode == "hashed":
            # Every category has a bucket, so there are no others.
            size = options.buckets or 0
            return tf.one_hot(tf.where(index < 0, tf.constant(size, tf.int64), index), size + 1)
        size = len(self.vocabularies[name])
        return tf.one_hot(place(index, size), size + 2)
