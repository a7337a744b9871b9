"""The benchmark of transactions: a small case from end to end, and what counts as a disagreement."""

from __future__ import annotations

import json

import pytest

from benchmarks.transactions.__main__ import disagreements, main


@pytest.mark.slow
def test_a_small_case_gives_what_pandas_gives(tmp_path):
    figures = tmp_path / "figures.json"
    arguments = ["--cases", "generated", "--rows", "5000", "--customers", "70", "--folder", str(tmp_path)]
    arguments += ["--only", "aggregation", "all_features", "pandas", "--json", str(figures)]
    assert main(arguments) == 0
    case = json.loads(figures.read_text())["cases"]["generated"]
    assert case["rows"] == 5000
    for result in case["results"].values():
        assert result["customers"] == 70
        assert result["seconds"] > 0 and result["cpu_seconds"] > 0 and result["peak_mb"] > 50


def test_other_sums_or_customers_are_a_disagreement():
    ours = {"customers": 3, "sums": {"monetary": 10.0}}
    same = {"customers": 3, "sums": {"monetary": 10.0 + 1e-10}}
    other = {"customers": 4, "sums": {"monetary": 10.1}}
    assert disagreements({"aggregation": ours, "pandas": same}) == []
    assert disagreements({"aggregation": ours}) == []
    assert disagreements({"aggregation": ours, "pandas": other}) == [
        "customers: 3 by the aggregation, 4 by pandas",
        "monetary: 10.0 by the aggregation, 10.1 by pandas",
    ]


def test_sizes_that_make_no_sense_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--rows", "0"])
    assert "--rows" in capsys.readouterr().err
