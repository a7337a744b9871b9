"""Feature selection by the real command: the served model does not know what was dropped."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_what_is_dropped_is_asked_of_nobody(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    table = dict(customer_table(600))
    random = np.random.default_rng(7)
    old = np.array(table["age"]) > 45
    table["age_months"] = (12 * np.array(table["age"])).tolist()
    table["luck"] = random.normal(size=600).round(3).tolist()
    table["churn"] = np.where(old != (random.random(600) < 0.1), "yes", "no").tolist()
    table["cancelled_on"] = [f"{n}" if churn == "yes" else "" for n, churn in enumerate(table["churn"])]
    write_csv(segments.data, table)
    segments.config |= {
        # Dropped columns may be named in the config, and the evaluation may go by them.
        "features": {"columns": {"luck": {"log1p": True}, "age_months": {"weight": 2.0}, "cancelled_on": {}}},
        "selection": {"method": "auto", "target": "churn", "keep": ["visits"], "filters": {"missing": 0.8}},
        "evaluation": {"slices": ["plan"]},
    }
    first = segments.json("run")
    assert first["status"] == "pushed"
    selection = first["selection"]
    assert {"luck"} <= set(selection["dropped"]) and {"visits", "cancelled_on"} <= set(selection["kept"])
    (twin,) = {"age", "age_months"} & set(selection["dropped"])
    reasons = {each["name"]: each["reason"] for each in selection["features"]}
    assert "tells what" in reasons[twin]
    assert "'cancelled_on' alone tells 'churn'" in selection["warnings"][0]
    described = json.loads(Path(first["model"], "assets.extra", "segments.json").read_text())
    assert sorted(each["name"] for each in described["features"]) == selection["kept"]
    assert described["selected"] is True
    assert "Which columns they are made of" in Path(first["report"]).read_text()
    assert [each["value"] for each in first["slices"]]

    # Whoever is asked for a segment need not bring what was dropped, nor the target.
    write_csv(tmp_path / "new.csv", {name: table[name] for name in ("customer_id", *selection["kept"])})
    output = tmp_path / "new.parquet"
    segments.json("assign", "--input", str(tmp_path / "new.csv"), "--output", str(output))
    assigned, served = pq.read_table(output).to_pydict(), pq.read_table(first["assignments"]).to_pydict()
    answers = dict(zip(served["customer_id"], served["segment_id"], strict=True))
    assert answers == dict(zip(assigned["customer_id"], assigned["segment_id"], strict=True))

    assert segments.json("run")["status"] == "up_to_date"
    again = segments.json("run", "--force")
    assert again["selection"]["kept"] == selection["kept"]
    assert again["migration"]["moved"]["customers"] == 0

    refused = segments.json("run", "--set", "selection.target=chrun", code=2)
    assert "did you mean 'churn'" in refused["message"]
