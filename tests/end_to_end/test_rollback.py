"""Real models rolled back, old ones removed, and what runs make of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from configs.metadata import MetadataConfig
from pipeline.metadata import open_store
from pipeline.workspace import Workspace
from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow

# In a process of its own, as a model server would.
SEGMENTS_OF = """
import json, sys
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
nan = float("nan")
answer = model.signatures["assign"](
    age=tf.constant([25.0, 55.0], tf.float64), income=tf.constant([3000.0, 22000.0]),
    visits=tf.constant([2.0, 22.0], tf.float64), plan=tf.constant(["basic", "pro"]),
)
print(json.dumps([answer["distances"].shape[1], answer["segment_id"].numpy().tolist()]))
"""


def answers(model: str) -> list[Any]:
    done = subprocess.run(
        [sys.executable, "-c", SEGMENTS_OF, model], capture_output=True, text=True, check=True, timeout=120
    )
    content: list[Any] = json.loads(done.stdout)
    return content


def recorded_pushes(segments: Segments) -> dict[str, str]:
    """Run -> version, as ML Metadata has it."""
    store = open_store(MetadataConfig(), Workspace(str(segments.workspace)))
    pushes = {}
    for artifact in store.get_artifacts_by_type("PushedModel"):
        (event, *_) = [
            event
            for event in store.get_events_by_artifact_ids([artifact.id])
            if event.type == mlmd.Event.OUTPUT
        ]
        (execution,) = store.get_executions_by_id([event.execution_id])
        run = execution.custom_properties["run_key"].string_value
        # ServedModel says what is served by an artifact of the same type.
        if run and artifact.custom_properties["pushed"].int_value:
            pushes[run] = artifact.custom_properties["pushed_version"].string_value
    return pushes


def vanished(segments: Segments) -> list[str]:
    """Artifacts that ML Metadata says are there and are not."""
    store = open_store(MetadataConfig(), Workspace(str(segments.workspace)))
    live = [a for a in store.get_artifacts() if a.state == mlmd.Artifact.LIVE]
    assert live
    return [a.uri for a in live if not Path(a.uri).exists()]


def test_rolled_back_retrained_from_there_and_tidied_up(segments: Segments) -> None:
    lenient = {"silhouette": {"min": 0.0, "max_regression": 2.0}}
    segments.config["evaluation"] = {"thresholds": lenient}
    first = segments.json("run")
    segments.config["model"] = {"k": 4}
    second = segments.json("run")
    assert (first["version"], second["version"]) == ("1", "2")

    back = segments.json("rollback", "--to", "1")
    assert (back["version"], back["k"]) == ("3", 3)
    assert answers(back["model"]) == answers(first["model"])
    assert Path(back["assignments"]).read_bytes() == Path(first["assignments"]).read_bytes()
    assert segments("report").stdout.strip() == first["report"]
    nothing = segments.json("run")
    assert (nothing["status"], nothing["version"]) == ("up_to_date", "3")

    # New customers, and from now on nothing old is kept that is not needed.
    write_csv(segments.data, customer_table(650))
    segments.config["retention"] = {"runs": 1, "models": 2, "days": 0}
    third = segments.json("run")
    assert (third["status"], third["version"]) == ("pushed", "4")
    described = json.loads(Path(third["model"], "assets.extra", "segments.json").read_text())
    assert described["parent"] == {"version": "3"}, "it went on from what was served"
    assert segments.versions() == ["3", "4"]
    assert third["removed"]["artifacts"] > 0
    assert vanished(segments) == []
    listed = segments.json("runs")["runs"]
    assert [(run["status"], run["version"]) for run in listed] == [
        ("pushed", "4"),
        ("rolled_back", "3"),
        ("pushed", "2"),
        ("pushed", "1"),
    ]
    # Records are written by us, ML Metadata by TFX: they must tell the same.
    pushed = {run["run_id"]: run["version"] for run in listed if run["kind"] == "run"}
    assert recorded_pushes(segments) == pushed

    # The older config and the older customers again: what was removed is made again, not taken from the cache.
    write_csv(segments.data, customer_table(600))
    again = segments.json("run")
    assert (again["status"], again["version"]) == ("pushed", "5")
    assert {"ExampleGen", "Trainer", "Pusher", "Report"} <= segments.node_ids(again, cached=False)
    assert [s["size"] for s in again["segments"]] == [s["size"] for s in second["segments"]]
    assert vanished(segments) == []
