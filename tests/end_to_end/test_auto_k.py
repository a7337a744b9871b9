"""A run that finds the number of segments itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_the_number_of_kinds_of_customers_is_found_and_pushed(segments: Segments) -> None:
    write_csv(segments.data, customer_table(800, kinds=4))
    segments.config |= {"model": {"k": "auto"}, "tuner": {"max_k": 7}}
    first = segments.json("run")
    assert (first["status"], first["k"]) == ("pushed", 4)
    (path,) = (segments.workspace / "artifacts" / "Tuner" / "sweep").glob("*/sweep.json")
    sweep = json.loads(path.read_text())
    assert sweep["chosen"] == 4
    assert [candidate["k"] for candidate in sweep["candidates"]] == [2, 3, 4, 5, 6, 7]
    assert sweep["reason"] in Path(first["log"]).read_text()
    assert segments.json("run")["status"] == "up_to_date"
    # Another part of the config: neither the search nor the fit is done again.
    segments.config["report"] = {"title": "Four"}
    again = segments.json("run")
    assert {"Tuner", "Trainer"} <= segments.node_ids(again, cached=True)
    assert again["k"] == 4
    fixed = segments.json("run", "--set", "model.k=3", "--set", "evaluation.thresholds.silhouette=null")
    assert (fixed["k"], "Tuner" in fixed["seconds"]) == (3, False)
