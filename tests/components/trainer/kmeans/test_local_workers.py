"""Processes of this machine share the rows of a fit; whatever happens to one of them, none is left behind."""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import tensorflow as tf

from components.trainer.kmeans import (
    Checkpoint,
    Iteration,
    KMeansError,
    KMeansOptions,
    KMeansResult,
    WorkerLost,
    fit_kmeans,
)
from components.trainer.kmeans.local import crew, handle
from components.trainer.kmeans.local.exchange import read_result, write_result
from components.trainer.kmeans.local.fit import fit_on_local_workers

# Long enough for a test to step in: it would take minutes.
ENDLESS = KMeansOptions(100, n_init=1, tolerance=0.0, max_iterations=1_000_000)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where temporary files go; nothing may be left there, nor any process."""
    before = set(psutil.Process().children(recursive=True))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    yield tmp_path
    assert set(psutil.Process().children(recursive=True)) <= before
    assert list(tmp_path.glob("kmeans-workers-*")) == []


@pytest.fixture
def endless_rows() -> np.ndarray:
    return np.random.default_rng(0).random((200_000, 8), np.float32)


def worker_processes() -> dict[int, psutil.Process]:
    """Index -> process of the workers at work."""
    workers = {}
    for process in psutil.Process().children():
        cluster = json.loads(process.environ().get("TF_CONFIG", "{}"))
        if "task" in cluster:
            workers[cluster["task"]["index"]] = process
    return workers


def assert_same(fit: KMeansResult, expected: KMeansResult) -> None:
    assert fit.inertia == pytest.approx(expected.inertia, rel=1e-5)
    # Samples may number the clusters in another order.
    order, expected_order = np.argsort(fit.cluster_weights), np.argsort(expected.cluster_weights)
    np.testing.assert_allclose(fit.centroids[order], expected.centroids[expected_order], atol=1e-4)
    np.testing.assert_allclose(
        fit.cluster_weights[order], expected.cluster_weights[expected_order], rtol=1e-5
    )


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_any_number_of_workers_makes_the_fit_of_one_process(
    temporary: Path, blobs: Callable[..., np.ndarray], workers: int
) -> None:
    rows, told = blobs(10_007, 4, 5), []
    fit = fit_on_local_workers(rows, KMeansOptions(5), workers, on_iteration=told.append)
    assert_same(fit, fit_kmeans(rows, KMeansOptions(5)))
    assert fit.centroids.dtype == np.float32
    assert fit.history[0] in told, "the passes are told as they are in the history"
    assert fit.history[-1] in told


@pytest.mark.slow
def test_more_workers_than_rows(temporary: Path, blobs: Callable[..., np.ndarray]) -> None:
    rows = blobs(3, 2, 3)
    assert_same(fit_on_local_workers(rows, KMeansOptions(2), 4), fit_kmeans(rows, KMeansOptions(2)))


@pytest.mark.slow
def test_weights_and_initial_centroids_reach_the_workers(
    temporary: Path, blobs: Callable[..., np.ndarray], caplog: pytest.LogCaptureFixture
) -> None:
    # In an order and a type that no worker could map as they are.
    rows = np.asfortranarray(blobs(5_000, 3, 4).astype(np.float64))
    given = {
        "initial_centroids": rows[:4].tolist(),
        "sample_weight": np.random.default_rng(1).uniform(0, 3, 5_000),
    }
    fit = fit_on_local_workers(rows, KMeansOptions(4, max_iterations=2), 2, **given)
    alone = fit_kmeans(rows, KMeansOptions(4, max_iterations=2), **given)
    np.testing.assert_allclose(fit.centroids, alone.centroids, atol=1e-5)
    assert fit.inertia == pytest.approx(alone.inertia, rel=1e-5)
    assert "trainer.kmeans.local.crew:crew.py" in caplog.text, "the chief's warnings are logged here"
    assert "not converged after 2 iterations" in caplog.text


@pytest.mark.slow
def test_a_refused_row_is_named_by_its_place_in_the_whole(
    temporary: Path, blobs: Callable[..., np.ndarray]
) -> None:
    rows = blobs(10_000, 4, 5)
    rows[7_654, 2] = np.nan
    with pytest.raises(KMeansError, match=r"^data: row 7654, column 2 \(counted from 0\) is nan"):
        fit_on_local_workers(rows, KMeansOptions(5), 2)
    weights = np.ones(10_000)
    weights[9_999] = -1.0
    with pytest.raises(KMeansError, match=r"^sample_weight: row 9999 \(counted from 0\) weighs -1"):
        fit_on_local_workers(blobs(10_000, 4, 5), KMeansOptions(5), 2, sample_weight=weights)


@pytest.mark.slow
def test_what_all_workers_refuse(temporary: Path, blobs: Callable[..., np.ndarray]) -> None:
    with pytest.raises(KMeansError, match=r"^data: 4 rows \(of positive weight\) cannot make k=5"):
        fit_on_local_workers(blobs(4, 2, 3), KMeansOptions(5), 2)
    centroids = np.full((2, 2), np.nan)
    with pytest.raises(KMeansError, match=r"^initial_centroids: row 0, column 0 is nan"):
        fit_on_local_workers(blobs(4, 2, 3), KMeansOptions(2), 2, initial_centroids=centroids)


@pytest.mark.parametrize("workers", [0, -1, 1.5, "2", None, True])
def test_impossible_numbers_of_workers(temporary: Path, workers: Any) -> None:
    with pytest.raises(KMeansError, match="workers: expected a whole number of at least 1, got"):
        fit_on_local_workers(np.zeros((10, 2)), KMeansOptions(1), workers)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"data": [["a", "b"]]}, "data: expected numbers, got <U1"),
        ({"data": [1.0, 2.0]}, r"data: expected shape \[n, d\], got \[2\]"),
        ({"data": np.zeros((4, 2)), "sample_weight": [1.0]}, "sample_weight: 1 weights for 4 rows"),
        ({"data": np.zeros((4, 2)), "initial_centroids": "x"}, "initial_centroids: expected shape"),
    ],
)
def test_what_is_no_table_of_numbers_starts_no_process(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], said: str
) -> None:
    monkeypatch.delattr(handle.subprocess, "Popen")
    with pytest.raises(KMeansError, match=said):
        fit_on_local_workers(options=KMeansOptions(1), workers=2, **given)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_worker_that_is_killed_ends_the_fit(temporary: Path, endless_rows: np.ndarray, victim: int) -> None:
    killed_at, environment = 0.0, {}

    def kill(iteration: Iteration) -> None:
        nonlocal killed_at
        if not killed_at:
            killed_at = time.monotonic()
            worker = worker_processes()[victim]
            environment.update(worker.environ())
            worker.kill()

    with pytest.raises(WorkerLost) as caught:
        fit_on_local_workers(endless_rows, ENDLESS, 2, on_iteration=kill)
    assert time.monotonic() - killed_at < 30
    assert str(caught.value).splitlines()[0] == (
        f"k-means: worker {victim} of 2 was ended by SIGKILL (by hand, or because memory ran out)"
    )
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"
    assert int(environment["OMP_NUM_THREADS"]) == max(1, len(os.sched_getaffinity(0)) // 2)


@pytest.mark.slow
def test_what_goes_wrong_while_waiting_ends_the_workers(temporary: Path, endless_rows: np.ndarray) -> None:
    def fail(iteration: Iteration) -> None:
        assert len(worker_processes()) == 2
        assert [path.suffix for path in temporary.glob("kmeans-workers-*/*")] == [".log", ".log"]
        raise LookupError("disk of the curves is full")

    with pytest.raises(LookupError, match="curves"):
        fit_on_local_workers(endless_rows, ENDLESS, 2, on_iteration=fail)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, None)])
def test_no_worker_outlives_who_started_it(
    start_script: Callable[..., Any], tmp_path: Path, number: signal.Signals, code: int | None
) -> None:
    parent = start_script("fit_locally.py", TMPDIR=str(tmp_path))
    try:
        line = next(line for line in parent.stdout if line.startswith("RESULT "))
        workers = [psutil.Process(pid) for pid in json.loads(line.removeprefix("RESULT "))["workers"]]
        assert len(workers) == 2
        parent.send_signal(number)
        output = parent.communicate(timeout=30)[0]
        assert "KeyboardInterrupt" in output or parent.returncode == code
        assert psutil.wait_procs(workers, timeout=10)[1] == []
    finally:
        parent.kill()
        parent.communicate()
    assert list(tmp_path.glob("kmeans-workers-*")) == []


@pytest.mark.slow
def test_a_fit_that_was_cut_short_goes_on_from_its_checkpoint(
    temporary: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("here"))
    rows = np.random.default_rng(0).random((20_000, 3), np.float32)
    options, checkpoint = KMeansOptions(20, n_init=1, tolerance=0.0), Checkpoint("saved", every_seconds=0.0)
    whole = fit_on_local_workers(rows, options, 2)
    told, later = [], []

    def stop(iteration: Iteration) -> None:
        told.append(iteration)
        if len(told) == 5:
            raise LookupError("cut short")

    with pytest.raises(LookupError):
        fit_on_local_workers(rows, options, 2, on_iteration=stop, checkpoint=checkpoint)
    assert Path("saved").is_dir(), "a relative folder is relative to here, not to where the workers are"
    again = fit_on_local_workers(rows, options, 2, on_iteration=later.append, checkpoint=checkpoint)
    np.testing.assert_array_equal(again.centroids, whole.centroids)
    assert again.iterations == whole.iterations > 10
    assert len(later) <= whole.iterations - 4
    assert not Path("saved").exists()


def stand_in(path: Path, script: str) -> str:
    """A program to be started in place of Python."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_worker_that_does_not_start(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = tmp_path_factory.mktemp("bin") / "python"
    monkeypatch.setattr(handle.sys, "executable", stand_in(program, "echo no such luck >&2; exit 3"))
    with pytest.raises(WorkerLost) as caught:
        fit_on_local_workers(np.zeros((10, 2)), KMeansOptions(1), 2)
    first, *rest = str(caught.value).splitlines()
    assert first in [f"k-means: worker {worker} of 2 ended with exit code 3" for worker in (0, 1)]
    assert rest == ["  The last it wrote:", "  no such luck"]


