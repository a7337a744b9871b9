"""`GivenK`: the number of segments as somebody asked for it when the run was submitted."""

# No `from __future__ import annotations`: TFX reads the types below.
import json

import keras_tuner
from tfx.dsl.component.experimental.annotations import OutputArtifact, Parameter
from tfx.dsl.component.experimental.decorators import component
from tfx.types.standard_artifacts import HyperParameters
from tfx.utils import io_utils

from components.trainer.hyperparameters import PARAMETER


@component
def GivenK(k: Parameter[int], hyperparameters: OutputArtifact[HyperParameters]) -> None:
    """Writes k where the Trainer finds what a Tuner would have chosen.

    A compiled pipeline takes parameters for whole execution properties only, and the Trainer's k is a part of one.

    Args:
      k: number of segments, 1 or more.
      hyperparameters: gets it in the file that TFX's Tuner writes.

    Raises:
      ValueError: k is below 1.
    """
    if k < 1:
        raise ValueError(f"k is {k}; a model has 1 segment or more")
    chosen = keras_tuner.HyperParameters()
    chosen.Fixed(PARAMETER, k)
    io_utils.write_string_file(
        f"{hyperparameters.uri}/best_hyperparameters.txt", json.dumps(chosen.get_config())
    )
