"""`make bench-kmeans`: the sums and verdicts, the judge, the rows, the processes, and the whole for real."""

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks.kmeans import __main__ as entry
from benchmarks.kmeans import cases
from benchmarks.kmeans.contest import Run
from benchmarks.kmeans.judge import inertia
from benchmarks.kmeans.show import show_standings, show_verdict
from benchmarks.kmeans.summary import Target, judge_target, paired_ratio, standings

ROOT = Path(__file__).resolve().parents[2]


def fits(seconds, inertia=(100.0, 100.0, 100.0), **others):
    fixed = {"version": "x 1", "iterations": 4, "pass_seconds": None, "peak_mb": 10.0, "fit_mb": 1.0}
    return [Run(seconds=s, inertia=i, **(fixed | others)) for s, i in zip(seconds, inertia, strict=True)]


def one(table, name):
    (found,) = [standing for standing in table if standing.contender == name]
    return found


# From fits to verdicts.


def test_ratios_are_taken_within_a_round_and_ours_is_above_the_line():
    # The second round was slow for both. The ratio of the medians would be 3 / 6.
    assert paired_ratio([1.0, 30.0, 3.0], [2.0, 100.0, 6.0]) == 0.5
    assert paired_ratio([1.0, 30.0, 3.0], [4.0, 100.0, 6.0]) == 0.3
    with pytest.raises(ValueError):
        paired_ratio([1.0], [1.0, 2.0])


def test_a_standing_holds_medians_and_the_largest_memory():
    runs = {"a": fits([3.0, 1.0, 2.0], [7.0, 5.0, 6.0]), "b": fits([6.0, 4.0, 2.0], [6.5, 6.5, 6.5])}
    runs["a"][1] = Run("x 1", 1.0, 9, None, peak_mb=99.0, fit_mb=7.0, inertia=5.0)
    first, second = standings(runs, "b", rows=100)
    assert (first.contender, first.version) == ("a", "x 1")
    assert (first.seconds, first.inertia, first.iterations) == (2.0, 6.0, 4)
    assert (first.peak_mb, first.fit_mb) == (99.0, 7.0)
    assert first.by_baseline == 0.5 and second.by_baseline == 1.0
    assert first.above_best == 0.0 and second.above_best == pytest.approx(0.5 / 6)


@pytest.mark.parametrize(("inertia", "reached"), [(100.0, True), (100.0999, True), (100.1001, False)])
def test_an_inertia_is_reached_within_a_thousandth_of_the_best(inertia, reached):
    runs = {"best": fits([9.0] * 3), "other": fits([1.0] * 3, [inertia] * 3)}
    table = standings(runs, "best", rows=10)
    assert one(table, "best").reached and one(table, "other").reached is reached
    # Who did not reach it is no measure of speed.
    assert one(table, "best").by_best == (9.0 if reached else 1.0)


def test_what_a_contender_or_an_absent_baseline_does_not_tell_is_none():
    (alone,) = standings({"a": fits([1.0] * 3)}, "absent", rows=10)
    assert (alone.by_baseline, alone.pace, alone.pace_by_baseline) == (None, None, None)


def test_the_pace_is_rows_by_seconds_of_a_pass():
    runs = {
        "memory": fits([9.0] * 3, iterations=4, pass_seconds=2.0),
        "streamed": fits([9.0] * 3, iterations=5, pass_seconds=10.0),
    }
    table = standings(runs, "memory", rows=1_000)
    assert (one(table, "memory").pace, one(table, "streamed").pace) == (2_000.0, 500.0)
    assert one(table, "streamed").pace_by_baseline == 0.25


@pytest.mark.parametrize(
    ("at_least", "value", "holds", "holds_goal"),
    [
        (False, 0.3, True, True),
        (False, 0.5, True, False),
        (False, 0.6, True, False),
        (False, 0.61, False, False),
        (True, 0.3, False, True),
        (True, 0.6, True, True),
        (True, 0.59, False, True),
    ],
)
def test_a_target_is_a_ceiling_or_a_floor(at_least, value, holds, holds_goal):
    target = Target("what", "a", lambda _: value, "x", limit=0.6, goal=0.3, at_least=at_least)
    verdict = judge_target(target, standings({"a": fits([1.0] * 3)}, "a", rows=10))
    assert (verdict.value, verdict.holds, verdict.holds_goal) == (value, holds, holds_goal)


