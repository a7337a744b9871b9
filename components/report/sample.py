"""A sample of held-out customers as the exported model sees them."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tfx.types import standard_artifacts
from tfx.utils import path_utils

from components.example_files import example_files, read_ingest, records

MOST = 2_000
SPLITS = ("eval", "train")
"""Where the sample comes from: the first of these that has customers."""


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


def sample_customers(
    model: standard_artifacts.Model, examples: standard_artifacts.Examples, most: int = MOST
) -> Sample:
    """Asks the model's `evaluate` signature about every i-th customer, at most `most` of them.

    Raises:
      ValueError: the model has no such signature, or no split has customers.
      tf.errors.OpError: the model does not answer.
    """
    signatures = tf.saved_model.load(path_utils.serving_model_path(model.uri)).signatures
    if "evaluate" not in signatures:
        raise ValueError(f"the model has no signature 'evaluate', only {', '.join(signatures) or 'none'}")
    for split in SPLITS:
        rows = _every_ith(examples, split, most)
        if len(rows):
            answers = {name: value.numpy() for name, value in signatures["evaluate"](examples=rows).items()}
            return Sample(
                split=split,
                features=answers["features"],
                segment_ids=answers["segment_id"],
                distances=answers["distances"],
                outliers=answers["is_outlier"],
            )
    raise ValueError(f"there are no customers in the splits {' and '.join(SPLITS)}")


def _every_ith(examples: standard_artifacts.Examples, split: str, most: int) -> tf.Tensor:
    count = read_ingest(examples.uri).get("customers", {}).get(split, 0)
    step = max(math.ceil(count / most), 1)
    rows = records(example_files(examples, [split])).shard(step, 0).take(most).batch(most)
    return next(iter(rows), tf.zeros([0], tf.string))
