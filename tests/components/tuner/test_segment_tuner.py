"""The search over rows that are known: what is chosen, and what is said of it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absl import logging as absl_logging
from keras_tuner.errors import FatalError

from components.errors import DataError
from components.trainer.kmeans import KMeansOptions
from components.tuner.choice import Bounds
from components.tuner.judging import Judge
from components.tuner.segment_tuner import SegmentTuner
from components.tuner.sweep import Candidate, Sweep

BOUNDS = Bounds(stability=0.5, smallest_segment_share=0.01)


def searched(
    folder: Path, rows: np.ndarray, most: int = 12, bounds: Bounds = BOUNDS, **options: Any
) -> SegmentTuner:
    judge = Judge(np.asarray(rows, np.float32), KMeansOptions(k=2, **options), 8_000, bounds)
    tuner = SegmentTuner(judge, 2, min(most, len(rows)), bounds, 0.01, len(rows), str(folder))
    tuner.search()
    return tuner


def swept(folder: Path, rows: np.ndarray, most: int = 12, bounds: Bounds = BOUNDS, **options: Any) -> Sweep:
    return searched(folder, rows, most, bounds, **options).sweep


def candidate(sweep: Sweep, k: int) -> Candidate:
    return next(each for each in sweep.candidates if each.k == k)


def groups(k: int, rows: int = 1500, d: int = 4, seed: int = 0, share: float | None = None) -> np.ndarray:
    """Rows of k kinds with centres 12 or more standard deviations apart; `share` is that of the smallest."""
    random = np.random.default_rng(seed)
    centres: list[np.ndarray] = []
    while len(centres) < k:
        centre = random.uniform(-20, 20, d)
        if all(np.linalg.norm(centre - other) >= 12 for other in centres):
            centres.append(centre)
    shares = None if share is None else [share, *np.full(k - 1, (1 - share) / (k - 1))]
    return np.array(centres)[random.choice(k, rows, p=shares)] + random.normal(0, 1, (rows, d))


@pytest.mark.parametrize("k", [2, 3, 5, 8, 10])
def test_the_true_number_of_groups_is_found(tmp_path: Path, k: int) -> None:
    sweep = swept(tmp_path, groups(k, seed=k))
    assert sweep.chosen == k, sweep.reason
    assert "continuum" not in sweep.reason
    assert candidate(sweep, k).stability == pytest.approx(1.0)


def test_the_same_rows_make_the_same_sweep(tmp_path: Path) -> None:
    def figures(sweep: Sweep) -> list[Any]:
        return [(c.k, c.inertia, c.silhouette, c.davies_bouldin, c.stability) for c in sweep.candidates]

    rows = np.random.default_rng(0).normal(0, 1, (800, 3))
    first, again = (swept(tmp_path / name, rows, most=5) for name in "ab")
    assert figures(first) == figures(again)
    assert (first.chosen, first.reason) == (again.chosen, again.reason)
    other = swept(tmp_path / "c", rows, most=5, seed=1)
    assert figures(first) != figures(other)


@pytest.mark.parametrize("columns", [2, 6, 16])
def test_noise_gets_few_segments_and_is_called_a_continuum(tmp_path: Path, columns: int) -> None:
    sweep = swept(tmp_path, np.random.default_rng(columns).uniform(0, 1, (2000, columns)))
    assert sweep.chosen <= 4
    assert "divide a continuum" in sweep.reason


def test_an_extreme_few_do_not_make_a_segment(tmp_path: Path) -> None:
    """The published pitfall. Without the bound, the few far away are what separates best."""
    rows = groups(3)
    rows[:6, 0] += 500.0
    pitfall = swept(tmp_path / "without", rows, most=4, bounds=Bounds(0.5))
    assert candidate(pitfall, pitfall.chosen).smallest_segment_share == 6 / 1500
    sweep = swept(tmp_path / "with", rows, most=4)
    assert not candidate(sweep, pitfall.chosen).eligible
    assert "a segment has 0.4 % of the customers; at least 1 % is needed" in sweep.reason


def test_no_more_segments_than_kinds_of_rows(tmp_path: Path) -> None:
    sweep = swept(tmp_path, np.arange(60.0)[:, None] % 3, most=6)
    assert sweep.chosen == 3
    for k in (4, 5, 6):
        found = candidate(sweep, k)
        assert found.silhouette is found.davies_bouldin is found.stability is None
        assert (found.inertia, found.smallest_segment_share, found.eligible) == (0, 0, False)
        assert found.reason == f"rows of only 3 different kinds cannot make k={k} clusters"


def test_as_many_segments_as_rows_cannot_be_judged(tmp_path: Path) -> None:
    sweep = swept(tmp_path, np.array([[0.0], [1.0], [2.0], [50.0], [51.0]]))
    assert [each.k for each in sweep.candidates] == [2, 3, 4, 5]
    assert sweep.chosen == 2
    assert not candidate(sweep, 5).eligible


@pytest.mark.parametrize("value", [1.0, float("nan")])
def test_rows_without_segments_are_refused(tmp_path: Path, value: float) -> None:
    tuner = searched(tmp_path, np.full([50, 2], value), most=6)
    said = "rows of only 1 different kinds" if value == 1 else "row 0, column 0 .* is nan"
    with pytest.raises(DataError, match=f"not even k = 2 can be judged: {said}"):
        _ = tuner.sweep


def test_what_is_no_fault_of_the_data_ends_the_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KerasTuner takes note of other errors and goes on."""
    tried = []

    def broken(_: Judge, k: int) -> None:
        tried.append(k)
        raise MemoryError("no room")

    monkeypatch.setattr(Judge, "candidate", broken)
    with pytest.raises(FatalError) as caught:
        searched(tmp_path, groups(2, rows=30))
    assert isinstance(caught.value.__cause__, MemoryError)
    assert tried == [2]


def test_a_candidate_is_told_when_it_is_judged(tmp_path: Path) -> None:
    told: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if hasattr(record, "progress"):
                told.append(record.progress)

    logger, listener = absl_logging.get_absl_logger(), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.INFO)
    try:
        searched(tmp_path, groups(3), most=4)
    finally:
        logger.setLevel(level)
        logger.removeHandler(listener)
    assert [line.split(":")[0] for line in told] == ["k = 2", "k = 3", "k = 4"]
    assert "silhouette 0.9" in told[1] and told[1].endswith("stability 1.00")
