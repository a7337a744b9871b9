"""The number of segments where it is not in the configuration: chosen by the Tuner, or asked for at submission."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras_tuner

from configs.model import ModelConfig

PARAMETER = "k"


def with_chosen_k(model: ModelConfig, hyperparameters: Mapping[str, Any] | None) -> ModelConfig:
    """The section `model` with a number for k.

    Args:
      model: as configured.
      hyperparameters: the Tuner's best, as TFX hands them to the Trainer: a config of
        `keras_tuner.HyperParameters` with a `k`, which comes before `model.k`. Needed where that is `auto`.

    Raises:
      ValueError: `model.k` is `auto`, and no Tuner ran before.
    """
    if hyperparameters is None:
        if model.k != "auto":
            return model
        raise ValueError(
            "model.k is auto, but the Trainer has no hyperparameters: it needs a Tuner before it"
        )
    k = keras_tuner.HyperParameters.from_config(hyperparameters).get(PARAMETER)
    return model.model_copy(update={"k": int(k)})
