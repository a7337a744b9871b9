"""Executor of `CustomerExampleGen`."""

from __future__ import annotations

import json
import os
from typing import Any

from absl import logging
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.errors import DataError
from components.example_files import INGEST_FILE
from components.example_gen import files
from components.example_gen.at_runtime import as_submitted, find_source
from components.example_gen.beam_steps import SPLITS, STAGING, write_customers
from components.example_gen.plan import make_plan
from components.example_gen.records import first_schema
from components.example_gen.source import Source, resolve_source, source_from_json
from configs.data import DataConfig
from configs.pipeline import PipelineConfig

# The one split of the rows of a query.
QUERIED_SPLIT = "rows"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Reads customers or transactions and writes customers as tf.Examples, and as Parquet."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the customer table of a source.

        Args:
          input_dict:
            - rows: of a query, where the source is one; else nothing.
          output_dict:
            - examples: Examples with the splits train and eval, and `ingest.json` beside them.
            - table: the same customers without their id, as Parquet.
          exec_properties:
            - data_config: JSON of the configuration's section `data`.
            - source: JSON of the files or the query, as `source_to_json` writes it; "" where files are to be found now.
            - path, span: what the run was submitted with, where they are found now.
            - code_version: part of TFX's cache key only.

        Raises:
          DataError: the data must be mended; one line per problem.
        """
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        data = DataConfig.model_validate_json(exec_properties["data_config"])
        query = data.bigquery.sql if data.bigquery is not None else None
        if exec_properties["source"]:
            source, fingerprints = source_from_json(exec_properties["source"])
        else:
            data = as_submitted(data, exec_properties.get("path"), exec_properties.get("span"))
            source, fingerprints = find_source(data)
        if source.is_queried:
            data, source = _queried_rows(data, artifact_utils.get_single_uri(input_dict["rows"]))
        plan = make_plan(data, source)
        examples.split_names = artifact_utils.encode_split_names(list(SPLITS))
        # No file format: TFX has no name for TFRecords that are not compressed, and goes by their suffix.
        examples_utils.set_payload_format(examples, example_gen_pb2.PayloadFormat.FORMAT_TF_EXAMPLE)
        table = artifact_utils.get_single_instance(output_dict["table"])
        table.split_names = examples.split_names
        examples_utils.set_payload_format(table, example_gen_pb2.PayloadFormat.FORMAT_PARQUET)
        if source.span is not None:
            examples.span = table.span = source.span

        staging = os.path.join(examples.uri, STAGING)
        summary_path = os.path.join(staging, "summary.json")
        with self._make_beam_pipeline() as pipeline:
            write_customers(pipeline, plan, examples.uri, table.uri, summary_path)
        summary = json.loads(_read(summary_path))
        fileio.rmtree(staging)
        if summary["problems"]:
            raise DataError("\n".join(summary["problems"]))
        ingest = {
            **summary["ingest"],
            "query": query,
            "digests": {path: digest for path, _, digest in fingerprints},
        }
        with fileio.open(os.path.join(examples.uri, INGEST_FILE), "w") as file:
            file.write(json.dumps(ingest, indent=2))
        logging.info("%d rows give %s customers.", ingest["rows_read"], ingest["customers"])


def _queried_rows(data: DataConfig, uri: str) -> tuple[DataConfig, Source]:
    """The section and the source for the rows of a query, whose columns are known only now.

    Raises:
      ConfigError, DataError: as `resolve_source`.
    """
    shards = files.matching(os.path.join(uri, f"Split-{QUERIED_SPLIT}", "*"))
    # Some may be empty: Beam decides on their number.
    filled = [shard for shard in shards if first_schema(shard)[1]]
    if not filled:
        raise DataError("data.bigquery: the query gives no rows")
    data = data.model_copy(update={"path": filled, "bigquery": None, "format": "tfrecord"})
    return data, resolve_source(PipelineConfig(name=QUERIED_SPLIT, data=data))


def _read(path: str) -> str:
    with fileio.open(path, "r") as file:
        return str(file.read())
