"""A run's artifacts on disk, as the components before Report leave them."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import (
    DataVerdict,
    SegmentAssignments,
    SegmentMigration,
    SegmentReport,
    SegmentSweep,
)
from components.evaluator.verdict import SliceMetrics, ThresholdResult, Verdict, write_verdict
from components.report.executor import Executor
from components.trainer.naming import name_segments
from components.trainer.profiles import profile_segments
from tests.components.report.material import MIGRATION, NASTY, SWEEP, customers, fit

RUN_ID = "2026-05-03T10-00-00"


class TinyModel(tf.Module):
    """Standardizes two columns, adds whether the third is NASTY, and takes the nearest centroid."""

    def __init__(self, mean, std, centroids, names):
        super().__init__()
        self.mean, self.std = tf.constant(mean, tf.float32), tf.constant(std, tf.float32)
        self.centroids = tf.constant(centroids, tf.float32)
        self.names = tf.constant(names)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def evaluate(self, examples):
        parsed = tf.io.parse_example(
            examples,
            {
                "recency_days": tf.io.FixedLenFeature([], tf.float32, 0.0),
                "monetary": tf.io.FixedLenFeature([], tf.float32, 0.0),
                "shop": tf.io.FixedLenFeature([], tf.string, ""),
            },
        )
        numbers = (tf.stack([parsed["recency_days"], parsed["monetary"]], axis=1) - self.mean) / self.std
        shop = tf.cast(parsed["shop"] == NASTY, tf.float32)[:, tf.newaxis]
        features = tf.concat([numbers, shop], axis=1)
        distances = tf.norm(features[:, tf.newaxis] - self.centroids, axis=2)
        nearest = tf.argmin(distances, axis=1)
        return {
            "segment_id": nearest + 1,
            "segment_name": tf.gather(self.names, nearest),
            "distance": tf.reduce_min(distances, axis=1),
            "distances": distances,
            "is_outlier": tf.zeros_like(nearest, tf.bool),
            "features": features,
        }


@dataclasses.dataclass
class Run:
    """The input artifacts of Report and where it publishes."""

    root: Path
    inputs: dict
    table: dict
    centroids: np.ndarray

    def report(self, **parameters):
        """Runs the executor; returns the SegmentReport artifact."""
        output = SegmentReport()
        output.uri = str(self.root / "report")
        properties = {
            "report_config": json.dumps({"title": None, "customers": "households"}),
            "pipeline_name": "retail",
            "run_id": RUN_ID,
            "publish_dir": str(self.root / "reports"),
            "code_version": "",
            **parameters,
        }
        Executor().Do({name: [a] for name, a in self.inputs.items()}, {"report": [output]}, properties)
        return output

    @property
    def html(self):
        return (self.root / "reports" / RUN_ID / "report.html").read_text(encoding="utf-8")

    @property
    def json(self):
        return json.loads((self.root / "reports" / RUN_ID / "report.json").read_text(encoding="utf-8"))

    def judge(self, **changes):
        """Replaces the evaluation's verdict."""
        write_verdict(self.inputs["evaluation"].uri, default_verdict(**changes))

    def search(self, sweep):
        """Gives the run a sweep over numbers of segments."""
        artifact = _artifact(SegmentSweep, self.root / "sweep")
        (self.root / "sweep" / "sweep.json").write_text(json.dumps(sweep, allow_nan=False))
        self.inputs["sweep"] = artifact

    def migrate(self, migration):
        """Gives the run a comparison with the served model's segments."""
        artifact = _artifact(SegmentMigration, self.root / "migration")
        (self.root / "migration" / "migration.json").write_text(json.dumps(migration, allow_nan=False))
        self.inputs["migration"] = artifact

    def refuse(self, blessed=False, infra_blessed=True, parent="6"):
        """Makes it a run whose model was not pushed."""
        self.inputs["pushed_model"].set_int_custom_property("pushed", 0)
        self.inputs["assignments"].set_int_custom_property("written", 0)
        self.inputs["model_blessing"].set_int_custom_property("blessed", int(blessed))
        self.inputs["infra_blessing"].set_int_custom_property("blessed", int(infra_blessed))
        self.inputs["served_model"].set_int_custom_property("served", int(parent is not None))
        self.inputs["served_model"].set_string_custom_property("version", parent or "")


def _artifact(kind, folder, **properties):
    artifact = kind()
    artifact.uri = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in properties.items():
        if isinstance(value, int):
            artifact.set_int_custom_property(name, value)
        else:
            artifact.set_string_custom_property(name, value)
    return artifact


