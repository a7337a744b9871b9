"""From files to a table with statistics and a schema."""

from __future__ import annotations

from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tfx.components.schema_gen.component import SchemaGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.dsl.components.base.base_component import BaseComponent

from components.example_gen.component import CustomerExampleGen
from components.example_gen.source import source_from_json
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.columns import typed_data
from pipeline.entry_points import node_version
from pipeline.run_inputs import RunInputs


def data_nodes(config: PipelineConfig, inputs: RunInputs) -> dict[str, BaseComponent]:
    """The nodes up to the schema: what `segments schema` runs too."""
    queried = {}
    if config.data.bigquery is not None:
        if not inputs.source:
            raise ConfigError(
                "data.bigquery: is read by runs of 'segments run'; for a compiled pipeline export the table and"
                " name its files in data.path"
            )
        # Here, not at the top: Google's client takes seconds, and most tables are files.
        from pipeline.queried import query_rows

        _, (fingerprint,) = source_from_json(inputs.source)
        queried["rows"] = query_rows(config.data.bigquery, moment=fingerprint[-1])
    example_gen = CustomerExampleGen(
        data_config=typed_data(config).model_dump_json(by_alias=True),
        source=inputs.source,
        path=inputs.submitted.path if inputs.submitted else None,
        span=inputs.submitted.span if inputs.submitted else None,
        rows=queried["rows"].outputs["examples"] if queried else None,
        code_version=node_version("ExampleGen"),
    ).with_id("ExampleGen")
    # All columns, features or not: a schema then stays the same when the choice of features changes. Only the id is
    # left out of the table, since describing it would cost as much as everything else together.
    statistics = StatisticsGen(examples=example_gen.outputs["table"], stats_options=_statistics_options())
    if inputs.schema_file:
        schema: BaseComponent = ImportSchemaGen(schema_file=inputs.schema_file).with_id("SchemaGen")
    else:
        schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=False)
    return {**queried, "examples": example_gen, "statistics": statistics, "schema": schema}


def _statistics_options() -> StatsOptions:
    # Percentiles: with TFDV's deciles the next run could not tell what has drifted (docs/drift.md).
    return StatsOptions(num_quantiles_histogram_buckets=100)


def request_nodes(requests: tuple[str, str] | None) -> list[BaseComponent]:
    """What the served model was asked, as a table, and its statistics: the last of them; none without requests."""
    if requests is None:
        return []
    data, source = requests
    examples = CustomerExampleGen(
        data_config=data, source=source, code_version=node_version("ExampleGen")
    ).with_id("RequestExamples")
    statistics = StatisticsGen(examples=examples.outputs["table"], stats_options=_statistics_options())
    return [examples, statistics.with_id("RequestStatistics")]
