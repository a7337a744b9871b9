"""One run on transactions; then the commands that ask the served model about single customers and new ones."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from configs.loader import load_config
from pipeline.examples import EXAMPLE_GEN, newest_customers
from pipeline.workspace import Workspace
from tests.end_to_end.command import Segments, write_csv

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Segments:
    segments = Segments(tmp_path_factory.mktemp("explain"))
    random = np.random.default_rng(0)
    often = np.repeat(np.arange(300), np.where(np.arange(300) % 3 == 0, 20, 2))
    days = np.where(
        often % 3 == 0, random.integers(250, 300, often.size), random.integers(0, 300, often.size)
    )
    write_csv(
        segments.data,
        {
            "customer": [f"c{n:05d}" for n in often],
            "time": (np.datetime64("2024-01-01") + days).astype(str).tolist(),
            "amount": np.round(random.lognormal(3, 0.3, often.size), 2).tolist(),
        },
    )
    segments.config = {
        "data": {
            "path": "customers.csv",
            "id": "customer",
            "transactions": {"time": "time", "amount": "amount"},
        },
        "features": {"numeric": {"log1p": True}},
        "model": {"k": 3},
    }
    assert segments("run").returncode == 0
    return segments


def test_a_customer_of_the_last_run(ran: Segments, monkeypatch: pytest.MonkeyPatch) -> None:
    # Of the tests themselves; a user has none.
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    content = ran.json("explain", "--id", "c00003")
    table = pq.read_table(ran.workspace / "assignments" / "1" / "assignments.parquet").to_pydict()
    at = table["customer"].index("c00003")
    assert content["version"] == "1"
    assert content["segment"]["id"] == table["segment_id"][at]
    assert content["segment"]["name"] == table["segment_name"][at]
    assert content["segment"]["distance"] == pytest.approx(table["distance"][at], rel=1e-6)
    own = [
        d for d, s in zip(table["distance"], table["segment_id"], strict=True) if s == table["segment_id"][at]
    ]
    assert content["segment"]["customers"] == len(own)
    assert content["segment"]["farther"] == np.mean(np.array(own) > table["distance"][at])
    assert content["row"]["frequency"] == 20
    assert content["changes"] or content["together"]

    shown = ran("explain", "--id", "c00003")
    assert shown.returncode == 0
    assert f"customer c00003 is in segment {table['segment_id'][at]}" in shown.stdout
    assert "parts add up to" in shown.stdout
    assert shown.stderr == "", "no word of TensorFlow's"

    again = ran.json("explain", "--row", json.dumps({**content["row"], "customer": "c00003"}))
    assert again["changes"] == content["changes"]
    assert again["difference"] == pytest.approx(content["difference"], rel=1e-6)


def test_an_unknown_customer(ran: Segments) -> None:
    content = ran.json("explain", "--id", "C3", code=2)
    assert (
        "no customer 'C3' among the 300 of the last run's data; did you mean 'c00003'?" in content["message"]
    )


def test_new_transactions_are_grouped_and_assigned(ran: Segments, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    result = ran.json("assign", "--input", str(ran.data), "-o", str(output))
    before = pq.read_table(ran.workspace / "assignments" / "1" / "assignments.parquet").sort_by("customer")
    assert result["customers"] == 300
    assert pq.read_table(output).sort_by("customer").equals(before), "the same data, the same answers"


def test_the_newest_reading_is_found_without_tfx(ran: Segments) -> None:
    from components.example_gen.component import CustomerExampleGen

    assert f"{CustomerExampleGen.__module__}.{CustomerExampleGen.__name__}" == EXAMPLE_GEN
    config = load_config(str(ran.config_path))
    files = newest_customers(config, Workspace(str(ran.workspace)))
    assert files is not None
    assert files.id_column == "customer"
    assert len(files.examples_files) == len(files.table_files) == 2
    assert newest_customers(config, Workspace("nowhere")) is None