def write_examples(folder, table, rows, name):
    folder.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / name), "GZIP") as writer:
        for i in rows:
            feature = {
                "customer_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[f"c{i}".encode()])),
                "shop": tf.train.Feature(
                    bytes_list=tf.train.BytesList(value=[str(table["shop"][i]).encode()])
                ),
            }
            for column in ("recency_days", "monetary"):
                value = [float(table[column][i])]
                feature[column] = tf.train.Feature(float_list=tf.train.FloatList(value=value))
            if table[NASTY][i]:
                # 0 stands for missing here.
                value = [int(table[NASTY][i])]
                feature[NASTY] = tf.train.Feature(int64_list=tf.train.Int64List(value=value))
            writer.write(tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString())


def default_verdict(**changes):
    verdict = Verdict(
        blessed=True,
        customers=60,
        metrics={
            "silhouette": 0.91,
            "davies_bouldin": 0.2,
            "calinski_harabasz": 12345.6,
            "inertia_per_customer": 0.04,
            "smallest_segment_share": 1 / 3,
        },
        baseline_version="6",
        baseline_metrics={"silhouette": 0.85, "smallest_segment_share": 0.25},
        no_baseline="",
        slices=[],
        thresholds=[
            ThresholdResult("silhouette", "min", 0.0, 0.91, True, True, "silhouette 0.91 is at least 0.00"),
            ThresholdResult(
                "smallest_segment_share", "min", 0.01, 0.33, True, True, "smallest share is fine"
            ),
        ],
    )
    return dataclasses.replace(verdict, **changes)


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory):
    """The SavedModel folder of three segments, exported once."""
    table = customers()
    mean, std, centroids, labels = fit(table)
    train = np.arange(len(labels)) % 5 != 0
    numeric = {name: table[name][train] for name in ("recency_days", "monetary", NASTY)}
    population, profiles = profile_segments(numeric, {"shop": table["shop"][train]}, labels[train], 3)
    sizes = np.bincount(labels[train]).tolist()
    names = name_segments(population, profiles, sizes)
    path = tmp_path_factory.mktemp("model") / "Format-Serving"
    module = TinyModel(mean, std, centroids, names)
    tf.saved_model.save(module, str(path), signatures={"evaluate": module.evaluate})
    (path / "assets.extra").mkdir()
    content = {
        "format": 1,
        "pipeline": "retail",
        "id_column": "customer_id",
        "k": 3,
        "segments": [
            {"id": j + 1, "name": names[j], "size": sizes[j], "share": sizes[j] / 240, "profile": profiles[j]}
            for j in range(3)
        ],
        "population": {"size": 240, "profile": population},
        "features": [{"name": "recency_days", "kind": "numeric"}, {"name": "monetary", "kind": "numeric"}],
        "vector": ["recency_days", "monetary", f"shop={NASTY}"],
        "space": "0" * 64,
        "parent": {"version": "6"},
        "data": {"span": 3, "as_of": "2017-12-31T23:59:00", "files": ["/data/transactions.csv"]},
        "config_hash": "abcdef0123456789",
        "versions": {"tensorflow": tf.__version__},
        "fit": {"inertia": 12.5, "iterations": 7, "converged": True},
    }
    (path / "assets.extra" / "segments.json").write_text(json.dumps(content, allow_nan=False))
    return path


@pytest.fixture
def run(tmp_path, saved_model):
    """A run whose model was pushed as version 7, over version 6."""
    return make_run(tmp_path, saved_model)


@pytest.fixture(scope="session")
def full_run(tmp_path_factory, saved_model):
    """A run with everything a page can have, and its page."""
    run = make_run(tmp_path_factory.mktemp("run"), saved_model)
    measured = {"silhouette": 0.91, "stability": 0.8, "davies_bouldin": 0.2}
    slices = [SliceMetrics("shop", value, 20, measured) for value in (NASTY, "east", "w" * 80)]
    run.judge(slices=slices)
    run.search(SWEEP)
    run.migrate(MIGRATION)
    run.report()
    return run


