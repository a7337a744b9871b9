"""Text as vectors, by a model of somebody else's that becomes part of ours."""

from __future__ import annotations

import os
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft


def embed(values: tf.Tensor, model: str, name: str) -> tf.Tensor:
    """Applies a SavedModel to text.

    Args:
      values: string [batch], '' where missing.
      model: its folder: of a TensorFlow Hub text module, unpacked, or of any SavedModel that can be called with, or
        whose signature `serving_default` takes, string [batch], and that gives float [batch, d].
      name: of the feature.

    Returns:
      float64 [batch, d]; NaN where the text is missing, or the model gives no finite vector. The model's weights,
      tables and files are saved with the graph that this is traced into.

    Raises:
      ValueError: the model is not such.
    """
    # TFT traces this several times; the model is loaded once per graph and saved with the last one.
    loaded = tft.make_and_track_object(lambda: tf.saved_model.load(model), name=f"model_of_{name}")
    where = f"features.columns.{name}.model: the SavedModel {os.path.basename(model.rstrip('/'))}"
    vectors = _call(loaded, values, where)
    shape = vectors.shape
    if not vectors.dtype.is_floating or shape.rank != 2 or shape[1] is None:
        raise ValueError(f"{where} gives {vectors.dtype.name} {shape}, where float32 [batch, d] is needed")
    missing = tf.equal(values, "")[:, tf.newaxis] | ~tf.reduce_all(
        tf.math.is_finite(vectors), axis=1, keepdims=True
    )
    return tf.where(missing, tf.constant(float("nan"), tf.float64), tf.cast(vectors, tf.float64))


def _call(loaded: Any, values: tf.Tensor, where: str) -> tf.Tensor:
    try:
        if callable(loaded):
            result = loaded(values)
        else:
            signature = loaded.signatures["serving_default"]
            ((argument, _),) = signature.structured_input_signature[1].items()
            result = signature(**{argument: values})
    except (KeyError, ValueError, TypeError, tf.errors.InvalidArgumentError) as error:
        raise ValueError(f"{where} cannot be called with text, string [batch]: {error}") from error
    if isinstance(result, dict):
        if len(result) != 1:
            raise ValueError(f"{where} gives {len(result)} outputs ({', '.join(sorted(result))}), not one")
        (result,) = result.values()
    return tf.convert_to_tensor(result)
