"""`make bench-kmeans`: the sums and verdicts, the judge, the rows, the processes, and the whole for real."""

import io
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sklearn.metrics import pairwise_distances_argmin_min

from benchmarks.kmeans import __main__ as entry
from benchmarks.kmeans import cases, rivals
from benchmarks.kmeans.contenders import fitting
from benchmarks.kmeans.contest import Arena, Contender, ContestError, Rows, Run, contest
from benchmarks.kmeans.data import mixture_blocks, write_mixture
from benchmarks.kmeans.judge import inertia
from benchmarks.kmeans.records import open_records, write_records
from benchmarks.kmeans.retail import customer_features, resample
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


# The judge.


def test_the_judge_agrees_with_scikit_learn_and_with_the_definition():
    random = np.random.default_rng(0)
    rows = random.normal(size=(70_000, 5)).astype(np.float32)  # more than one chunk
    centroids = random.normal(size=(7, 5)).astype(np.float32)
    _, distances = pairwise_distances_argmin_min(rows.astype(np.float64), centroids.astype(np.float64))
    assert inertia(rows, centroids) == pytest.approx(np.sum(distances**2), rel=1e-12)
    assert inertia(np.array([[0.0], [1.0], [5.0]], np.float32), np.array([[0.0], [4.0]])) == 0 + 1 + 1


def test_the_judge_is_not_blurred_by_rows_far_from_the_origin():
    rows = (1e4 + np.random.default_rng(0).normal(size=(1_000, 3))).astype(np.float32)
    centre = rows.astype(np.float64).mean(axis=0)
    expected = np.sum((rows.astype(np.float64) - centre) ** 2)
    assert inertia(rows, centre[None]) == pytest.approx(expected, rel=1e-6)


def test_the_judge_refuses_centroids_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        inertia(np.zeros([3, 2], np.float32), np.array([[0.0, np.nan]]))


# The rows.


def test_a_mixture_is_the_same_for_the_same_arguments():
    first, again, other = (np.concatenate(list(mixture_blocks(5_000, 4, 3, seed))) for seed in (1, 1, 2))
    assert first.dtype == np.float32 and first.shape == (5_000, 4)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_mixture_comes_in_blocks_and_is_written_whole(tmp_path):
    blocks = list(mixture_blocks(300_000, 2, 3, seed=1))
    assert [len(block) for block in blocks] == [262_144, 37_856]
    write_mixture(tmp_path / "new" / "rows.npy", 300_000, 2, 3, seed=1)
    assert np.array_equal(np.load(tmp_path / "new" / "rows.npy"), np.concatenate(blocks))


def test_a_mixture_has_clusters_that_touch():
    from sklearn.cluster import KMeans

    rows = np.concatenate(list(mixture_blocks(20_000, 16, 10, seed=1)))
    by_k = {k: KMeans(k, n_init=5, random_state=0).fit(rows).inertia_ for k in (5, 10, 20)}
    # There are ten clusters: what comes before them lowers the inertia much, what comes after little.
    assert by_k[10] < 0.85 * by_k[5]
    assert by_k[20] > 0.9 * by_k[10]
    # And rows between them: a third are nearly as near to another cluster.
    distances = np.sort(KMeans(10, n_init=5, random_state=0).fit(rows).transform(rows), axis=1)
    assert 0.2 < np.mean(distances[:, 0] > 0.8 * distances[:, 1]) < 0.6


def test_a_mixture_needs_a_row_per_component():
    with pytest.raises(ValueError, match="3 rows cannot hold 4 components"):
        list(mixture_blocks(3, 2, 4, seed=0))


