"""New data that is not like what the served model was made from, by the real command."""

from __future__ import annotations

import html
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_spans_alike_and_a_span_in_another_unit(segments: Segments) -> None:
    segments.config["data"] = {"path": "customers-{SPAN}.csv"}
    segments.config["drift"] = {"action": "retrain"}
    write_csv(segments.folder / "customers-1.csv", customer_table(600))
    first = segments.json("run")
    assert first["status"] == "pushed"
    assert first["drift"]["reference_version"] is None
    assert first["drift"]["sentences"] == []

    # Other customers of the same kinds: no new model, but they are assigned, and the model is judged by them.
    write_csv(segments.folder / "customers-2.csv", customer_table(620, seed=1))
    second = segments.json("run")
    assert (second["status"], second["version"], second["k"]) == ("kept", "1", 3)
    assert (second["drift"]["reference_version"], second["drift"]["sentences"]) == ("1", [])
    assert len(second["drift"]["features"]) == 8, "values, and how many have one"
    assert "Trainer" not in second["seconds"]
    assert segments.versions() == ["1"]
    assigned = pq.read_table(second["assignments"])
    assert len(assigned) == sum(segment["size"] for segment in second["segments"]) == 620
    assert second["metrics"]["silhouette"] != first["metrics"]["silhouette"]
    page = Path(second["report"]).read_text()
    assert "Still serving: version 1" in page
    assert "none since version 1: 4 features compared" in page
    assert [run["status"] for run in segments.json("runs")["runs"]] == ["kept", "pushed"]
    again = segments("run")
    assert (again.returncode, "up to date" in again.stdout) == (0, True)

    # Customers whose income somebody exports in cents.
    table = customer_table(600, seed=2)
    table["income"] = [100 * income for income in table["income"]]
    write_csv(segments.folder / "customers-3.csv", table)
    stopped = segments("run", "--set", "drift.action=stop")
    assert stopped.returncode == 4, stopped.stderr
    assert "DriftCheck" in stopped.stderr
    assert "income: Jensen-Shannon divergence" in stopped.stderr
    assert "has its unit changed?" in stopped.stderr
    assert segments.json("runs")["runs"][0]["status"] == "rejected"
    assert segments.versions() == ["1"]

    retrained = segments.json("run")
    assert retrained["status"] == "pushed", "a new model is made of them, on their own scale"
    assert segments.versions() == ["1", "2"]
    drift = retrained["drift"]
    assert (drift["reference_version"], drift["reason"], drift["notes"]) == ("1", "", [])
    assert drift["retrain"] == "the customers have drifted"
    assert [each["name"] for each in drift["features"] if each["drifted"]] == ["income"]
    assert drift["distance"]["drifted"]
    assert drift["outliers"]["drifted"]
    assert drift["sentences"][0] in html.unescape(Path(retrained["report"]).read_text())

    # Of three kinds four segments are worse, which is not what is asked here.
    lenient = ("--set", "evaluation.thresholds.silhouette=null")
    # Nothing drifted, but another model is asked for.
    # Whoever asks the served model still sends euros, and no age.
    requests = {name: values for name, values in customer_table(300, seed=5).items() if name != "age"}
    write_csv(segments.folder / "asked-monday.csv", requests)
    more = segments.json("run", "--set", "model.k=4", "--set", "drift.requests=asked-*.csv", *lenient)
    assert more["status"] == "pushed"
    assert more["drift"]["retrain"] == "the configuration has changed"
    assert more["drift"]["sentences"] == []
    assert [line.split(":")[1] for line in more["drift"]["skew"]] == [" age", " income"]
    assert "100.0 % of the customers have no value" in more["drift"]["skew"][0]
