"""What a fit tells while it runs."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
import tensorflow as tf
from absl import logging as absl_logging

from components.trainer.curves import told_passes
from components.trainer.kmeans import Iteration


def iteration(inertia: float, reseeded: tuple[int, ...] = ()) -> Iteration:
    return Iteration(inertia=inertia, movement=0.0123, reseeded=reseeded, examined=10, seconds=0.25)


def curves(folder: Path) -> dict[str, dict[int, float]]:
    """Name -> step -> value, of what is on disk."""
    found: dict[str, dict[int, float]] = {}
    for path in folder.glob("events.out.*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                found.setdefault(value.tag, {})[event.step] = float(tf.make_ndarray(value.tensor))
    return found


class Kept(logging.Handler):
    """The records that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_a_line_and_a_point_per_pass(tmp_path: Path) -> None:
    kept, logger = Kept(), absl_logging.get_absl_logger()
    logger.addHandler(kept)
    verbosity = absl_logging.get_verbosity()
    absl_logging.set_verbosity(absl_logging.INFO)
    try:
        with told_passes(str(tmp_path)) as tell:
            tell(iteration(123456.789, (3, 4)))
            tell(iteration(0.5))
    finally:
        absl_logging.set_verbosity(verbosity)
        logger.removeHandler(kept)
    lines = [
        "pass 1: inertia 123457, moved 0.012, 2 re-seeded, 0.25 s",
        "pass 2: inertia 0.5, moved 0.012, 0 re-seeded, 0.25 s",
    ]
    assert [getattr(record, "progress", None) for record in kept.records] == lines
    assert [record.getMessage() for record in kept.records] == [f"k-means {line}" for line in lines]
    assert curves(tmp_path) == {
        "inertia": {1: pytest.approx(123456.789), 2: 0.5},
        "movement": {1: pytest.approx(0.0123), 2: pytest.approx(0.0123)},
        "reseeded": {1: 2.0, 2: 0.0},
        "seconds": {1: 0.25, 2: 0.25},
    }


def test_curves_can_be_looked_at_while_they_grow(tmp_path: Path) -> None:
    with told_passes(str(tmp_path)) as tell:
        tell(iteration(2.0))
        time.sleep(1.1)
        tell(iteration(1.0))
        assert curves(tmp_path)["inertia"][1] == 2.0


def test_no_curves_without_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with told_passes(None) as tell:
        tell(iteration(1.0))
    assert list(tmp_path.iterdir()) == []
