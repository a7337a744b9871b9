"""The contenders of the k-means benchmark: processes of their own, with the same arguments."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.kmeans import rivals
from benchmarks.kmeans.contenders import fitting
from benchmarks.kmeans.contest import Arena, Contender, ContestError, Rows, Run, contest

ROOT = Path(__file__).resolve().parents[2]


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