SALES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,x,2,2011-01-01 00:00:00,10.0,7.0,UK
1,B,x,1,2011-01-01 00:00:00,20.0,7.0,UK
2,A,x,1,2011-01-05 00:00:00,20.0,7.0,UK
3,C,x,1,2011-01-11 00:00:00,5.0,8.0,UK
C4,C,x,1,2011-01-12 00:00:00,5.0,8.0,UK
5,C,x,-1,2011-01-13 00:00:00,5.0,8.0,UK
6,C,x,1,2011-01-14 00:00:00,0.0,8.0,UK
7,C,x,1,2011-01-15 00:00:00,5.0,,UK
8,D,x,3,2011-01-03 00:00:00,1.0,9.0,UK
"""


def test_customers_are_summed_up_from_their_sales_alone(tmp_path):
    (tmp_path / "sales.csv").write_text(SALES)
    features = customer_features(tmp_path / "sales.csv")
    # Recency, orders, money, tenure, average basket, products of customers 7, 8 and 9.
    raw = np.log1p([[6, 2, 60, 10, 30, 2], [0, 1, 5, 0, 5, 1], [8, 1, 3, 8, 3, 1]])
    assert features == pytest.approx((raw - raw.mean(axis=0)) / raw.std(axis=0))


def test_resampled_customers_are_repeatable_and_jittered_by_a_twentieth():
    features = np.array([[0.0, 0.0], [10.0, 1.0]])
    rows = resample(features, 20_000, seed=1)
    assert rows.dtype == np.float32 and rows.shape == (20_000, 2)
    assert np.array_equal(rows, resample(features, 20_000, seed=1))
    assert not np.array_equal(rows, resample(features, 20_000, seed=2))
    near = rows[rows[:, 0] < 5]
    assert near.std(axis=0) == pytest.approx([0.05 * 5.0, 0.05 * 0.5], rel=0.05)
    assert 0.45 < len(near) / len(rows) < 0.55
    assert len(np.unique(rows[:, 0])) > 19_000


def test_records_hold_the_rows_in_their_order(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40_001, 3)).astype(np.float32)
    write_records(rows, tmp_path / "records")
    blocks = list(open_records(tmp_path / "records").as_numpy_iterator())
    assert max(len(block) for block in blocks) == 4_096
    assert np.array_equal(np.concatenate(blocks), rows)
    assert open_records(tmp_path / "records").element_spec.shape.as_list() == [None, 3]


def test_fewer_rows_than_files_are_rows_still(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_records(rows, tmp_path)
    assert np.array_equal(np.concatenate(list(open_records(tmp_path).as_numpy_iterator())), rows)


# The processes.


def test_a_contender_times_its_fit_alone_and_answers_with_one_line(tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "rows.npy", np.arange(6.0).reshape(3, 2))
    arguments = {"data": tmp_path / "rows.npy", "k": 2, "seed": 5, "centroids": tmp_path / "c.npy"}
    words = itertools.chain.from_iterable((f"--{name}", str(value)) for name, value in arguments.items())
    monkeypatch.setattr(sys, "argv", ["script", *words])
    seen = []

    def load(path):
        seen.append(path)
        return np.load(path)

    def fit(data, k, seed):
        seen.append((data.tolist(), k, seed))
        return fitting.Fitted(data[:2], 3, pass_seconds=0.5)

    fitting.run("numpy", fit, load)
    assert seen == [tmp_path / "rows.npy", ([[0, 1], [2, 3], [4, 5]], 2, 5)]
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == f"numpy {np.__version__}"
    assert (answer["iterations"], answer["pass_seconds"]) == (3, 0.5)
    assert 0 <= answer["seconds"] < 1 and answer["peak_mb"] > 50 and answer["fit_mb"] >= 0
    assert np.load(tmp_path / "c.npy").tolist() == [[0, 1], [2, 3]]
    fitting.run("numpy", lambda *_: fitting.Fitted([[0.0]], 1, seconds=77.0))
    assert json.loads(capsys.readouterr().out)["seconds"] == 77.0


def test_the_peak_is_that_of_the_process_and_not_of_who_started_it():
    here = np.ones(300 << 17)  # 300 MB
    script = "from benchmarks.kmeans.contenders.fitting import peak_mb; print(peak_mb())"
    there = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert fitting.peak_mb() > here.nbytes / 2**20 > 2 * float(there.stdout)


@pytest.fixture
def rival(tmp_path):
    """An arena whose rivals' interpreter is a script that answers as the test says and notes what it gets."""

    class Stub:
        notes = tmp_path / "notes"
        path = tmp_path / "python"
        arena = Arena(tmp_path / "folder", path, threads=3)

        def answers(self, output: str, code: int = 0) -> None:
            (tmp_path / "output").write_text(output)
            np.save(tmp_path / "centroids", [[0.0]])
            body = f'env >{self.notes}; echo "$*" >>{self.notes}; cp {tmp_path}/centroids.npy "${{10}}"'
            body += f"; cat {tmp_path}/output; exit {code}"
            self.path.write_text(f"#!/bin/bash\n{body}\n")
            self.path.chmod(0o755)

    (tmp_path / "folder").mkdir()
    np.save(tmp_path / "rows.npy", np.array([[1.0], [3.0]], np.float32))
    return Stub()


