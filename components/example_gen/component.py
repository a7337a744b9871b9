"""Customers, or transactions grouped by customer, as tf.Examples."""

from __future__ import annotations

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ExecutionParameter

from components.example_gen.executor import Executor


class CustomerExampleGenSpec(types.ComponentSpec):
    """Specification of `CustomerExampleGen`."""

    PARAMETERS = {
        "data_config": ExecutionParameter(type=str),
        "source": ExecutionParameter(type=str),
        "path": ExecutionParameter(type=str, optional=True),
        "span": ExecutionParameter(type=str, optional=True),
        "code_version": ExecutionParameter(type=str),
    }
    INPUTS = {"rows": ChannelParameter(type=standard_artifacts.Examples, optional=True)}
    OUTPUTS = {
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "table": ChannelParameter(type=standard_artifacts.Examples),
    }


class CustomerExampleGen(base_beam_component.BaseBeamComponent):
    """Reads files or the rows of a query and writes one tf.Example per customer, in the splits train and eval.

        source = resolve_source(config)
        example_gen = CustomerExampleGen(
            data_config=config.data.model_dump_json(by_alias=True),
            source=source_to_json(source, fingerprint_files(source.files)),
        )
        StatisticsGen(examples=example_gen.outputs["table"])
        Trainer(examples=example_gen.outputs["examples"], ...)

    A customer's split depends on the id alone: one in eval stays there when the share of eval grows.
    Numbers are float or int64 features, text and the customer id bytes features; a missing value has none.
    `table` holds the same customers as Parquet without the id, for the components that read columns.
    """

    SPEC_CLASS = CustomerExampleGenSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        data_config: str,
        source: str,
        path: Optional[str] = None,
        span: Optional[str] = None,
        rows: Optional[types.BaseChannel] = None,
        code_version: Optional[str] = "",
    ) -> None:
        """The component.

        Args:
          data_config: JSON of the configuration's section `data`.
          source: JSON of the files and their digests, as `source_to_json` writes it: by the digests TFX's
            cache sees that a file has changed. "" where nobody could look before the run: they are found then.
          path, span: where `source` is "", what the run was submitted with in place of the section's own; see
            `components.example_gen.at_runtime.as_submitted`.
          rows: where `source` is a query: its rows, as TFX's BigQueryExampleGen writes them.
          code_version: hash of the code that is executed, for TFX's cache.
        """
        super().__init__(
            spec=CustomerExampleGenSpec(
                data_config=data_config,
                source=source,
                path=path,
                span=span,
                rows=rows,
                code_version=code_version or "",
                examples=types.Channel(type=standard_artifacts.Examples),
                table=types.Channel(type=standard_artifacts.Examples),
            )
        )
