"""`ServingCheck`: TFX's InfraValidator without a model server and a container, and with more questions."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.serving_check import executor


class ServingCheckSpec(types.ComponentSpec):
    """Specification of `ServingCheck`."""

    PARAMETERS = {
        "rows": ExecutionParameter(type=int),
        "timeout_seconds": ExecutionParameter(type=int),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"blessing": ChannelParameter(type=standard_artifacts.InfraBlessing)}


class ServingCheck(base_component.BaseComponent):
    """Loads the exported model in a process with TensorFlow alone, and blesses it if it answers rightly.

    Both signatures are asked about real rows, rows with every value missing, rows with unseen categories and
    an empty batch. The Pusher obeys the blessing; the run goes on either way.

    ```
    check = ServingCheck(model=trainer.outputs["model"], examples=example_gen.outputs["examples"])
    ```
    """

    SPEC_CLASS = ServingCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        examples: types.BaseChannel,
        rows: int = 100,
        timeout_seconds: int = 300,
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the check.

        Args:
          model: The exported model.
          examples: The customer table; the first rows of its eval split are asked about.
          rows: How many real rows.
          timeout_seconds: How long the process may take, TensorFlow's import included.
          code_version: Hash of the code that runs, for TFX's cache key.

        Raises:
          ValueError: `rows` or `timeout_seconds` is less than 1.
        """
        for name, value in (("rows", rows), ("timeout_seconds", timeout_seconds)):
            if value < 1:
                raise ValueError(f"{name} is {value}; it must be at least 1")
        spec = ServingCheckSpec(
            model=model,
            examples=examples,
            rows=rows,
            timeout_seconds=timeout_seconds,
            code_version=code_version,
            blessing=types.Channel(type=standard_artifacts.InfraBlessing),
        )
        super().__init__(spec=spec)