@pytest.mark.parametrize(("needs_inertia", "holds"), [(True, False), (False, True)])
def test_quick_and_wrong_does_not_count_where_the_inertia_does(needs_inertia, holds):
    table = standings({"a": fits([1.0] * 3, [101.0] * 3), "b": fits([9.0] * 3)}, "b", rows=10)
    target = Target("w", "a", lambda s: s.by_baseline, "x", 1.0, goal=0.5, needs_inertia=needs_inertia)
    verdict = judge_target(target, table)
    assert (verdict.holds, verdict.holds_goal, verdict.reached) == (holds, holds, holds)


def test_a_target_asks_its_contender_and_is_none_without_it():
    table = standings({"a": fits([1.0] * 3), "b": fits([5.0] * 3)}, "absent", rows=10)
    assert judge_target(Target("w", "b", lambda s: s.seconds, "s", 2.0), table).value == 5.0
    assert judge_target(Target("w", "c", lambda s: s.seconds, "s", 2.0), table) is None
    assert judge_target(Target("w", "b", lambda s: s.by_baseline, "x", 2.0), table) is None


def test_the_issue_s_targets_are_those_that_are_judged():
    asked = {
        case.name: [(t.contender, t.limit, t.goal, t.at_least, t.needs_inertia) for t in case.targets]
        for case in cases.CASES
    }
    third = pytest.approx(1 / 3)
    assert asked == {
        "k10": [("ours", 1.0, third, False, True)],
        "k64": [("ours", pytest.approx(2 / 3), third, False, True)],
        "retail": [("ours", pytest.approx(2 / 3), third, False, True)],
        "streamed": [
            ("ours, streamed", 2048, None, False, False),
            ("ours, streamed", 0.5, None, True, False),
        ],
        "workers": [("ours, two workers", 1.25, None, False, False)],
    }
    sizes = {case.name: (case.rows, case.k, case.baseline) for case in cases.CASES}
    assert sizes["streamed"] == (10_000_000, 8, "ours") and sizes["workers"] == (1_000_000, 64, "ours")
    assert sizes["k10"] == (1_000_000, 10, "scikit-learn") and sizes["k64"] == (1_000_000, 64, "scikit-learn")


def printed(show, *arguments):
    console = Console(width=200, record=True, file=io.StringIO())
    show(console, *arguments)
    return console.export_text()


def test_the_verdict_is_said_in_words():
    table = standings({"a": fits([1.0] * 3), "b": fits([2.0] * 3, [101.0] * 3)}, "b", rows=10)
    target = Target("time", "a", lambda s: s.by_baseline, "x", 2 / 3, goal=1 / 3, needs_inertia=True)
    expected = "time: 0.50 x (target at most 0.6667 x: holds; goal 0.333 x: does not hold)\n"
    assert printed(show_verdict, judge_target(target, table)) == expected
    slow = Target("time", "b", lambda s: s.seconds, "s", 3.0, at_least=True, needs_inertia=True)
    said = printed(show_verdict, judge_target(slow, table))
    assert "target at least 3 s: does not hold; its inertia is more than 0.1 % above the best" in said


def test_the_table_shows_every_number_and_the_pace_only_where_all_tell_it():
    told = {"iterations": 4, "pass_seconds": 2.0}
    table = standings({"a": fits([1.25] * 3, **told), "b": fits([2.5] * 3, [101.0] * 3, **told)}, "b", 10**6)
    shown = printed(show_standings, "title", "b", table)
    for expected in ("title", "by b", "1.250", "0.50", "2.00", "101", "1.000% ✗", "0.000% ✓", "2.0"):
        assert expected in shown
    assert "Mrows/s/iteration" in shown
    mixed = standings({"a": fits([1.25] * 3, **told), "b": fits([2.5] * 3)}, "absent", 10**6)
    shown = printed(show_standings, "title", "absent", mixed)
    assert "Mrows/s/iteration" not in shown and "- " in shown


# The command.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--repeats", "0"], "--repeats must be at least 1"),
        (["--rows-scale", "0"], "--rows-scale must be positive"),
        (["--threads", "100000"], "--threads must be from 1 to"),
        (["--cases", "k11"], "invalid choice"),
        (["--contenders", "nobody"], "invalid choice"),
    ],
)
def test_wrong_usage_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit) as raised:
        entry.main(arguments)
    assert raised.value.code == 2
    assert message in capsys.readouterr().err


