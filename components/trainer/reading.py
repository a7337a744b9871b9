"""Customers from tf.Examples: vectors to cluster, and raw columns to describe the clusters with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import tensorflow as tf

from components.example_files import in_sample, records
from components.trainer.transformation import Transformation
from transforms.inputs import categories, numbers

_BATCH = 8192


@dataclass(frozen=True)
class Customers:
    """All customers of a split, in the order of the files.

    vectors: float32 [n, d], transformed. numeric: column -> float64 [n], NaN where missing. categorical:
    column -> dictionary-encoded strings [n], '' where missing. sampled: int64 [m], rows of a sample. records: bytes
    [m], the sampled customers' tf.Examples.
    """

    vectors: np.ndarray
    numeric: Mapping[str, np.ndarray]
    categorical: Mapping[str, pa.Array]
    sampled: np.ndarray
    records: np.ndarray


def load_customers(
    files: Sequence[str], transformation: Transformation, every: int = 1, sampled: float = 0.0
) -> Customers:
    """Reads a split into memory, once.

    Args:
      files: TFRecord files of tf.Examples, plain or gzip by their suffix.
      transformation: what to apply.
      every: read only the first of so many customers, then the first of the next so many.
      sampled: the share of the customers that the sample has, from 0 to 1; who is in it depends on no order.

    Raises:
      ValueError: when there is no customer at all.
    """
    plan = transformation.plan
    numeric_names = [f.name for f in plan.numeric]
    text_names = [f.name for f in plan.texts]

    # Not by AutoGraph: there is no control flow to convert, and looking for it, down to Keras, takes seconds.
    @tf.autograph.experimental.do_not_convert
    def extract(examples: tf.Tensor) -> dict[str, tf.Tensor | list[tf.Tensor]]:
        raw = transformation.parse(examples)
        extracted = {
            "vectors": transformation.vectors(raw),
            "texts": tuple(categories(raw[name]) for name in text_names),
        }
        if sampled > 0:
            extracted["chosen"] = chosen = in_sample(examples, sampled)
            extracted["records"] = tf.boolean_mask(examples, chosen)
        if numeric_names:
            extracted["numbers"] = numbers([raw[name] for name in numeric_names])
        return extracted

    batches = (
        records(sorted(files))
        .shard(every, 0)
        .batch(_BATCH)
        .map(extract, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(2)
    )
    vectors: list[np.ndarray] = []
    stacks: list[np.ndarray] = []
    texts: list[list[pa.Array]] = [[] for _ in text_names]
    chosen: list[np.ndarray] = [np.zeros(0, bool)]
    examples: list[np.ndarray] = [np.zeros(0, object)]
    for batch in batches.as_numpy_iterator():
        vectors.append(batch["vectors"])
        if sampled > 0:
            chosen.append(batch["chosen"])
            examples.append(batch["records"])
        if numeric_names:
            stacks.append(batch["numbers"])
        for column, values in zip(texts, batch["texts"], strict=True):
            column.append(pa.array(values, pa.binary()).dictionary_encode())
    if not vectors:
        raise ValueError("the training split holds no customers")
    return Customers(
        np.concatenate(vectors),
        dict(zip(numeric_names, np.concatenate(stacks).T, strict=True)) if numeric_names else {},
        {name: _one_dictionary(chunks) for name, chunks in zip(text_names, texts, strict=True)},
        np.flatnonzero(np.concatenate(chosen)),
        np.concatenate(examples),
    )


def stream_vectors(
    files: Sequence[str], transformation: Transformation, worker: int = 0, workers: int = 1
) -> tf.data.Dataset:
    """The vectors of every `workers`-th customer, in the order of `load_customers`, beginning with `worker`.

    Args:
      files: TFRecord files of tf.Examples, the same for all workers.
      transformation: what to apply.
      worker: whose customers; from 0.
      workers: how many share the split.

    Returns:
      Batches float32 [b, d].
    """
    columns = len(transformation.layout.names)

    @tf.autograph.experimental.do_not_convert
    def vectors(examples: tf.Tensor) -> tf.Tensor:
        return tf.ensure_shape(transformation.vectors(transformation.parse(examples)), [None, columns])

    return (
        records(sorted(files)).shard(workers, worker).batch(_BATCH).map(vectors, tf.data.AUTOTUNE).prefetch(2)
    )


def load_shard(files: Sequence[str], transformation: Transformation, worker: int, workers: int) -> np.ndarray:
    """What `stream_vectors` streams, in memory: float32 [n, d]; n may be 0."""
    batches = stream_vectors(files, transformation, worker, workers).as_numpy_iterator()
    nothing = np.zeros([0, len(transformation.layout.names)], np.float32)
    return np.concatenate([nothing, *batches])


def _one_dictionary(chunks: list[pa.Array]) -> pa.Array:
    unified = pa.chunked_array(chunks).unify_dictionaries()
    codes = np.concatenate([chunk.indices.to_numpy(zero_copy_only=False) for chunk in unified.chunks])
    # Decoded leniently: a stray byte must not end a fit that has nothing to do with it.
    words = [word.as_py().decode("utf-8", "replace") for word in unified.chunk(0).dictionary]
    return pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), pa.array(words, pa.string()))
