"""`DriftCheck`: whether today's customers are still those that the served model was made from."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.artifacts import DriftReport
from components.drift import executor


class DriftCheckSpec(types.ComponentSpec):
    """Specification of `DriftCheck`."""

    PARAMETERS = {
        "drift_config": ExecutionParameter(type=str),
        "config_hash": ExecutionParameter(type=str, optional=True),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "served_model": ChannelParameter(type=standard_artifacts.Model),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "request_statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics, optional=True),
    }
    OUTPUTS = {"drift": ChannelParameter(type=DriftReport)}


class DriftCheck(base_component.BaseComponent):
    """Compares today's customers with those of the served model: each feature, the segments, the distances.

    ExampleValidator compares with the statistics of an earlier run, which a Resolver has to find; and what was
    last trained on need not be what is served. Here the reference is the served model, which brings its
    statistics with it.

    ```
    drift = DriftCheck(
        served_model=served.outputs["model"],
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        examples=example_gen.outputs["examples"],
        drift_config=config.drift.model_dump_json(),
    )
    transform.add_upstream_node(drift)  # the order is nobody's input
    ```
    """

    SPEC_CLASS = DriftCheckSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(executor.Executor)

    def __init__(
        self,
        served_model: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        examples: types.BaseChannel,
        drift_config: str,
        config_hash: Optional[str] = "",
        request_statistics: Optional[types.BaseChannel] = None,
        code_version: Optional[str] = "",
    ) -> None:
        """Wires the check.

        Args:
          served_model: From `ServedModel`.
          statistics: From StatisticsGen, with quantiles (`num_quantiles_histogram_buckets`): about a hundred.
          schema: Of the table; a curated one may hold thresholds (`drift_comparator`).
          examples: The customer table; a sample of it is assigned by the served model.
          drift_config: `configs.drift.DriftConfig` as JSON.
          config_hash: Of the model that would be trained, where the check decides whether it is; a served model with
            another one is not kept. "" where a model is trained in any case.
          request_statistics: Of the rows that the served model was asked about, where somebody wrote them down.
          code_version: Hash of the code that runs, for TFX's cache key.
        """
        spec = DriftCheckSpec(
            served_model=served_model,
            statistics=statistics,
            schema=schema,
            examples=examples,
            request_statistics=request_statistics,
            drift_config=drift_config,
            config_hash=config_hash,
            code_version=code_version,
            drift=types.Channel(type=DriftReport),
        )
        super().__init__(spec=spec)
