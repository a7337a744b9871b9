"""The benchmark of the metrics: a small case from end to end, and what counts as a disagreement."""

from __future__ import annotations

import json

import pytest

from benchmarks.metrics.__main__ import disagreements, main
from configs.evaluation import HIGHER_IS_BETTER


@pytest.mark.slow
def test_a_small_case_through_the_evaluator_gives_the_arrays_values(tmp_path):
    figures = tmp_path / "figures.json"
    arguments = ["--rows", "2000", "--features", "3", "--k", "3", "--folder", str(tmp_path / "case")]
    assert main([*arguments, "--only", "arrays", "evaluator", "--json", str(figures)]) == 0
    results = json.loads(figures.read_text())["results"]
    for result in results.values():
        assert set(result["metrics"]) == set(HIGHER_IS_BETTER)
        assert result["seconds"] > 0 and result["cpu_seconds"] > 0 and result["peak_mb"] > 100
    assert results["evaluator"]["rows"]["silhouette"] == 2000


def test_another_value_is_a_disagreement_unless_it_comes_from_another_sample():
    results = {
        "arrays": {"metrics": {"silhouette": 0.5, "dunn": 0.1}},
        "evaluator": {"metrics": {"silhouette": 0.50001, "dunn": 0.2}},
    }
    assert disagreements(results, ["dunn"]) == ["silhouette: evaluator says 0.50001, arrays say 0.5"]
    results["evaluator"]["metrics"]["silhouette"] = 0.5000001
    assert disagreements(results, ["dunn"]) == []


def test_sizes_that_make_no_sense_are_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--rows", "5", "--k", "3"])
    assert "--rows" in capsys.readouterr().err
