"""Models that are not good enough, data that is not as curated, and the model that stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.end_to_end.command import PROJECT, Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_a_refused_model_changes_nothing_and_says_why(segments: Segments) -> None:
    first = segments.json("run")
    assert first["status"] == "pushed"
    segments.config["evaluation"] = {"thresholds": {"silhouette": {"min": 0.999}}}
    refused = segments.json("run", code=3)
    assert refused["status"] == "not_blessed"
    assert [t["metric"] for t in refused["thresholds"] if not t["held"]] == ["silhouette"]
    assert refused["assignments"] is None
    assert Path(refused["report"]).exists(), "a page is written after a refusal too"
    assert segments.versions() == ["1"]
    (newest, *_) = segments.json("runs")["runs"]
    assert "silhouette" in newest["message"], "the history says why"
    shown = segments("run")
    assert shown.returncode == 3, "asking again does not make it good"
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert [row[:2] for row in rows if row[-2:] == ["not", "held"]] == [["✗", "silhouette"]]
    assert [row[:2] for row in rows if row[-1:] == ["held"] and row[-2] != "not"] == [
        ["✓", metric] for metric in ("stability", "inertia_ratio", "smallest_segment_share")
    ], "one table: what held stands beside what did not"
    assert "not blessed" in shown.stdout
    assert segments("report").stdout.strip() == refused["report"]


def test_a_worse_model_loses_against_the_served_one(segments: Segments) -> None:
    segments.json("run")
    # Customers of three kinds, cut into seven: every segment has a close neighbour.
    segments.config["model"] = {"k": 7}
    refused = segments.json("run", code=3)
    assert any(t["kind"] == "max_regression" and not t["held"] for t in refused["thresholds"])
    assert refused["baseline_metrics"]
    assert segments.versions() == ["1"]


def test_a_sliver_of_a_segment_is_refused_without_configuration(segments: Segments) -> None:
    table = customer_table(2000, kinds=2)
    table["income"] = [1e9 if n % 500 == 0 else income for n, income in enumerate(table["income"])]
    write_csv(segments.data, table)
    refused = segments.json("run", code=3)
    assert "smallest_segment_share" in [t["metric"] for t in refused["thresholds"] if not t["held"]]
    assert segments.versions() == []


def test_the_published_pitfall_is_refused_by_default(
    segments: Segments, real_data: Callable[[str], Path]
) -> None:
    """Recency, frequency and monetary value of a shop's customers, standardized without logarithms."""
    shop = yaml.safe_load((PROJECT / "configs" / "online_retail.yaml").read_text())
    shop["data"]["path"] = str(real_data("online_retail/online_retail.csv.gz"))
    shop["features"] = {"include": ["recency_days", "frequency", "monetary"]}
    shop["model"] = {"k": 3}
    segments.config = shop
    refused = segments.json("run", code=3)
    assert refused["metrics"]["silhouette"] > 0.5
    assert "smallest_segment_share" in {t["metric"] for t in refused["thresholds"] if not t["held"]}
    assert min(segment["size"] for segment in refused["segments"]) < 50
    assert segments.versions() == []
    shop["features"]["numeric"] = {"log1p": True}
    assert segments.json("run")["status"] == "pushed"


def test_data_unlike_the_curated_schema_stops_at_the_gate(segments: Segments) -> None:
    schema = segments.folder / "schema.pbtxt"
    segments("schema", "--write", str(schema))
    # Curated by hand: one more plan may come.
    schema.write_text(schema.read_text().replace('value: "pro"', 'value: "pro"\n  value: "future"'))
    segments.config["validation"] = {"schema": "schema.pbtxt"}
    # A column that is no feature is part of the schema all the same.
    segments.config["features"] = {"exclude": ["visits"]}
    segments.json("run")
    (difference,) = segments.json("schema")["differences"]
    assert "future" in difference
    table = customer_table(600)
    table["plan"] = ["bargain" if n % 10 == 0 else plan for n, plan in enumerate(table["plan"])]
    write_csv(segments.data, table)

    stopped = segments("run")
    assert stopped.returncode == 4
    assert "plan" in stopped.stderr
    assert "bargain" in stopped.stderr
    assert segments.json("runs")["runs"][0]["status"] == "rejected"
    assert segments.versions() == ["1"]
    trained = list((segments.workspace / "artifacts" / "Trainer" / "model").iterdir())
    assert len(trained) == 1, "nothing is trained after the gate stops"

    shown = segments("schema")
    assert "differences from" in shown.stdout
    assert "bargain" in shown.stdout

    segments.config["validation"]["warn_only"] = ["plan"]
    assert segments.json("run")["status"] == "pushed"
