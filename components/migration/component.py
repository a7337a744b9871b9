"""`Migration`: what becomes of customers and segments when a model follows the one in production."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import SegmentAssignments, SegmentMigration
from components.migration import executor


class MigrationSpec(types.ComponentSpec):
    """Specification of `Migration`."""

    PARAMETERS = {
        "serving_dir": ExecutionParameter(type=str),
        "assignments_dir": ExecutionParameter(type=str),
        "id_column": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "model": ChannelParameter(type=standard_artifacts.Model),
        "served_model": ChannelParameter(type=standard_artifacts.Model),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
        "assignments": ChannelParameter(type=SegmentAssignments),
    }
    OUTPUTS = {"migration": ChannelParameter(type=SegmentMigration)}


class Migration(base_component.BaseComponent):
    """Compares where customers were with where the new model puts them.

    All customers when the model was pushed, then with a table of those who moved; a sample when it was not.

    ```
    migration = Migration(
        examples=example_gen.outputs["examples"],
        model=trainer.outputs["model"],
        served_model=served.outputs["model"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments=assignments.outputs["assignments"],
        serving_dir=serving,
        assignments_dir=folder,
    )
    ```
    """

    SPEC_CLASS = MigrationSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        model: types.BaseChannel,
        served_model: types.BaseChannel,
        pushed_model: types.BaseChannel,
        assignments: types.BaseChannel,
        serving_dir: str,
        assignments_dir: str,
        id_column: str = "",
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the comparison.

        Args:
          examples: The customer table of today, all splits.
          model: From the Trainer.
          served_model: From ServedModel: the model that was in production when the run began, if any.
          pushed_model: From the Pusher.
          assignments: From Assignments: where the new model put everybody, if it was pushed.
          serving_dir: The served folder, for the history.
          assignments_dir: Where the tables of all versions are; `<version>/moved.parquet` goes there, too.
          id_column: The customer id; "" for the one that ExampleGen found (its `ingest.json`).
          code_version: Hash of the code that runs, for TFX's cache key.
        """
        spec = MigrationSpec(
            examples=examples,
            model=model,
            served_model=served_model,
            pushed_model=pushed_model,
            assignments=assignments,
            serving_dir=serving_dir,
            assignments_dir=assignments_dir,
            id_column=id_column,
            code_version=code_version,
            migration=types.Channel(type=SegmentMigration),
        )
        super().__init__(spec=spec)
