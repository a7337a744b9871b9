"""`Assignments`: the table of who is in which segment, by the model that customers get."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import SegmentAssignments
from components.assignments import executor


class AssignmentsSpec(types.ComponentSpec):
    """Specification of `Assignments`."""

    PARAMETERS = {
        "assignments_config": ExecutionParameter(type=str),
        "assignments_dir": ExecutionParameter(type=str),
        "id_column": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
    }
    OUTPUTS = {"assignments": ChannelParameter(type=SegmentAssignments)}


class Assignments(base_component.BaseComponent):
    """Writes customer id, segment id, segment name, distance and outlier flag of every customer.

    Only when a version was pushed; else nothing changes and `written` of the output is 0.

    ```
    assignments = Assignments(
        examples=example_gen.outputs["examples"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments_config=config.assignments.model_dump_json(by_alias=True),
        assignments_dir=folder,
    )
    ```
    """

    SPEC_CLASS = AssignmentsSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        pushed_model: types.BaseChannel,
        assignments_config: str,
        assignments_dir: str,
        id_column: str = "",
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the table.

        Args:
          examples: The customer table; every split is assigned.
          pushed_model: From the Pusher. The version it pushed does the work.
          assignments_config: `configs.outputs.AssignmentsConfig` as JSON.
          assignments_dir: The table goes to `<assignments_dir>/<version>/`.
          id_column: The customer id; "" for the one that ExampleGen found (its `ingest.json`).
          code_version: Hash of the code that runs, for TFX's cache key.
        """
        spec = AssignmentsSpec(
            examples=examples,
            pushed_model=pushed_model,
            assignments_config=assignments_config,
            assignments_dir=assignments_dir,
            id_column=id_column,
            code_version=code_version,
            assignments=types.Channel(type=SegmentAssignments),
        )
        super().__init__(spec=spec)