def test_the_real_case_is_left_out_where_its_data_are_not(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cases, "RETAIL", tmp_path / "absent.csv.gz")
    out = tmp_path / "out.json"
    arguments = ["--cases", "retail", "--rivals", "none", "--folder", str(tmp_path), "--json", str(out)]
    assert entry.main(arguments) == 0
    said = capsys.readouterr().out
    assert "retail is left out" in said and "absent.csv.gz does not exist" in said
    assert json.loads(out.read_text())["cases"] == []


def test_a_case_without_any_of_the_chosen_contenders_is_not_run(tmp_path, capsys):
    arguments = ["--cases", "workers", "--contenders", "faiss", "--folder", str(tmp_path)]
    assert entry.main(arguments) == 0
    assert "workers" not in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_spark_takes_part_only_when_asked():
    assert "spark" not in entry._options([]).contenders
    assert "spark" in entry._options(["--spark"]).contenders
    assert entry._options(["--contenders", "spark"]).contenders == ["spark"]


def test_a_contender_that_fails_fails_the_command(tmp_path, capsys):
    arguments = ["--cases", "k10", "--contenders", "scikit-learn", "--rows-scale", "0.0001"]
    code = entry.main([*arguments, "--rivals", "/bin/false", "--folder", str(tmp_path)])
    assert code == 1
    assert "bench-kmeans: scikit-learn ended with exit code 1" in capsys.readouterr().err


def run_for_real(tmp_path, *arguments):
    out = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks.kmeans", "--folder", str(tmp_path), "--json", str(out)]
    # This interpreter's scikit-learn stands in for the newest, so that nothing has to be installed.
    command += ["--rivals", sys.executable, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(out.read_text())


@pytest.mark.slow
def test_ours_meets_scikit_learn_through_the_command(tmp_path):
    arguments = ["--cases", "k10", "--contenders", "ours", "scikit-learn", "--rows-scale", "0.01"]
    said, result = run_for_real(tmp_path, *arguments, "--repeats", "2")
    for expected in (
        "k10: 10,000 rows",
        "tensorflow",
        "scikit-learn",
        "time by scikit-learn",
        "target at most 1",
    ):
        assert expected in said
    (case,) = result["cases"]
    assert (case["rows"], case["k"]) == (10_000, 10)
    rows = np.load(tmp_path / "data" / "k10.npy")
    everything = inertia(rows, rows.mean(axis=0, keepdims=True))
    for standing in case["standings"]:
        assert 0 < standing["seconds"] < 60 and standing["iterations"] >= 1
        assert 0.1 * everything < standing["inertia"] < 0.9 * everything
        assert 50 < standing["peak_mb"] < 4096 and standing["fit_mb"] >= 0
    (target,) = case["targets"]
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(*case["runs"].values(), strict=True)]
    assert target["value"] == pytest.approx(np.median(ratios))
    assert target["holds"] is (case["standings"][0]["reached"] and target["value"] <= 1)


@pytest.mark.slow
def test_streamed_rows_give_what_rows_in_memory_give(tmp_path):
    said, result = run_for_real(tmp_path, "--cases", "streamed", "--rows-scale", "0.002", "--repeats", "1")
    assert "Mrows/s/iteration" in said and "peak memory, streamed" in said
    (case,) = result["cases"]
    memory, streamed = case["standings"]
    assert (memory["contender"], streamed["contender"]) == ("ours", "ours, streamed")
    assert streamed["inertia"] == pytest.approx(memory["inertia"], rel=1e-3)
    assert streamed["pace"] > 0
    peak, pace = case["targets"]
    assert peak["value"] == streamed["peak_mb"] and peak["holds"]
    assert pace["value"] == pytest.approx(streamed["pace"] / memory["pace"])


@pytest.mark.slow
def test_two_workers_give_what_one_process_gives(tmp_path):
    said, result = run_for_real(tmp_path, "--cases", "workers", "--rows-scale", "0.005", "--repeats", "1")
    assert "time of two workers by one process" in said and "target at most 1.25 x" in said
    (case,) = result["cases"]
    one_process, two = case["standings"]
    assert two["contender"] == "ours, two workers"
    assert two["inertia"] == pytest.approx(one_process["inertia"], rel=0.05)
    assert case["targets"][0]["value"] == pytest.approx(two["seconds"] / one_process["seconds"])
