"""`make bench` against a stand-in for the `segments` command, and the stock DAG for real."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import bench, data

ROOT = Path(__file__).resolve().parents[2]
RESULT = {"status": "pushed", "seconds": {"ExampleGen": 1.0, "Trainer": 2.0}}


@pytest.fixture
def segments(tmp_path, monkeypatch):
    """Puts a command in the place of `segments` that answers as the test says and notes its arguments."""

    class Stub:
        path = tmp_path / "segments"
        calls = tmp_path / "calls"

        def answers(self, output: str, code: int = 0) -> None:
            (tmp_path / "output").write_text(output)
            body = f'echo "$*" >>{self.calls}; cat {tmp_path}/output; echo trouble >&2; exit {code}'
            self.path.write_text(f"#!/bin/bash\n{body}\n")
            self.path.chmod(0o755)

    stub = Stub()
    stub.answers(json.dumps(RESULT))
    monkeypatch.setattr(bench, "_SEGMENTS", str(stub.path))
    return stub


def run_bench(folder, *arguments):
    return bench.main(
        ["--rows", "50", "--folder", str(folder), "--json", str(folder / "out.json"), *arguments]
    )


def test_our_side_prints_every_component_and_every_target(segments, tmp_path, capsys):
    assert run_bench(tmp_path / "bench", "--only", "ours") == 0
    printed = capsys.readouterr().out
    for expected in ("50 customers", "ExampleGen", "Trainer", "total", "3.0", "segments check", "holds"):
        assert expected in printed
    written = json.loads((tmp_path / "bench" / "out.json").read_text())
    assert written["total"] == {"stock": None, "ours": 3.0, "ratio": None}
    assert [target["what"] for target in written["targets"]] == [
        "peak memory",
        "10,000 customers to pushed",
        "segments --help",
        "segments check",
    ]


def test_our_side_runs_the_documented_command_on_the_documented_config(segments, tmp_path):
    assert run_bench(tmp_path / "bench", "--only", "ours") == 0
    case = tmp_path / "bench" / "50"
    first = segments.calls.read_text().splitlines()[0]
    assert first == f"run {case / 'bench.yaml'} --workspace {case / 'ours'} --json"
    config = (case / "bench.yaml").read_text().splitlines()
    assert config == [
        "name: bench",
        "data: {path: data/customers.csv, id: customer_id}",
        "features: {numeric: {log1p: true}}",
        "model: {k: 5}",
    ]
    assert len((case / "data" / "customers.csv").read_text().splitlines()) == 51


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (json.dumps(RESULT), 3, "exit code 3"),
        (json.dumps(RESULT | {"status": "up_to_date"}), 0, "ended as up_to_date"),
        ("no json", 0, "printed no JSON object"),
    ],
)
def test_a_run_that_did_not_push_fails_the_bench(segments, tmp_path, capsys, output, code, message):
    segments.answers(output, code)
    assert run_bench(tmp_path / "bench", "--only", "ours") == 1
    error = capsys.readouterr().err
    assert message in error and "ours.log" in error
    assert (tmp_path / "bench" / "50" / "ours.log").read_text() == "trouble\n"


def test_a_missing_command_says_to_set_up(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "_SEGMENTS", str(tmp_path / "absent"))
    assert run_bench(tmp_path / "bench", "--only", "ours") == 1
    assert "make setup" in capsys.readouterr().err


def test_rows_below_one_are_wrong_usage(capsys):
    with pytest.raises(SystemExit) as raised:
        bench.main(["--rows", "0"])
    assert raised.value.code == 2
    assert "--rows must be at least 1" in capsys.readouterr().err


@pytest.mark.slow
def test_the_stock_dag_pushes_a_model_that_answers(tmp_path):
    import tensorflow as tf

    data.write_customers(tmp_path / "data" / "customers.csv", 600)
    command = [sys.executable, "-m", "benchmarks.stock_dag", "--data", str(tmp_path / "data")]
    done = subprocess.run(
        [*command, "--workspace", str(tmp_path / "ws")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    result = json.loads(done.stdout)
    assert result["pushed"] is True
    first, *_, last = result["seconds"]
    assert (first, last) == ("CsvExampleGen", "Pusher")
    assert {"StatisticsGen", "SchemaGen", "ExampleValidator", "Transform", "Trainer", "Evaluator"} < set(
        result["seconds"]
    )
    assert result["total_seconds"] == pytest.approx(sum(result["seconds"].values()), abs=0.01)
    assert result["peak_rss_mb"] > 300

    (model,) = (tmp_path / "ws" / "serving").iterdir()
    answer = tf.saved_model.load(str(model)).signatures["serving_default"](tf.constant([_first_example()]))
    assert answer["segment_id"].dtype == tf.int64 and 0 <= answer["segment_id"][0] < 8
    assert answer["distance"][0] > 0


def _first_example() -> bytes:
    import tensorflow as tf

    lists = {
        str: lambda value: {"bytes_list": tf.train.BytesList(value=[value.encode()])},
        int: lambda value: {"int64_list": tf.train.Int64List(value=[value])},
        float: lambda value: {"float_list": tf.train.FloatList(value=[value])},
    }
    row = data.make_customers(600).slice(0, 1).to_pylist()[0]
    features = {name: tf.train.Feature(**lists[type(value)](value)) for name, value in row.items()}
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()
