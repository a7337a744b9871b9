"""The embedding projector's files, read back by TensorBoard's own plugin."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from tensorboard.backend.event_processing.data_provider import MultiplexerDataProvider
from tensorboard.backend.event_processing.plugin_event_multiplexer import EventMultiplexer
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client

from components.trainer import projector
from components.trainer.projector import write_projection
from components.trainer.reading import Customers
from components.trainer.serving_model import Prototypes

CENTROIDS = np.array([[0.0, 0.0, 0.0], [10.0, 10.0, 10.0]], np.float32)
IDS = (3, 7)


def customers(rows: int) -> Customers:
    random = np.random.default_rng(0)
    kind = np.arange(rows) % 2
    vectors = (CENTROIDS[kind] + random.normal(0, 1, (rows, 3))).astype(np.float32)
    plans = pa.array(np.where(kind == 0, "a\tb\nc", ""))
    age = np.where(np.arange(rows) == 0, np.nan, 30.0 + kind)
    numeric = {"age": age, "segment": np.float32(0.1) * np.ones(rows)}
    return Customers(
        vectors, numeric, {"plan": plans}, sampled=np.zeros(0, np.int64), records=np.zeros(0, object)
    )


def segments() -> list[dict[str, Any]]:
    def profile(median: float | None, values: dict[str, float]) -> dict[str, Any]:
        numeric = {"age": {"median": median}, "segment": {"median": 0.5}}
        return {"numeric": numeric, "categorical": {"plan": {"values": values}}}

    return [
        {"id": 3, "name": "low\tage", "profile": profile(30.0, {"a\tb\nc": 1.0})},
        {"id": 7, "name": "high <age>", "profile": profile(None, {})},
    ]


def write(folder: Path, made: Customers) -> None:
    prototypes = Prototypes(CENTROIDS, IDS, ["low\tage", "high <age>"], np.ones(2, np.float32))
    write_projection(str(folder), made, prototypes, segments())


class Plugin:
    """TensorBoard's projector, in this process."""

    def __init__(self, logdir: Path):
        provider = MultiplexerDataProvider(EventMultiplexer(), str(logdir))
        plugin = ProjectorPlugin(TBContext(logdir=str(logdir), data_provider=provider))
        self._apps = plugin.get_plugin_apps()

    def get(self, route: str, **query: str) -> bytes:
        response = Client(self._apps[route]).get(route, query_string={"run": ".", **query})
        assert response.status_code == 200, response.data
        return bytes(response.data)


def test_tensorboard_reads_vectors_and_metadata(tmp_path: Path) -> None:
    made = customers(40)
    write(tmp_path, made)
    plugin = Plugin(tmp_path)
    assert json.loads(plugin.get("/runs")) == ["."]
    (embedding,) = json.loads(plugin.get("/info"))["embeddings"]
    assert (embedding["tensorName"], embedding["tensorShape"]) == ("customers", [42, 3])

    vectors = np.frombuffer(plugin.get("/tensor", name="customers"), np.float32).reshape(42, 3)
    np.testing.assert_array_equal(np.sort(vectors[:40], axis=0), np.sort(made.vectors, axis=0))
    np.testing.assert_array_equal(vectors[40:], CENTROIDS)

    header, *lines = plugin.get("/metadata", name="customers").decode().removesuffix("\n").split("\n")
    assert header.split("\t") == ["segment", "segment_id", "point", "age", "segment_", "plan"]
    points = [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]
    assert len(points) == 42
    for point, vector in zip(points[:40], vectors, strict=False):
        low = np.linalg.norm(vector - CENTROIDS[0]) < np.linalg.norm(vector - CENTROIDS[1])
        assert point["segment"] == ("low age" if low else "high <age>")
        assert point["segment_id"] == ("3" if low else "7")
        assert point["point"] == "customer"
        assert point["age"] in (("30", "") if low else ("31",))
        assert point["segment_"] == "0.1"
        assert point["plan"] == ("a b c" if low else "")
    assert sum(point["age"] == "" for point in points[:40]) == 1
    assert list(points[40].values()) == ["low age", "3", "centre of a segment", "30", "0.5", "a b c"]
    assert list(points[41].values()) == ["high <age>", "7", "centre of a segment", "", "0.5", ""]


def test_a_bounded_sample_whatever_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projector, "MOST", 10)
    made = customers(60)
    backwards = pa.array(range(59, -1, -1))
    other = Customers(
        made.vectors[::-1],
        {name: values[::-1] for name, values in made.numeric.items()},
        {name: values.take(backwards) for name, values in made.categorical.items()},
        made.sampled,
        made.records,
    )
    write(tmp_path / "one", made)
    write(tmp_path / "other", other)
    for name in ("projector_vectors.tsv", "projector_metadata.tsv"):
        one, two = ((tmp_path / folder / name).read_text() for folder in ("one", "other"))
        assert one == two
        assert len(one.splitlines()) == 12 + name.endswith("metadata.tsv")
