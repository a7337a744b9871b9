"""A small model with the three signatures of the contract, the table it is for, and its ways to be broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

CENTROIDS = np.array([[2.0, 0.0, 0.0], [4.0, 8.0, 1.0], [7.0, 3.0, 0.0]], np.float32)
IDS = (1, 2, 5)  # as after a retrain that retired 3 and 4
NAMES = ("young, occasional", "frequent, Paris", "older")
OUTLIER_RADIUS = 4.0


class SegmentModel(tf.Module):
    """Customers with an age, a number of visits and a city; features are age / 10, visits and is-Paris."""

    def __init__(self, defect: str | None):
        super().__init__()
        self.defect = defect
        self.centroids = tf.constant(CENTROIDS)
        ids = [1, 2, 99] if defect == "unknown id" else IDS
        names = ["x", *NAMES[1:]] if defect == "wrong name" else NAMES
        self.ids = tf.constant(ids, tf.int32 if defect == "int32 id" else tf.int64)
        self.names = tf.constant(names)

    def features(self, age, visits, city):
        if self.defect == "refuses missing":
            tf.debugging.assert_all_finite(age, "age is missing")
        age = tf.where(tf.math.is_finite(age), age, 40.0)
        visits = tf.where(tf.math.is_finite(visits), visits, 2.0)
        if self.defect == "refuses unseen":
            tf.debugging.Assert(tf.reduce_all(tf.strings.length(city) < 10), ["no such city"])
        return tf.stack([age / 10.0, visits, tf.cast(city == "Paris", tf.float32)], axis=1)

    def answer(self, features, evaluate=False):
        distances = tf.norm(features[:, None, :] - self.centroids[None], axis=2)
        nearest = tf.argmin(distances, axis=1)
        if self.defect == "farthest":
            nearest = tf.argmax(distances, axis=1)
        distance = tf.gather(distances, nearest, batch_dims=1)
        if self.defect == "nan distance":
            distance = tf.where(features[:, 2] > 0, distance, float("nan"))
        if self.defect == "negative distance":
            distance, distances = -distance, -distances
        outputs = {
            "segment_id": tf.gather(self.ids, nearest),
            "segment_name": tf.gather(self.names, nearest),
            "distance": distance,
            "distances": distances[:, :2] if self.defect == "narrow" else distances,
            "is_outlier": distance > OUTLIER_RADIUS,
        }
        if self.defect == "no outlier flag":
            del outputs["is_outlier"]
        return {**outputs, "features": features} if evaluate else outputs

    def parse(self, examples):
        sparse = tf.io.parse_example(
            examples,
            {
                "age": tf.io.VarLenFeature(tf.float32),
                "visits": tf.io.VarLenFeature(tf.int64),
                "city": tf.io.VarLenFeature(tf.string),
            },
        )
        visits = sparse["visits"]
        visits = tf.sparse.SparseTensor(
            visits.indices, tf.cast(visits.values, tf.float32), visits.dense_shape
        )

        def dense(column, missing):
            return tf.sparse.to_dense(tf.sparse.reset_shape(column, [tf.size(examples), 1]), missing)[:, 0]

        return self.features(
            dense(sparse["age"], float("nan")), dense(visits, float("nan")), dense(sparse["city"], "")
        )

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serving_default(self, examples):
        return self.answer(self.parse(examples))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples):
        return self.answer(self.parse(examples), evaluate=True)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float32, name="age"),
            tf.TensorSpec([None], tf.float32, name="visits"),
            tf.TensorSpec([None], tf.string, name="city"),
        ]
    )
    def assign(self, age, visits, city):
        age = age + 20.0 if self.defect == "assign differs" else age
        return self.answer(self.features(age, visits, city))


def export(folder: Path, defect: str | None = None) -> Path:
    """Writes the model as a SavedModel with its segments.json."""
    model = SegmentModel(defect)
    signatures = {name: getattr(model, name) for name in ("serving_default", "assign", "evaluate")}
    if defect == "no assign":
        del signatures["assign"]
    tf.saved_model.save(model, str(folder), signatures=signatures)
    segments = [{"id": i, "name": n, "size": 1, "share": 1 / 3} for i, n in zip(IDS, NAMES, strict=True)]
    (folder / "assets.extra").mkdir()
    if defect != "no segments.json":
        content = json.dumps({"format": 1, "segments": segments})
        (folder / "assets.extra" / "segments.json").write_text(content)
    return folder


def model_artifact(root: Path, defect: str | None = None) -> standard_artifacts.Model:
    artifact = standard_artifacts.Model()
    artifact.uri = str(root)
    export(root / "Format-Serving", defect)
    return artifact


def table(n: int, seed: int = 0, prefix: str = "c") -> list[dict]:
    """Customers as dicts; about a tenth of the values is missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        row = {
            "customer_id": f"{prefix}{i}",
            "age": float(rng.uniform(18, 80)),
            "visits": int(rng.integers(0, 12)),
            "city": str(rng.choice(["Paris", "Lyon", "Nice"])),
        }
        rows.append({k: v for k, v in row.items() if k == "customer_id" or rng.uniform() > 0.1})
    return rows


def example(row: dict) -> bytes:
    feature = {}
    for name, value in row.items():
        if isinstance(value, str):
            feature[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        elif isinstance(value, int):
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_examples(
    root: Path,
    splits: dict[str, list[dict]],
    shards: int = 1,
    compressed: bool = True,
    columns: dict[str, str] | None = None,
) -> standard_artifacts.Examples:
    """An Examples artifact on disk, with its ingest.json."""
    artifact = standard_artifacts.Examples()
    artifact.uri = str(root)
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    for split, rows in splits.items():
        folder = root / f"Split-{split}"
        folder.mkdir(parents=True)
        for shard in range(shards):
            suffix = ".gz" if compressed else ""
            path = folder / f"data_tfrecord-{shard:05d}-of-{shards:05d}{suffix}"
            with tf.io.TFRecordWriter(str(path), "GZIP" if compressed else None) as writer:
                for row in rows[shard::shards]:
                    writer.write(example(row))
    customers = {split: len(rows) for split, rows in splits.items()}
    ingest = {"id_column": "customer_id", "customers": customers, "columns": columns or {}}
    (root / "ingest.json").write_text(json.dumps(ingest))
    return artifact


def reference(rows: list[dict]) -> dict[str, np.ndarray]:
    """What the model must say of the rows, by NumPy."""
    features = np.array(
        [[r.get("age", 40.0) / 10, r.get("visits", 2), r.get("city") == "Paris"] for r in rows], np.float32
    ).reshape(-1, 3)
    distances = np.linalg.norm(features[:, None] - CENTROIDS[None], axis=2)
    nearest = distances.argmin(axis=1)
    distance = distances.min(axis=1)
    return {
        "customer_id": np.array([r["customer_id"] for r in rows], object),
        "segment_id": np.array(IDS)[nearest],
        "segment_name": np.array(NAMES, object)[nearest],
        "distance": distance,
        "is_outlier": distance > OUTLIER_RADIUS,
    }
