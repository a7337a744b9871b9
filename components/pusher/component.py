"""`Pusher`: TFX's, with an executor of ours and what TFX's cache must know besides."""

from typing import Optional

from tfx import types
from tfx.components.pusher import component as tfx_pusher
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import pusher_pb2
from tfx.types import standard_artifacts, standard_component_specs
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.pusher import executor


class PusherSpec(standard_component_specs.PusherSpec):
    """Specification of `Pusher`: TFX's, two parameters and the statistics."""

    PARAMETERS = {
        **standard_component_specs.PusherSpec.PARAMETERS,
        "run_key": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        **standard_component_specs.PusherSpec.INPUTS,
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }


class Pusher(tfx_pusher.Pusher):
    """Puts a blessed model into the served folder as version 1, 2, 3, ..., whole or not at all.

    It succeeds with nothing pushed when a blessing is refused: read `pushed` of the PushedModel.

    ```
    pusher = Pusher(
        model=trainer.outputs["model"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        statistics=statistics_gen.outputs["statistics"],
        serving_dir=serving,
        run_key=run_id,
    )
    ```
    """

    SPEC_CLASS = PusherSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        model_blessing: types.BaseChannel,
        infra_blessing: types.BaseChannel,
        serving_dir: str,
        run_key: str,
        statistics: Optional[types.BaseChannel] = None,
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the push. Both blessings are needed: without one, TFX's executor would push unasked.

        Args:
          model: The exported model.
          model_blessing: The Evaluator's word.
          infra_blessing: The serving check's word.
          serving_dir: The served folder.
          run_key: The same for every attempt of one run and for no other run: a finished push is taken from
            TFX's cache within its run only, since the served folder may have changed since.
          statistics: Of the customers that the model was made from. They go with the version, for later
            runs to be compared with (`DriftCheck`).
          code_version: Hash of the code that runs, for TFX's cache key.

        Raises:
          ValueError: `run_key` is empty.
        """
        if not run_key:
            raise ValueError("run_key is empty; give what names the run, so that its push is done once")
        destination = pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=serving_dir)
        )
        spec = PusherSpec(
            model=model,
            model_blessing=model_blessing,
            infra_blessing=infra_blessing,
            statistics=statistics,
            push_destination=destination,
            run_key=run_key,
            code_version=code_version,
            pushed_model=types.Channel(type=standard_artifacts.PushedModel),
        )
        # Not TFX's Pusher.__init__: it builds a spec without our parameters.
        base_component.BaseComponent.__init__(self, spec=spec)
