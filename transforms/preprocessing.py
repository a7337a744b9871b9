"""TFX Transform's `preprocessing_fn`, reached by import path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from configs.features import FeaturesConfig
from configs.selection import features_left
from transforms.blocks import encode
from transforms.encoding import ordinal_rank
from transforms.inputs import Raw, categories, numbers
from transforms.normalization import normalize
from transforms.plan import FeaturePlan, plan_features
from transforms.rotation import rotate

NUMERIC_OUTPUT = "numeric"
CENTERED_OUTPUT = "pca_centered"
MATRIX_OUTPUT = "pca_matrix"
KEPT_OUTPUT = "pca_kept"


def plan_from_dtypes(
    config: FeaturesConfig, dtypes: dict[str, tf.DType], id_column: str | None
) -> FeaturePlan:
    """The plan for raw features of these dtypes; see `plan_features`."""
    return plan_features(config, {name: dtype != tf.string for name, dtype in dtypes.items()}, id_column)


def preprocessing_fn(inputs: dict[str, Raw], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    """Imputes, normalizes and encodes.

    Args:
      inputs: raw features as the schema types them, sparse or dense.
      custom_config: `features` (JSON of `FeaturesConfig`), `id_column` (text or None), and `selected`: true where
        features were selected, so that columns which `features` names may be gone.

    Returns:
      `numeric` float32 [batch, m]: the weighted coordinates of numbers, ranks and shares, or their principal
      components; and what `transforms.blocks.encode` makes of the other columns. `transforms.vectorize` turns
      them into one vector per customer: the width of a one-hot block is known only after the analysis, when the graph
      is already fixed. With `features.pca` also, for whoever explains a customer, `pca_centered` float32 [batch, m],
      `pca_matrix` float32 [batch, m, c] and `pca_kept` int64 [batch]; the last two are the same for every customer.
    """
    # TFT would have AutoGraph look for control flow in all that this calls, for seconds; there is none to convert.
    return tf.autograph.experimental.do_not_convert(_preprocess)(inputs, custom_config)


def _preprocess(inputs: dict[str, Raw], custom_config: dict[str, Any]) -> dict[str, tf.Tensor]:
    config = FeaturesConfig.model_validate_json(custom_config["features"])
    if custom_config.get("selected"):
        config = features_left(config, inputs)
    dtypes = {name: raw.dtype for name, raw in inputs.items()}
    plan = plan_from_dtypes(config, dtypes, custom_config.get("id_column"))
    encoded = encode(plan, inputs)
    outputs = dict(encoded.outputs)
    if plan.scalars:
        outputs.update(_numeric(_normalized(plan, inputs, encoded.shares), plan, config))
    return outputs


def _normalized(plan: FeaturePlan, inputs: Mapping[str, Raw], shares: Mapping[str, tf.Tensor]) -> tf.Tensor:
    """The normalized columns of `plan.scalars`, float32 [batch, m]."""
    columns = [numbers([inputs[f.name] for f in plan.numeric])] if plan.numeric else []
    for ordinal in plan.ordinal:
        rank = ordinal_rank(categories(inputs[ordinal.name]), ordinal.options.order or [])
        columns.append(rank[:, tf.newaxis])
    known = len(plan.numeric) + len(plan.ordinal)
    # Shares are known only once categories are counted. Numbers do not wait for them: that would be a pass more.
    blocks = [normalize(tf.concat(columns, axis=1), plan.scaling[:known])] if columns else []
    if plan.frequency:
        stack = tf.stack([shares[f.name] for f in plan.frequency], axis=1)
        blocks.append(normalize(stack, plan.scaling[known:]))
    return tf.concat(blocks, axis=1)


def _numeric(normalized: tf.Tensor, plan: FeaturePlan, config: FeaturesConfig) -> Mapping[str, tf.Tensor]:
    weights = tf.constant([scaling.weight for scaling in plan.scaling], tf.float32)
    coordinates = normalized * weights
    if config.pca is None:
        return {NUMERIC_OUTPUT: coordinates}
    rotated = rotate(coordinates, config.pca)
    batch = tf.shape(coordinates)[0]
    return {
        NUMERIC_OUTPUT: rotated.values,
        CENTERED_OUTPUT: rotated.centered,
        MATRIX_OUTPUT: tf.tile(rotated.matrix[tf.newaxis], [batch, 1, 1]),
        KEPT_OUTPUT: tf.fill([batch], rotated.kept),
    }
