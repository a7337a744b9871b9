"""What each model says of a batch of customers, called the way it was exported.

TFMA's own extractor calls a signature by position, which TensorFlow answers only after it has put the whole batch
into words for an error that no one sees: 50 microseconds a customer, most of an evaluation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import tensorflow as tf
from tensorflow_model_analysis import constants
from tensorflow_model_analysis.utils import model_util

from components.evaluator.rows import MODEL_OUTPUTS, OPTIONAL_OUTPUTS


def predict(eval_shared_model: Any, signature: str) -> beam.PTransform:
    """A transform that adds `predictions` to extracts with serialized examples `input` [b].

    Args:
      eval_shared_model: the model, or candidate and baseline, as TFMA has them.
      signature: that both are called by.

    Returns:
      Of one model its outputs, name -> [b, ...]; of several those of each, model's name -> name -> [b, ...].
    """
    models = model_util.verify_and_update_eval_shared_models(eval_shared_model)
    return beam.ParDo(_Predict({model.model_name: model.model_loader for model in models}, signature))


class _Predict(model_util.DoFnWithModels):
    def __init__(self, model_loaders: dict[str, Any], signature: str) -> None:
        super().__init__(model_loaders)
        self._signature = signature

    def process(self, extracts: dict[str, Any]) -> Iterator[dict[str, Any]]:
        batch = tf.constant(extracts[constants.INPUT_KEY], tf.string)
        outputs = {
            name: self._outputs(model.signatures[self._signature], batch)
            for name, model in self._loaded_models.items()
        }
        several = len(outputs) > 1
        yield {**extracts, constants.PREDICTIONS_KEY: outputs if several else next(iter(outputs.values()))}

    def _outputs(self, signature: Any, batch: tf.Tensor) -> dict[str, Any]:
        (name,) = signature.structured_input_signature[1]
        outputs = signature(**{name: batch})
        return {
            name: outputs[name].numpy() for name in (*MODEL_OUTPUTS, *OPTIONAL_OUTPUTS) if name in outputs
        }
