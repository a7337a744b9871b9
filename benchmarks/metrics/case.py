"""What is measured: rows, the model that assigns them, and both as the Evaluator takes them, in one folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.kmeans.data import mixture_blocks

ROWS_FILE = "rows.npy"
CENTROIDS_FILE = "centroids.npy"
EXAMPLES = "examples"
MODEL = "model"
_FIT_ROWS = 100_000
_SLICES = ("north", "south", "east", "west")


def prepare(folder: Path, rows: int, features: int, k: int, seed: int = 0) -> None:
    """Writes `rows` rows of a mixture of `k` Gaussians, a model of k segments, and an eval split of tf.Examples.

    Each example has an id, the columns `x0` to `x{features - 1}` and a `region` to slice by.
    """
    # TensorFlow and TFX take seconds to import; who only asks for --help does not wait for them.
    import tensorflow as tf

    from components.trainer.kmeans import KMeansOptions, fit_kmeans

    folder.mkdir(parents=True, exist_ok=True)
    matrix = np.concatenate(list(mixture_blocks(rows, features, k, seed)))
    np.save(folder / ROWS_FILE, matrix)
    centroids = fit_kmeans(matrix[:_FIT_ROWS], KMeansOptions(k=k)).centroids
    np.save(folder / CENTROIDS_FILE, centroids)
    names = [f"x{j}" for j in range(features)]
    _write_examples(folder / EXAMPLES / "Split-eval" / "data_tfrecord-00000-of-00001", matrix, names)

    module = tf.Module()
    module.centroids = tf.constant(centroids, tf.float32)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_example(
            examples, {name: tf.io.FixedLenFeature([], tf.float32) for name in names}
        )
        vectors = tf.stack([parsed[name] for name in names], axis=1)
        distances = tf.norm(vectors[:, None] - module.centroids, axis=-1)
        distance = tf.reduce_min(distances, axis=1)
        return {
            "segment_id": tf.argmin(distances, axis=1) + 1,
            "distance": distance,
            "distances": distances,
            "is_outlier": distance > np.sqrt(2 * features).astype(np.float32),
            "features": vectors,
        }

    path = folder / MODEL / "Format-Serving"
    tf.saved_model.save(module, str(path), signatures={"evaluate": evaluate})
    (path / "assets.extra").mkdir(exist_ok=True)
    described = {"space": "plain", "segments": [{"id": j + 1} for j in range(k)]}
    (path / "assets.extra" / "segments.json").write_text(json.dumps(described))


def _write_examples(path: Path, matrix: np.ndarray, names: list[str]) -> None:
    import pyarrow as pa
    import tensorflow as tf
    from tfx_bsl.coders.example_coder import RecordBatchToExamplesEncoder

    path.parent.mkdir(parents=True, exist_ok=True)
    encoder = RecordBatchToExamplesEncoder()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for start in range(0, len(matrix), 10_000):
            block = matrix[start : start + 10_000]
            number = np.arange(start, start + len(block))
            columns = {name: pa.array(column) for name, column in zip(names, block.T, strict=True)}
            columns["id"] = pa.array(np.char.add("c", number.astype(str)).tolist())
            columns["region"] = pa.array(np.array(_SLICES)[number % len(_SLICES)].tolist())
            ones = np.arange(len(block) + 1, dtype=np.int32)
            lists = [
                pa.ListArray.from_arrays(
                    pa.array(ones), column.cast(pa.binary()) if column.type == pa.string() else column
                )
                for column in columns.values()
            ]
            for example in encoder.encode(pa.RecordBatch.from_arrays(lists, list(columns))):
                writer.write(example)
