"""BigQuery as a source: TFX's own component, whose Examples our ExampleGen reads. Imports TFX and Google's client."""

from __future__ import annotations

from tfx.extensions.google_cloud_big_query.example_gen.component import BigQueryExampleGen
from tfx.proto import example_gen_pb2

from components.example_gen.executor import QUERIED_SPLIT
from configs.bigquery import BigQueryConfig


def query_rows(config: BigQueryConfig, moment: str) -> BigQueryExampleGen:
    """The node that writes the rows of a query as tf.Examples, in one split.

    Args:
      config: the query.
      moment: of the run: TFX's cache knows a query by its text, and a table changes under the same text.
    """
    # The comment ends its line: TFX puts the query into parentheses.
    query = f"{config.sql}\n-- read for the run of {moment}\n"
    split = example_gen_pb2.SplitConfig.Split(name=QUERIED_SPLIT, hash_buckets=1)
    node = BigQueryExampleGen(
        query=query,
        output_config=example_gen_pb2.Output(split_config=example_gen_pb2.SplitConfig(splits=[split])),
    )
    if config.project is not None:
        node.with_beam_pipeline_args([f"--project={config.project}"])
    return node
