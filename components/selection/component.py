"""`FeatureSelection`: which of the features the model is made of."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import SelectedFeatures
from components.selection import executor


class FeatureSelectionSpec(types.ComponentSpec):
    """Specification of `FeatureSelection`."""

    PARAMETERS = {
        "selection_config": ExecutionParameter(type=str),
        "features_config": ExecutionParameter(type=str),
        "id_column": ExecutionParameter(type=str),
        "segments": ExecutionParameter(type=int),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "table": ChannelParameter(type=standard_artifacts.Examples),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "served_model": ChannelParameter(type=standard_artifacts.Model),
    }
    OUTPUTS = {
        # Not `schema`: that is the name of an input.
        "selected_schema": ChannelParameter(type=standard_artifacts.Schema),
        "selection": ChannelParameter(type=SelectedFeatures),
    }


class FeatureSelection(base_component.BaseComponent):
    """Drops features that are of no use, and says why.

    What it decides is a schema of the features that are left. Transform gets it in place of the whole table's: dropped
    columns then never enter its graph, and the served model does not ask for them.

    ```
    selection = FeatureSelection(
        table=example_gen.outputs["table"],
        schema=schema_gen.outputs["schema"],
        served_model=served.outputs["model"],
        selection_config=config.selection.model_dump_json(),
        features_config=config.features.model_dump_json(by_alias=True),
        id_column="customer_id",
        segments=5,
    )
    transform = Transform(schema=selection.outputs["selected_schema"], ...)
    ```

    Component `outputs`: `selected_schema` holds `schema.pbtxt`; `selection` (SelectedFeatures) holds `selection.json`
    (docs/selection.md says what is in it).
    """

    SPEC_CLASS = FeatureSelectionSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        table: types.BaseChannel,
        schema: types.BaseChannel,
        served_model: types.BaseChannel,
        selection_config: str,
        features_config: str,
        id_column: str,
        segments: int,
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the selection.

        Args:
          table: The customers as Parquet, without their id; the split `train` is looked at.
          schema: Of the table.
          served_model: From `ServedModel`: what it uses is not dropped for small reasons.
          selection_config: `configs.selection.SelectionConfig` as JSON; its method is not `off`.
          features_config: `configs.features.FeaturesConfig` as JSON: which columns are features at all.
          id_column: The customer id, never a feature.
          segments: How many provisional segments stand for a target; 0 where none are needed.
          code_version: Hash of the code that runs, for TFX's cache key.
        """
        spec = FeatureSelectionSpec(
            table=table,
            schema=schema,
            served_model=served_model,
            selection_config=selection_config,
            features_config=features_config,
            id_column=id_column,
            segments=segments,
            code_version=code_version,
            selected_schema=types.Channel(type=standard_artifacts.Schema),
            selection=types.Channel(type=SelectedFeatures),
        )
        super().__init__(spec=spec)
