"""Which segment each customer is in, by models and by tables of assignments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import tensorflow as tf
from tfx.dsl.io import fileio

from components.example_files import in_sample, records
from components.paths import is_local

NOWHERE = -1
"""Stands where a customer is in no segment. Ids begin at 1."""

_BATCH = 16_384

Segments = npt.NDArray[np.int64]


def ask(
    models: Mapping[str, str],
    files: Sequence[str],
    id_column: str,
    share: float = 1.0,
    only: npt.NDArray[np.bool_] | None = None,
) -> tuple[pa.StringArray, dict[str, Segments]]:
    """Asks several models about the same customers, reading them once.

    Args:
      models: name -> folder of a SavedModel with the signature `serving_default`.
      files: TFRecord files of tf.Examples.
      id_column: the bytes feature with the customer's id; every row has it.
      share: of the customers who are asked about; who, depends on no order.
      only: bool [customers], in the order of `records`: ask about these alone; the others are not even parsed.

    Returns:
      The ids of n customers, and name -> their segments int64 [n].
    """
    loaded = {name: tf.saved_model.load(folder) for name, folder in models.items()}

    @tf.autograph.experimental.do_not_convert
    def answer(examples: tf.Tensor, wanted: tf.Tensor | None = None) -> dict[str, tf.Tensor]:
        if wanted is not None:
            examples = tf.boolean_mask(examples, wanted)
        if share < 1:
            examples = tf.boolean_mask(examples, in_sample(examples, share))
        ids = tf.io.parse_example(examples, {id_column: tf.io.FixedLenFeature([], tf.string)})[id_column]
        answers = {
            name: model.signatures["serving_default"](examples=examples)["segment_id"]
            for name, model in loaded.items()
        }
        return {"ids": ids, "answers": answers}

    ids: list[pa.Array] = []
    found: dict[str, list[Segments]] = {name: [np.zeros(0, np.int64)] for name in models}
    batches = records(files).batch(_BATCH)
    if only is not None:
        batches = tf.data.Dataset.zip((batches, tf.data.Dataset.from_tensor_slices(only).batch(_BATCH)))
    answered = batches.map(answer, num_parallel_calls=tf.data.AUTOTUNE)
    for batch in answered.prefetch(2).as_numpy_iterator():
        ids.append(pa.array(batch["ids"], pa.binary()).cast(pa.string()))
        for name, segments in batch["answers"].items():
            found[name].append(segments)
    everyone = pa.chunked_array(ids, pa.string()).combine_chunks()
    return everyone, {name: np.concatenate(parts) for name, parts in found.items()}


class Table:
    """A table of assignments: where customers were, or are; in the order in which they were scored."""

    def __init__(self, path: str) -> None:
        """Reads the ids, the first column, and the segments of a Parquet file."""
        parquet = pq.ParquetFile(path if is_local(path) else _downloaded(path))
        id_column = parquet.schema_arrow.names[0]
        read = parquet.read([id_column, "segment_id"])
        self.ids = read.column(id_column).combine_chunks()
        self.segments: Segments = read.column("segment_id").to_numpy()

    def look_up(self, ids: pa.StringArray) -> Segments:
        """The segments int64 [n] of customers, NOWHERE for those who are not in the table."""
        if not len(self.segments):
            return np.full(len(ids), NOWHERE, np.int64)
        places = pc.index_in(ids, value_set=self.ids)
        found = pc.fill_null(places, 0).to_numpy(zero_copy_only=False)
        known = pc.is_valid(places).to_numpy(zero_copy_only=False)
        return np.where(known, self.segments[found], NOWHERE).astype(np.int64)


def _downloaded(path: str) -> pa.BufferReader:
    with fileio.open(path, "rb") as file:
        return pa.BufferReader(file.read())


def read_table(path: str) -> Table | None:
    """A table of assignments; None where there is none."""
    return Table(path) if fileio.exists(path) else None
