"""The number of segments that the Tuner chose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner

from configs.model import ModelConfig


def with_chosen_k(model: ModelConfig, hyperparameters: Mapping[str, Any] | None) -> ModelConfig:
    """The section `model` with a number for k.

    Args:
      model: as configured.
      hyperparameters: the Tuner's best, as TFX hands them to the Trainer: a config of
        `keras_tuner.HyperParameters` with a `k`. Only needed where `model.k` is `auto`.

    Raises:
      ValueError: `model.k` is `auto`, and no Tuner ran before.
    """
    if model.k != "auto":
        return model
    if hyperparameters is None:
        raise ValueError(
            "model.k is auto, but the Trainer has no hyperparameters: it needs a Tuner before it"
        )
    k = keras_tuner.HyperParameters.from_config(hyperparameters).get("k")
    return model.model_copy(update={"k": int(k)})
