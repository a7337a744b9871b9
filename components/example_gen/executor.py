"""Runs the reading over Beam: a batch is an element, never a row."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from absl import logging
from apache_beam.pvalue import AsSingleton, TaggedOutput
from tfx import types
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.dsl.io import fileio
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils

from components.errors import DataError
from components.example_file_names import INGEST_FILE
from components.example_gen import files, hashing
from components.example_gen.customers import (
    bucket_keys,
    column_types,
    condense,
    customer_columns,
    merge,
)
from components.example_gen.encode import shard_name, write_examples
from components.example_gen.plan import Plan, make_plan
from components.example_gen.rows import HASH, read_rows
from components.example_gen.source import source_from_json
from components.example_gen.tally import Tally, total
from configs.data import DataConfig

SPLITS = ("train", "eval")
_STAGING = ".staging"
_BUCKET_BYTES = 64 << 20
_MOST_BUCKETS = 4096
# How much more a file holds than its size says, roughly.
_COMPRESSION = 4
_TALLY = "tally"


class Executor(base_beam_executor.BaseBeamExecutor):
    """Executor of `CustomerExampleGen`."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Reads the source and writes its customers as tf.Examples.

        Args:
          input_dict: empty.
          output_dict:
            - examples: Examples with the splits train and eval; `ingest.json` beside them.
          exec_properties:
            - data_config: JSON of the configuration's section `data`.
            - source: JSON of the files, as `source_to_json` writes it.
            - code_version: part of the cache key only.

        Raises:
          DataError: the data must be mended.
        """
        examples = artifact_utils.get_single_instance(output_dict["examples"])
        source, fingerprints = source_from_json(exec_properties["source"])
        plan = make_plan(DataConfig.model_validate_json(exec_properties["data_config"]), source)
        _set_properties(examples, source.span)
        summary_file = os.path.join(examples.uri, _STAGING, "summary.json")
        with self._make_beam_pipeline() as pipeline:
            write_customers(pipeline, plan, examples.uri, summary_file)
        with fileio.open(summary_file, "r") as file:
            summary = json.loads(file.read())
        fileio.rmtree(os.path.dirname(summary_file))
        if summary["problems"]:
            raise DataError("\n".join(summary["problems"]))
        ingest = {**summary["ingest"], "digests": {path: digest for path, _, digest in fingerprints}}
        with fileio.open(os.path.join(examples.uri, INGEST_FILE), "w") as file:
            file.write(json.dumps(ingest, indent=2))
        logging.info("Read %s rows: %s", ingest["rows_read"], ingest["customers"])
