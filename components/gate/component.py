"""The gate: ExampleValidator reports anomalies and lets the run go on; this component stops it."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import DataVerdict
from components.gate import executor


class DataGateSpec(types.ComponentSpec):
    """Specification of `DataGate`."""

    PARAMETERS = {
        "validation_config": ExecutionParameter(type=str),
        "min_customers": ExecutionParameter(type=int),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "anomalies": ChannelParameter(type=standard_artifacts.ExampleAnomalies),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
    }
    OUTPUTS = {"verdict": ChannelParameter(type=DataVerdict)}


class DataGate(base_component.BaseComponent):
    """Stops the run on anomalies and on too few customers.

    ```
    gate = DataGate(
        anomalies=example_validator.outputs["anomalies"],
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        examples=example_gen.outputs["examples"],
        validation_config=config.validation.model_dump_json(by_alias=True),
        min_customers=config.fewest_segments,
    )
    transform.add_upstream_node(gate)  # the order is nobody's input
    ```
    """

    SPEC_CLASS = DataGateSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        anomalies: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        examples: types.BaseChannel,
        validation_config: str,
        min_customers: int,
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the gate.

        Args:
          anomalies: From ExampleValidator.
          statistics: From StatisticsGen.
          schema: The schema that the anomalies were found with.
          examples: The customer table; its rows are read only to count what an anomaly concerns.
          validation_config: `configs.validation.ValidationConfig` as JSON.
          min_customers: The smallest number of segments; a run needs as many customers to train on.
          code_version: Hash of the code that runs, for TFX's cache key.

        Raises:
          ValueError: `min_customers` is less than 1.
        """
        if min_customers < 1:
            raise ValueError(f"min_customers is {min_customers}; it must be at least 1")
        spec = DataGateSpec(
            anomalies=anomalies,
            statistics=statistics,
            schema=schema,
            examples=examples,
            validation_config=validation_config,
            min_customers=min_customers,
            code_version=code_version,
            verdict=types.Channel(type=DataVerdict),
        )
        super().__init__(spec=spec)
