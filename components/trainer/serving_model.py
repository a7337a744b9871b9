"""The exported model: raw features in, segments out, nothing but TensorFlow needed."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from keyword import iskeyword

import numpy as np
import tensorflow as tf

from components.trainer.transformation import Transformation
from transforms.inputs import sparse_column

_BATCH = 65_536


@dataclass(frozen=True)
class Prototypes:
    """Where the segments are.

    centroids: float32 [k, d]. ids: int, one per centroid. names: one per centroid. radii: float32 [k], the
    distance beyond which a customer is an outlier; infinite for none.
    """

    centroids: np.ndarray
    ids: Sequence[int]
    names: Sequence[str]
    radii: np.ndarray


def distances_to(vectors: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """Euclidean distances float32 [batch, k] of vectors [batch, d] to centroids float64 [k, d].

    The nearest is the first of the smallest of these, when the model serves as when its segments are described.
    """
    # |x - c|^2 = |x|^2 - 2 x.c + |c|^2, in float64: in float32 the difference of large terms would drown
    # the distance of a customer close to a centroid.
    x = tf.cast(vectors, tf.float64)
    squared = (
        tf.reduce_sum(x * x, axis=1, keepdims=True)
        - 2.0 * tf.matmul(x, centroids, transpose_b=True)
        + tf.reduce_sum(centroids * centroids, axis=1)
    )
    return tf.cast(tf.sqrt(tf.maximum(squared, 0.0)), tf.float32)


def nearest_segments(vectors: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the served model will say of vectors [n, d]: centroid int64 [n] and distance float32 [n]."""
    exact = tf.constant(centroids, tf.float64)
    labels, distances = np.empty(len(vectors), np.int64), np.empty(len(vectors), np.float32)
    for start in range(0, len(vectors), _BATCH):
        part = slice(start, start + _BATCH)
        table = distances_to(tf.constant(vectors[part]), exact)
        labels[part], distances[part] = tf.argmin(table, axis=1), tf.reduce_min(table, axis=1)
    return labels, distances


def input_names(columns: Sequence[str]) -> dict[str, str]:
    """Names for the inputs of `assign`: the column's own where TensorFlow takes it as it is.

    TensorFlow wants distinct Python identifiers there, and rewrites or refuses the others. Spaces and other
    signs become underscores; a number is added where two would be the same.
    """
    names: dict[str, str] = {}
    # Columns that can keep their name do so before others are fitted in around them.
    for column in sorted(columns, key=lambda column: (not _fits(column), column)):
        name = stem = column if _fits(column) else "column_" + re.sub(r"[^A-Za-z0-9_]", "_", column)
        number = 1
        while name in names.values():
            number += 1
            name = f"{stem}_{number}"
        names[column] = name
    return names


def _fits(column: str) -> bool:
    return (
        re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", column) is not None
        and column != "self"
        and not iskeyword(column)
    )


def _graph(function: Callable[..., dict[str, tf.Tensor]]) -> tf.types.experimental.GenericFunction:
    # AutoGraph would look for control flow down to Keras, for seconds; there is none.
    return tf.function(function, autograph=False)


class SegmentModel(tf.Module):
    """Nearest prototype, its segment, its distance.

    Besides the signatures, a loaded SavedModel has the function `prototypes`, and with principal components
    `rotation` and `unrotated`.
    """

    def __init__(self, transformation: Transformation, prototypes: Prototypes):
        super().__init__()
        # Tracked here, or the transform's tables and constants are missing from the SavedModel.
        self.transform = transformation.graph
        self._transformation = transformation
        self._centroids = tf.constant(prototypes.centroids, tf.float64)
        self._ids = tf.constant(list(prototypes.ids), tf.int64)
        self._names = tf.constant(list(prototypes.names))
        self._radii = tf.constant(prototypes.radii, tf.float32)
        self._inputs = input_names(transformation.plan.names)
        if transformation.rotation is not None:
            # As functions of the instance, since a model without components has nothing to say here.
            matrix = tf.constant(transformation.rotation, tf.float64)
            self.rotation = tf.function(lambda: tf.identity(matrix), input_signature=[])
            serialized = tf.TensorSpec([None], tf.string, name="examples")
            self.unrotated = tf.function(self._unrotated, input_signature=[serialized])

    def assign_vectors(self, vectors: tf.Tensor) -> dict[str, tf.Tensor]:
        """Transformed rows, float32 [batch, d] -> the outputs that every signature returns."""
        distances = distances_to(vectors, self._centroids)
        nearest = tf.argmin(distances, axis=1)
        distance = tf.gather(distances, nearest, batch_dims=1)
        return {
            "segment_id": tf.gather(self._ids, nearest),
            "segment_name": tf.gather(self._names, nearest),
            "distance": distance,
            "distances": distances,
            "is_outlier": distance > tf.gather(self._radii, nearest),
        }

    # A function, not variables: those would be gone where only a signature of a loaded model is kept.
    @tf.function(input_signature=[], autograph=False)
    def prototypes(self) -> dict[str, tf.Tensor]:
        """Where the segments are: `centroids` float64 [k, d], and the `segment_id` int64 [k] of each."""
        return {"centroids": tf.identity(self._centroids), "segment_id": tf.identity(self._ids)}

    def _evaluate(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        vectors = self._transformation.vectors(self._transformation.parse(examples))
        return {**self.assign_vectors(vectors), "features": vectors}

    def _unrotated(self, examples: tf.Tensor) -> tf.Tensor:
        """Serialized tf.Examples -> float32 [batch, m], whose product with `rotation` [m, c] is their components."""
        return self._transformation.unrotated(self._transformation.parse(examples))

    def _serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return self.assign_vectors(self._transformation.vectors(self._transformation.parse(examples)))

    def _assign(self, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        dtypes = self._transformation.dtypes
        columns = {column: inputs[name] for column, name in self._inputs.items()}
        raw = {column: sparse_column(values, dtypes[column]) for column, values in columns.items()}
        # Columns that are no features are not asked for, but the transform's graph has a place for them.
        batch = tf.shape(next(iter(columns.values())))[:1]
        for name in set(dtypes) - set(columns):
            empty = "" if dtypes[name] == tf.string else float("nan")
            raw[name] = sparse_column(tf.fill(batch, empty), dtypes[name])
        return self.assign_vectors(self._transformation.vectors(raw))

    def signatures(self) -> dict[str, tf.types.experimental.ConcreteFunction]:
        """The three signatures by name; the README's section on serving describes them."""
        serialized = tf.TensorSpec([None], tf.string, name="examples")
        dtypes = self._transformation.dtypes
        columns = {
            # Whole numbers as doubles: they keep 53 bits, and NaN still says missing.
            name: tf.TensorSpec(
                [None], tf.float64 if dtypes[column] == tf.int64 else dtypes[column], name=name
            )
            for column, name in self._inputs.items()
        }
        return {
            "serving_default": _graph(self._serve).get_concrete_function(serialized),
            "assign": _graph(self._assign).get_concrete_function(**columns),
            "evaluate": _graph(self._evaluate).get_concrete_function(serialized),
        }

    def export(self, path: str) -> None:
        """Writes the SavedModel."""
        tf.saved_model.save(self, path, signatures=self.signatures())
