"""TFX Transform's `preprocessing_fn`, reached by import path."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from configs.features import FeaturesConfig
from configs.selection import features_left
from transforms.encoding import ordinal_rank, vocabulary_index
from transforms.inputs import Raw, categories, numbers
from transforms.normalization import normalize
from transforms.plan import FeaturePlan, plan_features

NUMERIC_OUTPUT = "numeric"


def index_output(feature: str) -> str:
    """The transformed feature that holds the category indices of a raw feature."""
    return f"index_{feature}"


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
      `numeric` float32 [batch, m]: the normalized numeric and ordinal columns; and `index_<name>` int64
      [batch] per one-hot column. `transforms.vectorize` turns them into one vector per customer: the width
      of a one-hot block is known only after the analysis, when the graph is already fixed.
    """
    config = FeaturesConfig.model_validate_json(custom_config["features"])
    if custom_config.get("selected"):
        config = features_left(config, inputs)
    dtypes = {name: raw.dtype for name, raw in inputs.items()}
    plan = plan_from_dtypes(config, dtypes, custom_config.get("id_column"))
    outputs: dict[str, tf.Tensor] = {}
    blocks = [numbers([inputs[f.name] for f in plan.numeric])] if plan.numeric else []
    for ordinal in plan.ordinal:
        rank = ordinal_rank(categories(inputs[ordinal.name]), ordinal.options.order or [])
        blocks.append(rank[:, tf.newaxis])
    if blocks:
        options = [f.options for f in plan.numeric] + [f.scaling for f in plan.ordinal]
        outputs[NUMERIC_OUTPUT] = normalize(tf.concat(blocks, axis=1), options)
    for feature in plan.one_hot:
        values = categories(inputs[feature.name])
        outputs[index_output(feature.name)] = vocabulary_index(
            values, feature.name, feature.options.max_categories
        )
    return outputs
