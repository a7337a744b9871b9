"""Runs that are killed, and what the next one makes of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest

from tests.end_to_end.command import Segments

pytestmark = pytest.mark.slow

COMPONENTS = [
    "ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "DataGate", "ServedModel", "DriftCheck",
    "Transform", "Trainer", "ServingCheck", "Evaluator", "Pusher", "Assignments", "Migration", "Report",
]  # fmt: skip


def start(segments: Segments) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        segments.arguments("run"),
        cwd=segments.folder,
        env=segments.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def kill_in(segments: Segments, component: str) -> None:
    """Starts a run and kills the command as soon as the component is at work."""
    kill_at(segments, f"Component {component} is running.")


def kill_at(segments: Segments, words: str) -> None:
    """Starts a run and kills the command as soon as its log says so; its child must follow."""
    seen = log(segments).count(words)
    process = start(segments)
    deadline = time.monotonic() + 120
    while log(segments).count(words) == seen:
        assert process.poll() is None, f"the run ended before it said {words}\n{log(segments)[-2000:]}"
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while segments.json("runs")["runs"][0]["status"] == "running":
        assert time.monotonic() < deadline, "the child outlives the command"
    assert segments.json("runs")["runs"][0]["status"] == "killed"


def log(segments: Segments) -> str:
    return "".join(
        path.read_text(errors="replace") for path in sorted((segments.workspace / "logs").glob("*.log"))
    )


def whole_models(segments: Segments) -> list[str]:
    """The served versions; every one that a server would see must be whole."""
    for version in segments.versions():
        folder = segments.workspace / "serving" / version
        assert (folder / "saved_model.pb").stat().st_size > 0
        assert (folder / "assets.extra" / "segments.json").exists()
        assert list((folder / "variables").iterdir())
    return segments.versions()


def test_killed_in_every_component_and_started_again(segments: Segments) -> None:
    for component in COMPONENTS:
        kill_in(segments, component)
        assert len(whole_models(segments)) <= 1
    result = segments.json("run")
    assert result["status"] == "pushed"
    # What had finished before the last kill was not done again.
    assert set(COMPONENTS[:-1]) <= set(result["cached"])
    assert whole_models(segments) == ["1"]
    runs = segments.json("runs")["runs"]
    assert len(runs) == 1, "one run, continued"
    assert runs[0]["attempts"] == len(COMPONENTS) + 1
    assert os.listdir(segments.workspace / "assignments") == ["1"]


def test_killed_in_the_middle_of_the_fit_it_goes_on_from_there(segments: Segments) -> None:
    # Customers without any structure: their centroids take long to come to rest, long after the twelfth pass.
    columns = np.random.default_rng(0).random((100_000, 8), dtype=np.float32)
    table = {
        "customer_id": np.arange(len(columns)),
        **{f"share_{j}": column for j, column in enumerate(columns.T)},
    }
    pa_csv.write_csv(pa.table(table), segments.data)
    segments.config["model"] = {"k": 30, "n_init": 1, "tolerance": 0.0}
    segments.config["training"] = {"checkpoint_seconds": 0}
    # Which the gate refuses, and rightly so.
    segments.config["evaluation"] = {"thresholds": {"stability": None}}
    kill_at(segments, "k-means pass 12:")
    assert "Component Trainer is finished." not in log(segments), "it was killed too late"
    result = segments.json("run")
    assert result["status"] == "pushed"
    assert "k-means: going on after pass 1" in log(segments)
    assert list((segments.workspace / "checkpoints").iterdir()) == []
    whole = segments.json("run", "--workspace", str(segments.folder / "whole"))
    fits = [
        json.loads(Path(r["model"], "assets.extra", "segments.json").read_text())["fit"]
        for r in (result, whole)
    ]
    assert fits[0] == fits[1] and fits[0]["iterations"] > 20


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_by_ctrl_c_or_ended_in_order(segments: Segments, number: int) -> None:
    process = start(segments)
    deadline = time.monotonic() + 120
    while "Component ExampleGen is running." not in log(segments):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(number)
    assert process.wait(timeout=30) == 130
    (run,) = segments.json("runs")["runs"]
    assert (run["status"], run["message"]) == ("failed", "interrupted")
    if number == signal.SIGINT:
        assert segments.json("run")["status"] == "pushed"


def test_a_lost_metadata_file_loses_nothing(segments: Segments) -> None:
    segments.json("run")
    (segments.workspace / "metadata.sqlite").unlink()
    kept = {path.name: path.read_bytes() for path in Path(segments.workspace, "serving", "1").glob("*.pb")}
    segments.config["features"] = {"columns": {"income": {"log1p": True}}}
    result = segments.json("run")
    assert result["version"] == "2"
    assert {
        path.name: path.read_bytes() for path in Path(segments.workspace, "serving", "1").glob("*.pb")
    } == kept
    assert list(segments.workspace.glob("artifacts.without-metadata-*/Trainer"))
