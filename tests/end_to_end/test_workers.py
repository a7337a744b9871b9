"""A run whose fit is shared by processes of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments

pytestmark = pytest.mark.slow


def described(result: dict[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path(result["model"], "assets.extra", "segments.json").read_text())
    return content


def assignments(result: dict[str, Any]) -> dict[str, int]:
    table = pq.read_table(result["assignments"])
    return dict(zip(table["customer_id"].to_pylist(), table["segment_id"].to_pylist(), strict=True))


def test_two_workers_make_the_segments_of_one(segments: Segments) -> None:
    # Or the second fit starts, and stays, at the first one's segments.
    segments.config["model"]["warm_start"] = False
    one = segments.json("run")
    segments.config["training"] = {"workers": 2}
    two = segments.json("run")
    assert one["status"] == two["status"] == "pushed"
    assert two["version"] == "2"
    assert segments.node_ids(two, cached=True) >= {"ExampleGen", "Transform"}
    assert [s["size"] for s in two["segments"]] == [s["size"] for s in one["segments"]]
    assert assignments(two) == assignments(one)
    alone, shared = described(one), described(two)
    assert shared["config_hash"] == alone["config_hash"], "where a model was fitted makes no other model"
    assert shared["fit"]["inertia"] == pytest.approx(alone["fit"]["inertia"], rel=1e-5)
    assert list((segments.workspace / "checkpoints").iterdir()) == []
    assert "k-means pass 1: inertia " in Path(two["log"]).read_text()


def test_workers_and_a_cluster_are_a_usage_error(segments: Segments, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    result = segments.json("run", "--set", "training.workers=2", code=2)
    assert (result["status"], result["component"]) == ("usage", "Trainer")
    assert result["message"].startswith("training.workers is 2, but TF_CONFIG already says")
    assert segments.json("runs")["runs"][0]["status"] == "usage"