def test_waiting_for_the_start_has_an_end(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    program = tmp_path_factory.mktemp("bin") / "python"
    monkeypatch.setattr(handle.sys, "executable", stand_in(program, "exec sleep 60"))
    monkeypatch.setattr(crew, "_START_SECONDS", 1.0)
    with pytest.raises(WorkerLost, match="k-means: not up within 1 s: worker 0 of 2 is at work"):
        fit_on_local_workers(np.zeros((10, 2)), KMeansOptions(1), 2)


@pytest.mark.slow
def test_a_port_that_was_taken_in_between(
    temporary: Path, monkeypatch: pytest.MonkeyPatch, blobs: Callable[..., np.ndarray]
) -> None:
    find, calls = crew.free_ports, []
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        taken = other.getsockname()[1]

        def free_ports(count: int, tries: int) -> list[int]:
            calls.append(count)
            return [*find(count - 1), taken] if len(calls) <= tries else find(count)

        monkeypatch.setattr(crew, "free_ports", lambda count: free_ports(count, 1))
        assert fit_on_local_workers(blobs(100, 2, 3), KMeansOptions(3), 2).iterations > 0
        assert calls == [2, 2]
        monkeypatch.setattr(crew, "free_ports", lambda count: free_ports(count, 9))
        with pytest.raises(
            WorkerLost, match=r"worker 1 of 2 failed: UnknownError: Could not start gRPC server"
        ):
            fit_on_local_workers(blobs(100, 2, 3), KMeansOptions(3), 2)
        assert calls == [2, 2, 2, 2]


def test_gpus_are_shared_where_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["gpu"] * 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [handle.gpus_of(worker, 2) for worker in range(2)] == ["0,2", "1,3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "7,5,GPU-x,1")
    assert [handle.gpus_of(worker, 3) for worker in range(3)] == ["7,1", "5", "GPU-x"]
    assert [handle.gpus_of(worker, 5) for worker in range(5)] == ["-1"] * 5


def test_a_result_is_handed_over_bit_for_bit(blobs: Callable[..., np.ndarray], tmp_path: Path) -> None:
    fit = fit_kmeans(blobs(500, 3, 4), KMeansOptions(4))
    write_result(str(tmp_path), fit)
    read = read_result(str(tmp_path))
    assert read.history == fit.history
    for name, value in vars(fit).items():
        np.testing.assert_array_equal(getattr(read, name), value)
        assert type(getattr(read, name)) in (type(value), float, int, bool)
    assert read.centroids.dtype == np.float32
