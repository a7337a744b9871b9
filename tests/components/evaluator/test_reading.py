"""Customers in batches: what is in the files, whatever their number, with the columns that were asked for."""

from __future__ import annotations

from pathlib import Path

import apache_beam as beam
import pytest
import tensorflow as tf
from apache_beam.testing.util import assert_that
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tensorflow_model_analysis import constants

from components.evaluator import reading

SCHEMA = text_format.Parse(
    'feature { name: "age" type: INT } feature { name: "plan" type: BYTES }', schema_pb2.Schema()
)


def _example(age: int, plan: str | None) -> bytes:
    features = {"age": tf.train.Feature(int64_list=tf.train.Int64List(value=[age]))}
    if plan is not None:
        features["plan"] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[plan.encode()]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


EXAMPLES = [_example(age, "pro" if age % 2 else None) for age in range(25)]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    names = []
    for start, suffix, compression in ((0, "", ""), (10, ".gz", "GZIP")):
        names.append(str(tmp_path / f"data-{start}{suffix}"))
        with tf.io.TFRecordWriter(names[-1], compression) as writer:
            for example in EXAMPLES[start : start + 10] if start == 0 else EXAMPLES[10:]:
                writer.write(example)
    return names


def _read(files: list[str], columns: list[str], schema: schema_pb2.Schema | None, check) -> None:
    options = beam.options.pipeline_options.PipelineOptions(
        ["--runner=DirectRunner", "--direct_running_mode=in_memory"]
    )
    with beam.Pipeline(options=options) as pipeline:
        assert_that(pipeline | reading.read_batches(files, columns, schema), check)


def test_every_customer_once_and_no_column_unasked(files, monkeypatch):
    monkeypatch.setattr(reading, "_BATCH_ROWS", 4)

    def check(batches):
        assert all(batch.schema.names == [constants.ARROW_INPUT_COLUMN] for batch in batches)
        assert max(batch.num_rows for batch in batches) == 4
        read = [row for batch in batches for (row,) in batch.column(0).to_pylist()]
        assert sorted(read) == sorted(EXAMPLES)

    _read(files, [], None, check)


@pytest.mark.parametrize("schema", [None, SCHEMA], ids=["types from the data", "from the schema"])
def test_columns_to_slice_by(files, schema):
    def check(batches):
        rows = [row for batch in batches for row in zip(*(c.to_pylist() for c in batch.columns), strict=True)]
        assert sorted(rows) == sorted(
            ([example], [b"pro"] if age % 2 else None) for age, example in enumerate(EXAMPLES)
        )

    _read(files, ["plan"], schema, check)


def test_a_column_that_no_customer_has_is_left_out(files):
    def check(batches):
        assert all(batch.schema.names == [constants.ARROW_INPUT_COLUMN] for batch in batches)

    _read(files, ["elsewhere"], None, check)
    _read(files, ["elsewhere"], SCHEMA, check)


def test_no_files_no_batches():
    def check(batches):
        assert batches == []

    _read([], [], None, check)
