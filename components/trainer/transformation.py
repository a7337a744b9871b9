"""What Transform saved, ready to be applied: at training, and inside the served model."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft

from components.trainer.kmeans.distances import directions
from configs.features import FeaturesConfig
from configs.selection import features_left
from transforms.encoding import vocabulary_name
from transforms.plan import FeaturePlan
from transforms.preprocessing import plan_from_dtypes
from transforms.vectorize import VectorLayout


class Transformation:
    """Raw parsed features -> vectors, with the graph that Transform saved.

    For the cosine metric vectors are divided by their length: between such, the nearest centroid by Euclidean
    distance is the one with the most similar direction, so everything after this needs to know nothing of it.
    """

    def __init__(self, output: tft.TFTransformOutput, plan: FeaturePlan, metric: str = "euclidean"):
        self.plan = plan
        self._spherical = metric == "cosine"
        self.layer = output.transform_features_layer()
        self.dtypes: dict[str, tf.DType] = {
            name: spec.dtype for name, spec in output.raw_feature_spec().items()
        }
        vocabularies = {
            f.name: [
                word.decode("utf-8", "replace") for word in output.vocabulary_by_name(vocabulary_name(f.name))
            ]
            for f in plan.one_hot
        }
        self.layout = VectorLayout(plan, vocabularies)

    @classmethod
    def saved(
        cls, graph: str, features: FeaturesConfig, id_column: str | None, metric: str, selected: bool = False
    ) -> Transformation:
        """What Transform saved under `graph` for the section `features`; `metric` as in `ModelConfig`.

        `selected`: whether columns that `features` names may be gone (`custom_config` of Transform says so, too).
        """
        output = tft.TFTransformOutput(graph)
        dtypes = {name: spec.dtype for name, spec in output.raw_feature_spec().items()}
        if selected:
            features = features_left(features, dtypes)
        return cls(output, plan_from_dtypes(features, dtypes, id_column), metric)

    def parse(self, examples: tf.Tensor) -> dict[str, tf.SparseTensor]:
        """Serialized tf.Examples, string [batch] -> raw features; missing ones are empty, never refused."""
        return tf.io.parse_example(
            examples, {name: tf.io.VarLenFeature(dtype) for name, dtype in self.dtypes.items()}
        )

    def vectors(self, raw: Mapping[str, tf.SparseTensor]) -> tf.Tensor:
        """Raw features -> float32 [batch, d]."""
        vectors = self.layout.vectorize(self.layer(dict(raw)))
        return directions(vectors) if self._spherical else vectors
