"""Retrains by the real command: segment ids outlive whatever is changed about the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow

CUSTOMERS = 600
KINDS = ("basic", "plus", "pro")


class History:
    """One workspace, retrained again and again."""

    def __init__(self, folder: Path):
        self.segments = Segments(folder)
        # What is asked here is who is who, not which model is better.
        self.segments.config["evaluation"] = {
            "thresholds": {"silhouette": None, "smallest_segment_share": None}
        }
        self.segments.config["features"] = {"exclude": ["plan", "visits"]}
        self.table = customer_table(CUSTOMERS)
        self.names: dict[int, str] = {}

    def run(self, order: int = 0) -> dict[str, Any]:
        """Trains on the customers in another order."""
        rows = np.random.default_rng(order).permutation(CUSTOMERS)
        write_csv(self.segments.data, {c: [values[i] for i in rows] for c, values in self.table.items()})
        result = self.segments.json("run")
        assert result["status"] == "pushed"
        for segment in result["segments"]:
            named = self.names.setdefault(segment["id"], segment["name"])
            assert segment["name"] == named, "a name is for life"
        assert len(set(self.names.values())) == len(self.names)
        return result

    def described(self, result: dict[str, Any]) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            Path(result["model"], "assets.extra", "segments.json").read_text()
        )
        return content

    def migration(self) -> dict[str, Any]:
        folders = (self.segments.workspace / "artifacts" / "Migration" / "migration").iterdir()
        newest = max(folders, key=lambda folder: int(folder.name))
        content: dict[str, Any] = json.loads((newest / "migration.json").read_text())
        return content

    def ids_of_kinds(self, result: dict[str, Any]) -> dict[str, int]:
        """The segment that most customers of each kind are in, and that holds nearly all of its customers."""
        assigned = pq.read_table(result["assignments"])
        segments = dict(
            zip(assigned["customer_id"].to_pylist(), assigned["segment_id"].to_pylist(), strict=True)
        )
        found = {}
        for kind in KINDS:
            of_kind = [
                segments[customer]
                for customer, plan in zip(self.table["customer_id"], self.table["plan"], strict=True)
                if plan == kind
            ]
            found[kind] = int(np.bincount(of_kind).argmax())
        return found


def test_ids_outlive_every_change_of_the_model(tmp_path: Path) -> None:
    history = History(tmp_path)
    config = history.segments.config
    first = history.run()
    ids = history.ids_of_kinds(first)
    assert sorted(ids.values()) == [1, 2, 3]
    assert history.migration() == {"parent_version": None}
    assert history.described(first)["identity"]["next_id"] == 4

    # Other coordinates, a feature more, another seed, another order; and thirty customers live like others now.
    config["features"] = {"exclude": ["plan"], "numeric": {"normalize": "minmax", "log1p": True}}
    config["model"]["seed"] = 7
    basics = [n for n, plan in enumerate(history.table["plan"]) if plan == "basic"]
    pros = [n for n, plan in enumerate(history.table["plan"]) if plan == "pro"]
    for one, other in zip(basics[:30], pros[:30], strict=True):
        for column in ("age", "income", "visits", "plan"):
            history.table[column][one] = history.table[column][other]  # type: ignore[index]
    second = history.run(order=1)
    assert history.ids_of_kinds(second) == ids
    migration = history.migration()
    assert (migration["parent_version"], migration["customers"]) == ("1", CUSTOMERS)
    assert [segment["kind"] for segment in migration["segments"]] == ["kept"] * 3
    assert migration["moved"] == {"customers": 30, "share": 30 / CUSTOMERS, "own_change": 30}
    moved = pq.read_table(migration["table"])
    assert Path(migration["table"]).parent == history.segments.workspace / "assignments" / "2"
    assert sorted(moved["customer_id"].to_pylist()) == sorted(
        history.table["customer_id"][n] for n in basics[:30]
    )
    assert set(moved["from_segment_id"].to_pylist()) == {ids["basic"]}
    assert set(moved["to_segment_id"].to_pylist()) == {ids["pro"]}
    row, column = (
        migration["matrix"][side].index(ids[kind]) for side, kind in (("from", "basic"), ("to", "pro"))
    )
    assert migration["matrix"]["counts"][row][column] == 30

    config["model"]["k"] = 4
    third = history.run(order=2)
    assert sorted(segment["id"] for segment in third["segments"]) == [1, 2, 3, 4]
    assert history.ids_of_kinds(third) == ids, "the larger part of a split keeps the id"
    assert sorted(segment["kind"] for segment in history.migration()["segments"]).count("split") in (0, 2)

    config["model"]["k"] = 3
    fourth = history.run(order=3)
    assert history.ids_of_kinds(fourth) == ids
    assert [retired["id"] for retired in history.migration()["retired"]] == [4]
    identity = history.described(fourth)["identity"]
    assert [(each["id"], each["last_version"]) for each in identity["retired"]] == [(4, "3")]

    config["model"]["k"] = 4
    fifth = history.run(order=4)
    assert sorted(segment["id"] for segment in fifth["segments"]) == [1, 2, 3, 5], "4 is never used again"
    told = [(entry["version"], len(entry["segments"])) for entry in history.migration()["history"]]
    assert told == [("1", 3), ("2", 3), ("3", 4), ("4", 3), ("5", 4)]
