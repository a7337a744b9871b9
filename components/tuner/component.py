"""Tuner component: TFX's, over the number of segments, with the whole sweep as an output."""

from typing import Any

from tfx.components.tuner import component as tfx_tuner
from tfx.dsl.components.base import executor_spec
from tfx.proto import trainer_pb2
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.types.component_spec import ChannelParameter, ExecutionParameter
from tfx.utils import json_utils

from components.artifacts import SegmentSweep
from components.tuner import executor


class TunerSpec(keys.TunerSpec):
    """TFX's TunerSpec, the sweep, and the hash of the code that an execution runs, for TFX's cache key."""

    PARAMETERS = {
        **keys.TunerSpec.PARAMETERS,
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    OUTPUTS = {
        **keys.TunerSpec.OUTPUTS,
        "sweep": ChannelParameter(type=SegmentSweep),
    }


class Tuner(tfx_tuner.Tuner):
    """Finds how many segments the customers fall into.

        tuner = Tuner(
            examples=example_gen.outputs["examples"],
            transform_graph=transform.outputs["transform_graph"],
            tuner_fn="components.tuner.tuner_fn.tuner_fn",
            custom_config={"model": ..., "tuner": ..., "features": ...},
        )
        trainer = Trainer(..., hyperparameters=tuner.outputs["best_hyperparameters"])

    Outputs as of TFX's Tuner: `best_hyperparameters` (`k`) and `tuner_results`; and `sweep` (SegmentSweep): every
    candidate with its metrics, the choice and its reason.
    """

    SPEC_CLASS = TunerSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: BaseChannel,
        transform_graph: BaseChannel,
        tuner_fn: str,
        custom_config: dict[str, Any],
        code_version: str = "",
    ) -> None:
        """Wires the component.

        Args:
          examples: Examples with a split `train`, serialized tf.Examples of the raw features.
          transform_graph: what Transform saved.
          tuner_fn: import path of a function that makes a `SegmentTuner`.
          custom_config: for `tuner_fn`, which says what it holds.
          code_version: hash of the code that the execution runs.
        """
        # TFX's constructor builds its own spec class, which has no place for the sweep.
        super(tfx_tuner.Tuner, self).__init__(
            spec=TunerSpec(
                examples=examples,
                transform_graph=transform_graph,
                tuner_fn=tuner_fn,
                train_args=trainer_pb2.TrainArgs(),
                eval_args=trainer_pb2.EvalArgs(),
                custom_config=json_utils.dumps(custom_config),
                code_version=code_version,
                best_hyperparameters=Channel(type=standard_artifacts.HyperParameters),
                tuner_results=Channel(type=standard_artifacts.TunerResults),
                sweep=Channel(type=SegmentSweep),
            )
        )
