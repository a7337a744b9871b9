"""User code of the stock DAG: preprocessing, a plain k-means Trainer and one metric, as a tutorial has them.

TFX loads it by import path (`benchmarks.stock_model.run_fn`).
"""

from collections.abc import Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma
import tensorflow_transform as tft
from tfx.components.trainer.fn_args_utils import FnArgs
from tfx_bsl.public import tfxio

from benchmarks import data

K = 5
ITERATIONS = 20
SEED = 0
BATCH = 4096


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Scales every number to mean 0 and variance 1 and one-hot encodes every category, each [batch, n]."""
    outputs = {name: tft.scale_to_z_score(tf.cast(inputs[name], tf.float32)) for name in data.NUMERIC}
    for name, values in data.CATEGORIES.items():
        index = tft.compute_and_apply_vocabulary(inputs[name], num_oov_buckets=1, vocab_filename=name)
        outputs[name] = tf.one_hot(tf.squeeze(index, 1), depth=len(values) + 1)
    return outputs


def _stack(features: dict[str, tf.Tensor]) -> tf.Tensor:
    """Puts the transformed columns side by side: float32 [batch, d]."""
    columns = [features[name] for name in (*data.NUMERIC, *data.CATEGORIES)]
    return tf.concat([tf.reshape(column, [tf.shape(column)[0], -1]) for column in columns], axis=1)


def _squared_distances(points: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """Squared Euclidean distances [n, k] of points [n, d] and centroids [k, d]."""
    cross = tf.matmul(points, centroids, transpose_b=True)
    return tf.maximum(
        tf.reduce_sum(points**2, axis=1, keepdims=True) - 2 * cross + tf.reduce_sum(centroids**2, axis=1), 0
    )


@tf.function
def _lloyd_step(points: tf.Tensor, centroids: tf.Tensor) -> tf.Tensor:
    """One pass of Lloyd's algorithm: the mean of each centroid's points; one without points stays."""
    labels = tf.argmin(_squared_distances(points, centroids), axis=1)
    sums = tf.math.unsorted_segment_sum(points, labels, K)
    counts = tf.math.unsorted_segment_sum(tf.ones_like(labels, tf.float32), labels, K)[:, None]
    return tf.where(counts > 0, tf.math.divide_no_nan(sums, counts), centroids)


class _Server(tf.Module):
    """The exported model: raw serialized examples to the nearest centroid and the distance to it."""

    def __init__(self, centroids: tf.Tensor, transform: tft.TFTransformOutput) -> None:
        super().__init__()
        self.centroids = tf.Variable(centroids, trainable=False)
        self.transform_layer = transform.transform_features_layer()
        self._feature_spec = transform.raw_feature_spec()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        features = self.transform_layer(tf.io.parse_example(examples, self._feature_spec))
        squared = _squared_distances(_stack(features), self.centroids)
        return {"segment_id": tf.argmin(squared, axis=1), "distance": tf.sqrt(tf.reduce_min(squared, axis=1))}


def run_fn(fn_args: FnArgs) -> None:
    """TFX's Trainer calls this: k-means on the materialized transformed examples, exported to serve."""
    transform = tft.TFTransformOutput(fn_args.transform_output)
    batches = fn_args.data_accessor.tf_dataset_factory(
        fn_args.train_files,
        tfxio.TensorFlowDatasetOptions(batch_size=BATCH, num_epochs=1, shuffle=False),
        transform.transformed_metadata.schema,
    )
    points = tf.concat([_stack(batch) for batch in batches], axis=0)
    chosen = np.random.default_rng(SEED).choice(points.shape[0], K, replace=False)
    centroids = tf.gather(points, chosen)
    for _ in range(ITERATIONS):
        centroids = _lloyd_step(points, centroids)
    server = _Server(centroids, transform)
    tf.saved_model.save(server, fn_args.serving_model_dir, signatures={"serving_default": server.serve})


class _MeanCombiner(beam.CombineFn):
    """The mean of one model output over all rows."""

    def __init__(self, key: tfma.metrics.MetricKey, output: str) -> None:
        self._key = key
        self._output = output

    def create_accumulator(self) -> tuple[float, int]:
        return 0.0, 0

    def add_input(self, accumulator: tuple[float, int], element: Any) -> tuple[float, int]:
        value = np.asarray(element.prediction[self._output])
        return accumulator[0] + float(value.sum()), accumulator[1] + value.size

    def merge_accumulators(self, accumulators: Iterator[tuple[float, int]]) -> tuple[float, int]:
        totals, counts = zip(*accumulators, strict=True)
        return sum(totals), sum(counts)

    def extract_output(self, accumulator: tuple[float, int]) -> dict[tfma.metrics.MetricKey, float]:
        total, count = accumulator
        return {self._key: total / count if count else float("nan")}


class MeanDistance(tfma.metrics.Metric):
    """Mean distance of a customer to the nearest centroid: the one metric of the stock Evaluator."""

    def __init__(self, name: str = "mean_distance") -> None:
        super().__init__(tfma.metrics.merge_per_key_computations(_mean_distance), name=name)


def _mean_distance(name: str = "mean_distance", model_name: str = "", **_: Any) -> list[Any]:
    key = tfma.metrics.MetricKey(name=name, model_name=model_name)
    combiner = _MeanCombiner(key, "distance")
    return [tfma.metrics.MetricComputation(keys=[key], preprocessors=None, combiner=combiner)]
