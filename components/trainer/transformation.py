"""What Transform saved, ready to be applied: at training, and inside the served model."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from components.trainer.kmeans.distances import directions
from configs.features import FeaturesConfig
from configs.selection import features_left
from transforms.blocks import WORDS_OUTPUT, block_output
from transforms.plan import FeaturePlan
from transforms.preprocessing import CENTERED_OUTPUT, KEPT_OUTPUT, MATRIX_OUTPUT, plan_from_dtypes
from transforms.vectorize import VectorLayout


class Transformation:
    """Raw parsed features -> vectors, with the graph that Transform saved.

    For the cosine metric vectors are divided by their length: between such, the nearest centroid by Euclidean
    distance is the one with the most similar direction, so everything after this needs to know nothing of it.
    """

    def __init__(self, output: tft.TFTransformOutput, plan: FeaturePlan, metric: str = "euclidean"):
        self.plan = plan
        self._spherical = metric == "cosine"
        # Not `output.transform_features_layer()`: saving a Keras layer has AutoGraph trace it anew, for seconds.
        self.graph = tf.saved_model.load(output.transform_savedmodel_dir)
        self.dtypes: dict[str, tf.DType] = {
            name: spec.dtype for name, spec in output.raw_feature_spec().items()
        }
        constants = self._constants()
        vocabularies: dict[str, list[str]] = {}
        start = 0
        for f in plan.with_vocabulary:
            words = constants[WORDS_OUTPUT][0, start : start + f.options.most_categories]
            vocabularies[f.name] = [word.decode("utf-8", "replace") for word in words if word]
            start += f.options.most_categories
        self.rotation: np.ndarray | None = None
        components = None
        if MATRIX_OUTPUT in constants:
            components = int(constants[KEPT_OUTPUT][0])
            self.rotation = constants[MATRIX_OUTPUT][0, :, :components]
        widths = {
            f.name: constants[block_output(f.name)].shape[1]
            for f in plan.blocks
            if f.options.encode == "embedding"
        }
        self.layout = VectorLayout(plan, vocabularies, widths, components)

    def _constants(self) -> dict[str, np.ndarray]:
        """What the graph says of a customer of whom nothing is known: among it, what is the same for all."""
        empty = {
            name: tf.SparseTensor(tf.zeros([0, 2], tf.int64), tf.zeros([0], dtype), [1, 1])
            for name, dtype in self.dtypes.items()
        }
        return {name: value.numpy() for name, value in self.graph.transform_fn(empty).items()}

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
        vectors = self.layout.vectorize(self.graph.transform_fn(dict(raw)))
        return directions(vectors) if self._spherical else vectors

    def unrotated(self, raw: Mapping[str, tf.SparseTensor]) -> tf.Tensor:
        """Raw features -> float32 [batch, m], whose product with `rotation` [m, c] is the components in `vectors`.

        There must be principal components. For the cosine metric it is divided by the length of the vector, too.
        """
        transformed = self.graph.transform_fn(dict(raw))
        centered = transformed[CENTERED_OUTPUT]
        if self._spherical:
            length = tf.norm(self.layout.vectorize(transformed), axis=1, keepdims=True)
            centered = tf.math.divide_no_nan(centered, length)
        return centered