ANSWER = {
    "version": "x 1",
    "seconds": 1.5,
    "iterations": 4,
    "pass_seconds": None,
    "peak_mb": 9999.0,
    "fit_mb": 2.0,
}
RIVAL = Contender("other, one", "other_script", rival=True)


def test_a_rival_gets_its_arguments_threads_and_no_settings_of_our_numpy(rival, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "x")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    rival.answers("chatter\n" + json.dumps(ANSWER))
    run = rival.arena.fit(RIVAL, Rows(tmp_path / "rows.npy"), k=1, seed=6)
    assert run == Run(**ANSWER, inertia=1.0 + 9.0)
    *environment, arguments = rival.notes.read_text().splitlines()
    assert arguments == (
        f"-m benchmarks.kmeans.contenders.other_script --data {tmp_path}/rows.npy --k 1 --seed 6 "
        f"--centroids {tmp_path}/folder/centroids.npy"
    )
    assert "OMP_NUM_THREADS=3" in environment and "OPENBLAS_NUM_THREADS=3" in environment
    assert f"PYTHONPATH={ROOT}" in environment
    unwanted = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "CUDA_VISIBLE_DEVICES")
    assert not [line for line in environment if line.startswith(unwanted)]


def test_memory_of_processes_that_a_contender_starts_counts_too(rival, tmp_path):
    rival.answers(json.dumps(ANSWER | {"peak_mb": 0.001}))
    rival.path.write_text(rival.path.read_text().replace("; exit", "; sleep 0.5; exit"))
    assert rival.arena.fit(RIVAL, Rows(tmp_path / "rows.npy"), k=1, seed=0).peak_mb > 0.1


@pytest.mark.parametrize(
    ("output", "code", "message"),
    [
        (json.dumps(ANSWER), 3, "other, one ended with exit code 3; see .*/other-one.log"),
        ("", 0, "other, one gave no usable answer .*; see .*/other-one.log"),
        ("no json", 0, "gave no usable answer"),
        ("{}", 0, "gave no usable answer"),
        (json.dumps(ANSWER | {"extra": 1}), 0, "gave no usable answer"),
    ],
)
def test_a_contender_that_fails_is_named_with_its_log(rival, tmp_path, output, code, message):
    rival.answers(output, code)
    with pytest.raises(ContestError, match=message):
        rival.arena.fit(RIVAL, Rows(tmp_path / "rows.npy"), k=1, seed=0)


def test_contenders_take_turns_and_each_round_has_a_seed():
    class Recorder:
        asked = []

        def fit(self, contender, rows, k, seed):
            self.asked.append((contender.name, seed))
            return Run("x 1", 10.0 * seed + len(contender.name), 1, None, 1.0, 1.0, 1.0)

    arena, lines = Recorder(), []
    names = [Contender("a", "a"), Contender("bb", "b")]
    runs = contest(arena, names, Rows(Path("x")), k=2, repeats=2, heard=lines.append)
    assert arena.asked == [("a", 0), ("bb", 0), ("a", 1), ("bb", 1)]
    assert {name: [run.seconds for run in fits] for name, fits in runs.items()} == {
        "a": [1.0, 11.0],
        "bb": [2.0, 12.0],
    }
    assert "round 2 of 2: bb 12.00 s" in lines[-1]


@pytest.fixture
def commands(monkeypatch):
    """The commands that making the rivals' environment would run."""
    ran = []

    def run(command):
        ran.append(" ".join(command[1:]))
        return "/some/uv\n"

    monkeypatch.setattr(rivals, "_run", run)
    return ran


def test_the_rivals_environment_is_made_once_and_again_when_spark_is_wanted(tmp_path, commands):
    folder = tmp_path / "rivals"
    folder.mkdir()
    assert rivals.prepare(folder, spark=False) == folder / "bin" / "python"
    _, make, install = commands
    assert make.startswith("venv ") and make.endswith(str(folder))
    assert "--upgrade" in install and install.endswith("scikit-learn scikit-learn-intelex faiss-cpu numpy")
    commands.clear()
    rivals.prepare(folder, spark=False)
    assert commands == []
    rivals.prepare(folder, spark=True)
    assert commands[-1].endswith("numpy pyspark pyarrow")
    commands.clear()
    rivals.prepare(folder, spark=False)
    assert commands == []


def test_a_failed_install_says_what_the_installer_said(tmp_path):
    with pytest.raises(rivals.RivalsError, match="failed: no such package"):
        rivals._run(["bash", "-c", "echo no such package >&2; exit 1"])


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