def make_run(tmp_path, saved_model):
    table = customers()
    _, _, centroids, labels = fit(table)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "Format-Serving").symlink_to(saved_model)
    examples = _artifact(standard_artifacts.Examples, tmp_path / "examples")
    examples.split_names = artifact_utils.encode_split_names(["train", "eval"])
    held_out = np.arange(300) % 5 == 0
    for split, rows in (("train", np.flatnonzero(~held_out)), ("eval", np.flatnonzero(held_out))):
        write_examples(tmp_path / "examples" / f"Split-{split}", table, rows, "data-00000.gz")
    ingest = {
        "files": ["/data/transactions.csv"],
        "rows_read": 1234567,
        "rows_dropped": {"keep: sales_value gt 0": 11226, "missing_ids": 0},
        "values_changed": {"monetary": {"clipped": 4, "marked_missing": 1200}, NASTY: {"unreadable": 2}},
        "customers": {"train": 240, "eval": 60},
        "id_column": "customer_id",
        "as_of": "2017-12-31T23:59:00",
        "span": 3,
        "columns": {"recency_days": "number", "monetary": "number", "shop": "text"},
    }
    (tmp_path / "examples" / "ingest.json").write_text(json.dumps(ingest))

    verdict = _artifact(DataVerdict, tmp_path / "verdict")
    anomaly = {
        "feature": "shop",
        "expected": "one of 2 values",
        "seen": NASTY,
        "count": 80,
        "severity": "warn",
    }
    gate = {"passed": True, "checked_features": 3, "customers": 300, "anomalies": [anomaly]}
    (tmp_path / "verdict" / "verdict.json").write_text(json.dumps(gate))

    evaluation = _artifact(standard_artifacts.ModelEvaluation, tmp_path / "evaluation")
    write_verdict(evaluation.uri, default_verdict())

    statistics = _artifact(standard_artifacts.ExampleStatistics, tmp_path / "statistics")
    statistics.split_names = artifact_utils.encode_split_names(["train"])
    _write_statistics(tmp_path / "statistics" / "Split-train")
    schema = _artifact(standard_artifacts.Schema, tmp_path / "schema")
    _write_schema(tmp_path / "schema")

    version = tmp_path / "serving" / "7"
    parts = tmp_path / "assignments" / "7"
    parts.mkdir(parents=True)
    # Of all 300 customers; the model's own sizes count the 240 it was fitted on.
    pq.write_table(pa.table({"segment_id": pa.array(labels + 1, pa.int64())}), parts / "assignments.parquet")
    inputs = {
        "model": _artifact(standard_artifacts.Model, tmp_path / "model"),
        "evaluation": evaluation,
        "model_blessing": _artifact(standard_artifacts.ModelBlessing, tmp_path / "blessing", blessed=1),
        "infra_blessing": _artifact(standard_artifacts.InfraBlessing, tmp_path / "infra", blessed=1),
        "examples": examples,
        "statistics": statistics,
        "schema": schema,
        "verdict": verdict,
        "pushed_model": _artifact(
            standard_artifacts.PushedModel,
            tmp_path / "pushed",
            pushed=1,
            pushed_version="7",
            pushed_destination=str(version),
        ),
        "assignments": _artifact(
            SegmentAssignments, tmp_path / "table", written=1, path=str(parts / "assignments.parquet")
        ),
        "served_model": _artifact(standard_artifacts.Model, tmp_path / "served", served=1, version="6"),
    }
    return Run(tmp_path, inputs, table, centroids)


def _write_statistics(folder):
    folder.mkdir(parents=True)
    dataset = statistics_pb2.DatasetFeatureStatistics(num_examples=240)
    number = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    number.path.step.append("monetary")
    number.num_stats.common_stats.num_non_missing = 180
    number.num_stats.min, number.num_stats.max = 12.0, 2612.4
    number.num_stats.mean, number.num_stats.median, number.num_stats.num_zeros = 1166.5, 893.0, 9
    histogram = number.num_stats.histograms.add()
    for low, count in ((0, 90), (1, 60), (2, 30)):
        histogram.buckets.add(low_value=low, high_value=low + 1, sample_count=count)
    text = dataset.features.add(type=statistics_pb2.FeatureNameStatistics.STRING)
    text.path.step.append("shop")
    text.string_stats.common_stats.num_non_missing = 240
    text.string_stats.unique = 3
    for value, count in ((NASTY, 120), ("east", 72), ("north & south", 48)):
        text.string_stats.top_values.add(value=value, frequency=count)
        text.string_stats.rank_histogram.buckets.add(label=value, sample_count=count)
    statistics = statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
    (folder / "FeatureStats.pb").write_bytes(statistics.SerializeToString())


def _write_schema(folder):
    from google.protobuf import text_format

    schema = schema_pb2.Schema()
    feature = schema.feature.add(name="monetary", type=schema_pb2.FLOAT)
    feature.float_domain.min = 0
    feature.presence.min_fraction = 0.5
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(schema))
