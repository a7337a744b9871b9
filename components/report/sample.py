"""Samples of customers as the exported model sees them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts
from tfx.utils import path_utils
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.example_files import example_files, read_ingest, records

MOST = 2_000
"""So many customers in the pictures: more dots hide each other."""
MOST_VALUES = 20_000
"""So many in the distributions: of a segment of 1 %, that leaves 200."""
SPLITS = ("eval", "train")
"""Where the pictures' customers come from: the first of these that has any."""
_BATCH = 4096


@dataclasses.dataclass(frozen=True)
class Sample:
    """Customers and the model's answers.

    Attributes:
      split: where they come from.
      features: float32 [n, d], the transformed customers.
      segment_ids: int64 [n].
      distances: float32 [n, k], to every segment.
      outliers: bool [n].
    """

    split: str
    features: npt.NDArray[np.float32]
    segment_ids: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float32]
    outliers: npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class Values:
    """Customers of all splits in the units of the data.

    Attributes:
      segment_ids: int64 [n].
      numbers: column -> float64 [n], NaN where missing.
    """

    segment_ids: npt.NDArray[np.int64]
    numbers: dict[str, npt.NDArray[np.float64]]


Answer = Callable[[tf.Tensor], dict[str, npt.NDArray]]


def open_model(model: standard_artifacts.Model) -> Answer:
    """Loads the model; it answers serialized tf.Examples, string [n], with arrays of n rows.

    Raises:
      ValueError: the model has no signature `evaluate`.
      tf.errors.OpError: the model does not load.
    """
    # The signatures do not keep the model alive.
    loaded = tf.saved_model.load(path_utils.serving_model_path(model.uri))
    if "evaluate" not in loaded.signatures:
        named = ", ".join(loaded.signatures) or "none"
        raise ValueError(f"the model has no signature 'evaluate', only {named}")

    def answer(rows: tf.Tensor) -> dict[str, npt.NDArray]:
        given = loaded.signatures["evaluate"](examples=rows)
        return {name: value.numpy() for name, value in given.items()}

    return answer


def sample_customers(answer: Answer, examples: standard_artifacts.Examples, most: int = MOST) -> Sample:
    """Asks the model about every i-th customer of one split, at most `most` of them.

    Raises:
      ValueError: no split has customers.
      tf.errors.OpError: the model does not answer.
    """
    for split in SPLITS:
        rows = _every_ith(examples, split, _step(examples, [split], most), most)
        if len(rows):
            answers = answer(rows)
            return Sample(
                split=split,
                features=answers["features"],
                segment_ids=answers["segment_id"],
                distances=answers["distances"],
                outliers=answers["is_outlier"],
            )
    raise ValueError(f"there are no customers in the splits {' and '.join(SPLITS)}")


def sample_values(
    answer: Answer,
    examples: standard_artifacts.Examples,
    columns: Sequence[str],
    most: int = MOST_VALUES,
) -> Values:
    """Every i-th customer of all splits, at most about `most`: their segments and the numbers in `columns`.

    A column that holds no numbers in the sample is left out.

    Raises:
      tf.errors.OpError: the model does not answer.
    """
    splits = artifact_utils.decode_split_names(examples.split_names)
    step = _step(examples, splits, most)
    batches = []
    for split in splits:
        rows = _every_ith(examples, split, step, most)
        batches += [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    segment_ids = [answer(batch)["segment_id"] for batch in batches]
    decoder = ExamplesToRecordBatchDecoder()
    tables = [decoder.DecodeBatch(batch.numpy().tolist()) for batch in batches]
    numbers = {
        name: np.concatenate([_numbers(table, name) for table in tables]) for name in columns if tables
    }
    return Values(
        segment_ids=np.concatenate([np.zeros(0, np.int64), *segment_ids]),
        numbers={name: values for name, values in numbers.items() if np.isfinite(values).any()},
    )


def _step(examples: standard_artifacts.Examples, splits: Sequence[str], most: int) -> int:
    counts = read_ingest(examples.uri).get("customers", {})
    return max(math.ceil(sum(counts.get(split, 0) for split in splits) / most), 1)


def _every_ith(examples: standard_artifacts.Examples, split: str, step: int, most: int) -> tf.Tensor:
    rows = records(example_files(examples, [split])).shard(step, 0).take(most).batch(most)
    return next(iter(rows), tf.zeros([0], tf.string))


def _numbers(table: pa.RecordBatch, name: str) -> npt.NDArray[np.float64]:
    """The first value of each row in a column of lists; NaN where there is none."""
    values = np.full(table.num_rows, np.nan)
    position = table.schema.get_field_index(name)
    if position < 0:
        return values
    column = table.column(position)
    kind = column.type
    if not pa.types.is_large_list(kind) or not (
        pa.types.is_integer(kind.value_type) or pa.types.is_floating(kind.value_type)
    ):
        return values
    offsets = column.offsets.to_numpy()
    filled = np.diff(offsets) > 0
    flat = column.values.to_numpy(zero_copy_only=False).astype(np.float64)
    values[filled] = flat[offsets[:-1][filled]]
    return values
