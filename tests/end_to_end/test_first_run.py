"""Zero configuration to a served model, and what a second run does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics as reference

from configs.evaluation import HIGHER_IS_BETTER
from tests.end_to_end.command import PROJECT, Segments, customer_table, write_csv

pytestmark = pytest.mark.slow

UP_TO_GATE = {"ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "DataGate"}
FROM_SERVED_MODEL = {
    "ServedModel", "DriftCheck", "Transform", "Trainer", "ServingCheck", "Evaluator", "Pusher", "Assignments",
    "Migration", "Report",
}  # fmt: skip

# Runs in a process of its own, away from the project: nothing but TensorFlow is there to help.
CLEAN_PROCESS = """
import json, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
def example(**values):
    features = {}
    for name, value in values.items():
        if isinstance(value, str):
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))
        elif isinstance(value, int):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        else:
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
rows = [
    dict(age=25, income=3000.0, visits=2, plan="basic"),
    dict(age=55, income=22000.0, visits=22, plan="pro"),
    dict(),
    dict(age=25, income=3000.0, visits=2, plan="never seen"),
]
served = model.signatures["serving_default"](examples=tf.constant([example(**row) for row in rows]))
def column(name, default, dtype):
    return tf.constant([row.get(name, default) for row in rows], dtype)
nan = float("nan")
assigned = model.signatures["assign"](
    age=column("age", nan, tf.float64), income=column("income", nan, tf.float32),
    visits=column("visits", nan, tf.float64), plan=column("plan", "", tf.string),
)
for name in served:
    assert served[name].dtype == assigned[name].dtype, name
    assert (served[name].numpy() == assigned[name].numpy()).all(), name
foreign = [m for m in sys.modules if m.split(".")[0] in ("tfx", "tensorflow_transform", "apache_beam", "components")]
assert not foreign, foreign
print(json.dumps({
    "dtypes": {name: [value.dtype.name, value.shape.rank] for name, value in served.items()},
    "segment_id": served["segment_id"].numpy().tolist(),
    "segment_name": [name.decode() for name in served["segment_name"].numpy()],
    "distance": served["distance"].numpy().tolist(),
    "distances": served["distances"].numpy().tolist(),
}))
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Segments, dict[str, Any]]:
    """A first run with `data.path` and k alone."""
    segments = Segments(tmp_path_factory.mktemp("first"))
    write_csv(segments.data, customer_table(600))
    return segments, segments.json("run")


def test_the_result(ran: tuple[Segments, dict[str, Any]]) -> None:
    segments, result = ran
    assert result["status"] == "pushed"
    assert result["k"] == 3
    assert result["model"] == str(segments.workspace / "serving" / "1")
    assert Path(result["report"]).read_text().startswith("<!DOCTYPE html>")
    assert set(result["seconds"]) == UP_TO_GATE | FROM_SERVED_MODEL
    assert set(result["metrics"]) == set(HIGHER_IS_BETTER)
    assert [s["id"] for s in result["segments"]] == [1, 2, 3]
    assert sum(s["share"] for s in result["segments"]) == pytest.approx(1)
    assert len({s["name"] for s in result["segments"]}) == 3


def assigned(result: dict[str, Any]) -> dict[str, np.ndarray]:
    table = pq.read_table(result["assignments"])
    return {name: table[name].to_numpy() for name in table.column_names}


def test_every_customer_is_assigned_to_the_kind_it_is_of(ran: tuple[Segments, dict[str, Any]]) -> None:
    _, result = ran
    table = assigned(result)
    assert set(table) == {"customer_id", "segment_id", "segment_name", "distance", "is_outlier"}
    truth = customer_table(600)
    assert sorted(table["customer_id"]) == sorted(truth["customer_id"])
    plan = dict(zip(truth["customer_id"], truth["plan"], strict=True))
    assert reference.adjusted_rand_score([plan[c] for c in table["customer_id"]], table["segment_id"]) == 1.0
    assert 0 < table["is_outlier"].sum() < 600 * 0.03
    names = {s["id"]: s["name"] for s in result["segments"]}
    assert [names[i] for i in table["segment_id"]] == table["segment_name"].tolist()


def test_the_metrics_are_scikit_learns(ran: tuple[Segments, dict[str, Any]]) -> None:
    """The served model's vectors and segments of the eval split, through scikit-learn."""
    import tensorflow as tf

    segments, result = ran
    files = sorted(segments.workspace.glob("artifacts/ExampleGen/examples/*/Split-eval/*"))
    examples = tf.data.TFRecordDataset([str(f) for f in files]).batch(1000).get_single_element()
    outputs = tf.saved_model.load(result["model"]).signatures["evaluate"](examples=examples)
    vectors, labels = outputs["features"].numpy().astype(np.float64), outputs["segment_id"].numpy()
    measured = result["metrics"]
    assert measured["davies_bouldin"] == pytest.approx(
        reference.davies_bouldin_score(vectors, labels), rel=1e-4
    )
    assert measured["calinski_harabasz"] == pytest.approx(
        reference.calinski_harabasz_score(vectors, labels), rel=1e-4
    )
    assert measured["silhouette"] == pytest.approx(
        reference.silhouette_score(vectors, labels, metric="sqeuclidean"), rel=1e-4
    )
    distances = outputs["distance"].numpy()
    assert measured["inertia_per_customer"] == pytest.approx(np.mean(distances**2), rel=1e-4)
    assert measured["smallest_segment_share"] == pytest.approx(np.bincount(labels)[1:].min() / len(labels))


