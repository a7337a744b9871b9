"""The TFRecord files of an Examples artifact."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

import tensorflow as tf
from tfx.dsl.io import fileio
from tfx.types import artifact_utils, standard_artifacts

INGEST_FILE = "ingest.json"

_HASHES = 1 << 40


def example_files(examples: standard_artifacts.Examples, splits: Sequence[str] | None = None) -> list[str]:
    """The files of `splits` (all of them by default), in a stable order. A split without files has none."""
    found = []
    for split in artifact_utils.decode_split_names(examples.split_names) if splits is None else splits:
        pattern = os.path.join(artifact_utils.get_split_uri([examples], split), "*")
        found += sorted(str(path) for path in fileio.glob(pattern))
    return found


def compression_of(path: str) -> str:
    """How a TFRecord file is compressed, in TensorFlow's words, by its suffix."""
    return "GZIP" if path.endswith(".gz") else ""


def records(files: Sequence[str], *, parallel: int = 2) -> tf.data.Dataset:
    """The serialized tf.Examples of `files`: string scalars, in the same order at every reading."""
    if not files:
        return tf.data.Dataset.from_tensor_slices(tf.zeros([0], tf.string))
    sources = tf.data.Dataset.from_tensor_slices((list(files), [compression_of(file) for file in files]))
    return sources.interleave(
        lambda file, compression: tf.data.TFRecordDataset(file, compression_type=compression),
        cycle_length=parallel,
        block_length=4096,
        num_parallel_calls=parallel,
        deterministic=True,
    )


def in_sample(examples: tf.Tensor, share: float) -> tf.Tensor:
    """Whether each customer is in a sample of `share` (0 to 1) of all of them: bool [batch].

    Who is follows from a hash of the serialized tf.Examples, string [batch], and from nothing else: neither from
    their order nor from how they are spread over files.
    """
    return tf.strings.to_hash_bucket_fast(examples, _HASHES) < int(min(share, 1.0) * _HASHES)


def read_ingest(uri: str) -> dict[str, Any]:
    """What ExampleGen says about the table: rows read and dropped, customers per split, the id column.

    Args:
      uri: of the Examples artifact.
    """
    path = os.path.join(uri, INGEST_FILE)
    if not fileio.exists(path):
        return {}
    with fileio.open(path, "r") as file:
        content: dict[str, Any] = json.loads(file.read())
    return content
