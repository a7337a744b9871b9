"""New data that is not like what the served model was made from, by the real command."""

from __future__ import annotations

import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_spans_alike_and_a_span_in_another_unit(segments: Segments) -> None:
    segments.config["data"] = {"path": "customers-{SPAN}.csv"}
    segments.config["drift"] = {"action": "stop"}
    write_csv(segments.folder / "customers-1.csv", customer_table(600))
    first = segments.json("run")
    assert first["drift"]["reference_version"] is None
    assert first["drift"]["sentences"] == []

    # Other customers of the same kinds.
    write_csv(segments.folder / "customers-2.csv", customer_table(600, seed=1))
    second = segments.json("run")
    assert second["status"] == "pushed"
    assert (second["drift"]["reference_version"], second["drift"]["sentences"]) == ("1", [])
    assert len(second["drift"]["features"]) == 8, "values, and how many have one"

    # Customers whose income somebody exports in cents.
    table = customer_table(600, seed=2)
    table["income"] = [100 * income for income in table["income"]]
    write_csv(segments.folder / "customers-3.csv", table)
    stopped = segments("run")
    assert stopped.returncode == 4, stopped.stderr
    assert "DriftCheck" in stopped.stderr
    assert "income: Jensen-Shannon divergence" in stopped.stderr
    assert "has its unit changed?" in stopped.stderr
    assert segments.json("runs")["runs"][0]["status"] == "rejected"
    assert segments.versions() == ["1", "2"]

    segments.config["drift"] = {"action": "warn"}
    warned = segments.json("run")
    assert warned["status"] == "pushed", "a new model is made of them, on their own scale"
    drift = warned["drift"]
    assert (drift["reference_version"], drift["reason"], drift["notes"]) == ("2", "", [])
    assert [each["name"] for each in drift["features"] if each["drifted"]] == ["income"]
    assert drift["distance"]["drifted"]
    assert drift["outliers"]["drifted"]
