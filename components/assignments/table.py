"""Scores a customer table with a SavedModel and writes who is in which segment, batch by batch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import tensorflow as tf

from components.example_files import records

PARQUET_FILE = "assignments.parquet"
CSV_FILE = "assignments.csv"

# Rows that the model is asked about at once, and rows in a row group of the Parquet file.
BATCH = 16384
ROW_GROUP = 8 * BATCH

_COLUMNS = {
    "segment_id": pa.int64(),
    "segment_name": pa.string(),
    "distance": pa.float32(),
    "is_outlier": pa.bool_(),
}


def table_schema(id_column: str) -> pa.Schema:
    """The schema of the table: the customer id under its own name, then the model's answers.

    Raises:
      ValueError: The id column has the name of one of the answers.
    """
    if id_column in _COLUMNS:
        raise ValueError(
            f"the id column is called '{id_column}', as is a column of the assignments "
            f"({', '.join(_COLUMNS)}): rename it in the source"
        )
    return pa.schema([(id_column, pa.string()), *_COLUMNS.items()])


def score(model_dir: str, files: Sequence[str], id_column: str) -> Iterator[pa.RecordBatch]:
    """Assigns every customer of TFRecord files of tf.Examples, in the order of the files.

    Args:
      model_dir: Folder of a SavedModel with the signature `serving_default`.
      files: TFRecord files, plain or gzip (`.gz`).
      id_column: The bytes feature with the customer's id; every row has it.

    Yields:
      Batches of at most `BATCH` rows with `table_schema(id_column)`.
    """
    schema = table_schema(id_column)
    assign = tf.saved_model.load(model_dir).signatures["serving_default"]

    @tf.autograph.experimental.do_not_convert
    def ask(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        ids = tf.io.parse_example(examples, {id_column: tf.io.FixedLenFeature([], tf.string)})
        answer = assign(examples=examples)
        return {id_column: ids[id_column], **{name: answer[name] for name in _COLUMNS}}

    batches = records(files).batch(BATCH).map(ask, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    for batch in batches.prefetch(2).as_numpy_iterator():
        columns = [_array(batch[field.name], field.type) for field in schema]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def write_table(batches: Iterator[pa.RecordBatch], schema: pa.Schema, folder: str, csv: bool) -> int:
    """Writes the batches as Parquet, and as CSV if asked; returns the number of rows.

    At no time are more rows in memory than a row group has.
    """
    rows = 0
    with contextlib.ExitStack() as stack:
        writers: list[Any] = [
            stack.enter_context(pyarrow.parquet.ParquetWriter(str(Path(folder, PARQUET_FILE)), schema))
        ]
        if csv:
            writers.append(stack.enter_context(pyarrow.csv.CSVWriter(str(Path(folder, CSV_FILE)), schema)))
        for group in _groups(batches, schema):
            rows += group.num_rows
            for writer in writers:
                writer.write_table(group)
    return rows


def _groups(batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(each.num_rows for each in waiting) >= ROW_GROUP:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        return pa.array(values, pa.binary()).cast(pa.string())
    return pa.array(values, kind)