def test_the_model_in_a_clean_process(ran: tuple[Segments, dict[str, Any]], tmp_path: Path) -> None:
    _, result = ran
    done = subprocess.run(
        [sys.executable, "-c", CLEAN_PROCESS, result["model"]],
        capture_output=True, text=True, cwd=tmp_path, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["dtypes"] == {
        "segment_id": ["int64", 1],
        "segment_name": ["string", 1],
        "distance": ["float32", 1],
        "distances": ["float32", 2],
        "is_outlier": ["bool", 1],
    }
    ids = answer["segment_id"]
    assert ids[0] != ids[1]
    assert ids[3] == ids[0], "an unseen category is answered by what else is known"
    assert np.isfinite(answer["distances"]).all()
    names = {s["id"]: s["name"] for s in result["segments"]}
    assert [names[i] for i in ids] == answer["segment_name"]


def test_segments_json(ran: tuple[Segments, dict[str, Any]]) -> None:
    _, result = ran
    content = json.loads(Path(result["model"], "assets.extra", "segments.json").read_text())
    table = customer_table(600)
    incomes = np.array(table["income"])
    for segment in content["segments"]:
        profile = segment["profile"]
        (plan, share), *_ = profile["categorical"]["plan"]["values"].items()
        assert share == 1.0
        own = incomes[np.array(table["plan"]) == plan]
        # Profiles are of the train split, four fifths of these.
        assert profile["numeric"]["income"]["median"] == pytest.approx(np.median(own), rel=0.05)
    assert content["vector"][:3] == ["age", "income", "visits"]
    assert content["parent"] is None, "the first one replaces nothing"
    assert content["data"]["files"]


def test_nothing_new_is_up_to_date_within_five_seconds(ran: tuple[Segments, dict[str, Any]]) -> None:
    segments, result = ran
    began = time.monotonic()
    again = segments.json("run")
    assert time.monotonic() - began < 5
    assert again["status"] == "up_to_date"
    assert again["model"] == result["model"]
    assert again["segments"] == result["segments"]
    assert segments.versions() == ["1"]


def test_history_and_page(ran: tuple[Segments, dict[str, Any]]) -> None:
    segments, result = ran
    listed = segments.json("runs")
    assert listed["served"] == "1"
    assert [(r["status"], r["version"], r["k"]) for r in listed["runs"]] == [("pushed", "1", 3)]
    assert segments("report").stdout.strip() == result["report"]


def test_only_what_depends_on_a_change_runs_again(tmp_path: Path) -> None:
    """One run per kind of change, in one workspace: a threshold, a feature, the curated schema, the data."""
    segments = Segments(tmp_path)
    write_csv(segments.data, customer_table(300))
    schema = tmp_path / "schema.pbtxt"
    done = segments("schema", "--write", str(schema))
    assert done.returncode == 0, done.stderr
    segments.config["validation"] = {"schema": "schema.pbtxt"}
    first = segments.json("run")
    assert segments.node_ids(first, cached=True) >= {"ExampleGen", "StatisticsGen"}, (
        "the schema command ran them"
    )

    segments.config["evaluation"] = {"thresholds": {"davies_bouldin": {"max": 3.0}}}
    threshold = segments.json("run")
    assert (threshold["status"], threshold["version"]) == ("pushed", "1"), "it changes no model"
    again = {"ServedModel", "DriftCheck", "Transform", "Trainer", "ServingCheck"}
    assert segments.node_ids(threshold, cached=True) == UP_TO_GATE | again

    segments.config["features"] = {"columns": {"income": {"log1p": True}}}
    feature = segments.json("run")
    # Version 1 is the parent now, whose segments the next model continues: a fit of its own.
    assert segments.node_ids(feature, cached=True) == UP_TO_GATE

    schema.write_text(schema.read_text() + '\nstring_domain { name: "unused" value: "x" }\n')
    curated = segments.json("run")
    assert segments.node_ids(curated, cached=True) == {"ExampleGen", "StatisticsGen"}

    write_csv(segments.data, customer_table(301))
    new_data = segments.json("run")
    assert segments.node_ids(new_data, cached=True) == {"SchemaGen"}
    assert segments.versions() == ["1", "2", "3", "4"]
    described = json.loads(Path(new_data["model"], "assets.extra", "segments.json").read_text())
    assert described["parent"] == {"version": "3"}
    assert "It replaces version 3." in Path(new_data["report"]).read_text()


def test_a_change_of_the_transform_code(tmp_path: Path) -> None:
    """A copy of the project, its transform edited between two runs."""
    import shutil

    copy = tmp_path / "project"
    for package in ("configs", "transforms", "components", "pipeline"):
        shutil.copytree(PROJECT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    segments = Segments(tmp_path, project=copy)
    write_csv(segments.data, customer_table(300))
    segments.json("run")
    code = copy / "transforms" / "normalization.py"
    code.write_text(code.read_text() + "\n# An edit.\n")
    again = segments.json("run")
    assert again["status"] == "pushed"
    assert segments.node_ids(again, cached=True) == UP_TO_GATE
