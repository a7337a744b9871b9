"""The executor on real records: two models, tables of both, and what migration.json says."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tfx.types import Channel, standard_artifacts

from components.artifacts import SegmentAssignments, SegmentMigration
from components.migration import executor
from components.migration.component import Migration
from components.migration.executor import Executor
from components.migration.scoring import ask
from components.served_model.ledger import write_ledger


class Run:
    """A retrain of the serving fixture's model: version 4 is served, version 5 is the farthest segment's."""

    def __init__(self, serving, root):
        self.serving, self.root = serving, root
        self.served = serving.model_artifact(root / "served")
        self.served.set_int_custom_property("served", 1)
        self.served.set_string_custom_property("version", "4")
        self.model = serving.model_artifact(root / "model", "farthest")
        serving.export(root / "serving" / "4")
        write_ledger(str(root / "serving"))
        self.rows = serving.table(400, seed=1)
        self.examples = serving.write_examples(
            root / "examples", {"train": self.rows[:300], "eval": self.rows[300:]}
        )

        self.shuffled = True  # Tables in another order than the examples: customers are found by their ids.

    def segments(self, farthest=False):
        nearest = self.serving.reference(self.rows)["segment_id"]
        if not farthest:
            return nearest
        features = [
            [r.get("age", 40.0) / 10, r.get("visits", 2), r.get("city") == "Paris"] for r in self.rows
        ]
        distances = np.linalg.norm(np.array(features)[:, None] - self.serving.CENTROIDS[None], axis=2)
        return np.array(self.serving.IDS)[distances.argmax(axis=1)]

    def publish(self, version, segments, ids=None):
        path = self.root / "assignments" / version / "assignments.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        ids = [row["customer_id"] for row in self.rows] if ids is None else ids
        order = np.random.default_rng(0).permutation(len(ids)) if self.shuffled else np.arange(len(ids))
        table = {"customer_id": [ids[i] for i in order], "segment_id": np.asarray(segments)[order]}
        pq.write_table(pa.table(table), path)
        return str(path)

    def __call__(self, pushed=True, served=True):
        assignments, pushed_model = SegmentAssignments(), standard_artifacts.PushedModel()
        assignments.set_int_custom_property("written", int(pushed))
        pushed_model.set_int_custom_property("pushed", int(pushed))
        if pushed:
            path = self.publish("5", self.segments(farthest=True))
            assignments.set_string_custom_property("path", path)
            pushed_model.set_string_custom_property("pushed_version", "5")
        self.served.set_int_custom_property("served", int(served))
        output = SegmentMigration()
        output.uri = str(self.root / "migration")
        Executor().Do(
            {
                "examples": [self.examples],
                "model": [self.model],
                "served_model": [self.served],
                "pushed_model": [pushed_model],
                "assignments": [assignments],
            },
            {"migration": [output]},
            {
                "serving_dir": str(self.root / "serving"),
                "assignments_dir": str(self.root / "assignments"),
                "id_column": "",
                "code_version": "",
            },
        )
        self.output = output
        return json.loads((self.root / "migration" / "migration.json").read_text())


@pytest.fixture
def run(serving, tmp_path):
    return Run(serving, tmp_path)


def crossed(before, after):
    ids = [1, 2, 5]
    return [[int(((before == i) & (after == j)).sum()) for j in ids] for i in ids]


def test_nothing_is_served(run):
    assert run(served=False) == {"parent_version": None}
    assert run.output.get_int_custom_property("served") == 0


@pytest.mark.parametrize("shuffled", [False, True])
def test_everybody_is_compared_when_a_model_was_pushed(run, serving, monkeypatch, shuffled):
    """Fifty customers were published elsewhere than the parent puts them today: they changed."""
    run.shuffled = shuffled
    asked = []

    def counting(*arguments):
        found = ask(*arguments)
        asked.append(len(found[0]))
        return found

    monkeypatch.setattr(executor, "ask", counting)
    published = run.segments().copy()
    published[:50] = 5
    run.publish("4", published)
    content = run()
    after = run.segments(farthest=True)
    assert content["customers"] == 400
    assert content["matrix"] == {"from": [1, 2, 5], "to": [1, 2, 5], "counts": crossed(published, after)}
    moved = published != after
    own = moved & (published != run.segments())
    assert 0 < own.sum() < moved.sum() < 400
    assert asked[0 if not shuffled else 1] == (400 if shuffled else moved.sum())
    assert len(asked) == 1 + shuffled, (
        "in the order of the files, the parent is asked about those who moved alone"
    )
    assert content["moved"] == {
        "customers": int(moved.sum()), "share": moved.mean(), "own_change": int(own.sum())
    }  # fmt: skip
    assert content["table"] == str(run.root / "assignments" / "5" / "moved.parquet")
    assert run.output.get_string_custom_property("table") == content["table"]
    table = pq.read_table(content["table"]).to_pylist()
    names = dict(zip(serving.IDS, serving.NAMES, strict=True))
    expected = {
        row["customer_id"]: (int(b), names[int(b)], int(a), names[int(a)])
        for row, b, a in zip(run.rows, published, after, strict=True)
        if b != a
    }
    assert {row.pop("customer_id"): tuple(row.values()) for row in table} == expected
    assert list(pq.read_schema(content["table"]).names) == [
        "customer_id", "from_segment_id", "from_segment_name", "to_segment_id", "to_segment_name"
    ]  # fmt: skip
    assert [entry["version"] for entry in content["history"]] == ["4"]


def test_customers_who_are_new_have_not_moved(run):
    ids = [row["customer_id"] for row in run.rows]
    run.publish("4", run.segments()[100:], ids[100:])
    content = run()
    assert content["customers"] == 300
    assert content["moved"]["customers"] == int((run.segments() != run.segments(farthest=True))[100:].sum())
    assert content["moved"]["own_change"] == 0


def test_without_the_table_of_the_parent(run):
    content = run()
    assert content["matrix"]["counts"] == crossed(run.segments(), run.segments(farthest=True))
    assert content["moved"]["own_change"] is None


def test_a_model_that_was_refused_is_compared_too_without_a_table(run):
    run.publish("4", run.segments())
    content = run(pushed=False)
    assert content["customers"] == 400 and content["table"] is None
    assert content["matrix"]["counts"] == crossed(run.segments(), run.segments(farthest=True))
    assert content["moved"]["own_change"] == 0
    assert not (run.root / "assignments" / "5").exists()


def test_of_many_customers_a_refused_model_is_compared_on_a_sample(run, monkeypatch):
    monkeypatch.setattr(executor, "SAMPLE", 100)
    run.publish("4", run.segments())
    first = run(pushed=False)
    assert 60 < first["customers"] < 150
    again = run.serving.write_examples(run.root / "again", {"train": run.rows[::-1], "eval": []}, shards=3)
    run.examples = again
    assert run(pushed=False) == first, "who is in it follows from no order"


def test_a_parent_that_cannot_be_asked(run):
    shutil.rmtree(run.root / "served" / "Format-Serving" / "variables", ignore_errors=True)
    (run.root / "served" / "Format-Serving" / "saved_model.pb").write_bytes(b"no model")
    run.publish("4", run.segments())
    content = run()
    assert content["matrix"]["counts"] == crossed(run.segments(), run.segments(farthest=True))
    assert content["moved"]["own_change"] is None, "nobody can tell"


def test_the_component_has_its_parameters_in_the_cache_key():
    channel = Channel(standard_artifacts.Examples)
    model = Channel(standard_artifacts.Model)
    migration = Migration(
        examples=channel,
        model=model,
        served_model=model,
        pushed_model=Channel(standard_artifacts.PushedModel),
        assignments=Channel(SegmentAssignments),
        serving_dir="s",
        assignments_dir="a",
        code_version="abc",
    )
    assert migration.exec_properties == {
        "serving_dir": "s", "assignments_dir": "a", "id_column": "", "code_version": "abc"
    }  # fmt: skip
    assert migration.outputs["migration"].type is SegmentMigration
