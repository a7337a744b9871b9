"""Asks the served model about a sample of today's customers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from components.drift.population import Assigned
from components.errors import graph_cause
from components.example_files import records

SIGNATURE = "serving_default"
_BATCH = 16384
_HASHES = 1 << 40


class CannotAssign(Exception):
    """The served model has no answer for this data. The message says why."""


def assign_sample(model_dir: str, files: Sequence[str], customers: int, most: int) -> Assigned:
    """Assigns a sample of the customers by a served model.

    Whether a customer is in the sample follows from a hash of the row, whatever file it is in and however the
    files are ordered.

    Args:
      model_dir: the SavedModel.
      files: TFRecords of tf.Examples.
      customers: how many there are in them.
      most: about how many to ask about at most.

    Raises:
      CannotAssign: the model does not load or does not take these rows.
    """
    # A broken SavedModel breaks in as many ways as it has files (protobuf, checkpoint, op registry).
    try:
        assign = tf.saved_model.load(model_dir).signatures[SIGNATURE]
    except Exception as error:
        raise CannotAssign(f"it does not load ({graph_cause(error)})") from error
    limit = _HASHES if customers <= most else round(most / customers * _HASHES)

    @tf.autograph.experimental.do_not_convert
    def drawn(rows: tf.Tensor) -> tf.Tensor:
        return tf.boolean_mask(rows, tf.strings.to_hash_bucket_fast(rows, _HASHES) < limit)

    rows = records(files).batch(_BATCH)
    if limit < _HASHES:
        rows = rows.map(drawn, num_parallel_calls=tf.data.AUTOTUNE).unbatch().batch(_BATCH)
    parts = []
    try:
        for batch in rows:
            answer = assign(examples=batch)
            parts.append([answer[name].numpy() for name in ("segment_id", "distance", "is_outlier")])
    except (tf.errors.OpError, ValueError, TypeError, KeyError) as error:
        raise CannotAssign(graph_cause(error)) from error
    if not parts:
        raise CannotAssign("there is no customer to ask about")
    segment_ids, distances, outliers = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Assigned(segment_ids, distances, outliers)
