"""The cases: which rows, how many clusters, who takes part, and what is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from pathlib import Path

import numpy as np

from benchmarks.kmeans.contest import Arena, Contender, Rows
from benchmarks.kmeans.data import write_mixture
from benchmarks.kmeans.rivals import ROOT
from benchmarks.kmeans.summary import Target

RETAIL = ROOT.parent / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
OURS, STREAMED, WORKERS = "ours", "ours, streamed", "ours, two workers"
SKLEARN, SPARK = "scikit-learn", "spark"

_OURS = Contender(OURS, "ours")
_RIVALS = (
    _OURS,
    Contender(SKLEARN, "scikit_learn", rival=True),
    Contender("scikit-learn-intelex", "scikit_learn_intelex", rival=True),
    Contender("faiss", "faiss_sampled", rival=True),
    Contender("faiss, all rows", "faiss_all_rows", rival=True),
    Contender(SPARK, "spark_mllib", rival=True),
)
_THIRD = 1 / 3


class MissingData(Exception):
    """The rows of a case cannot be had here; the message says why."""


@dataclass(frozen=True)
class Case:
    """One comparison.

    Attributes:
        name: On the command line.
        rows: Number of rows at full scale.
        k: Number of clusters.
        write: Writes the rows, given the file and their number.
        contenders: Who takes part, in the order of each round.
        baseline: Whom the others are compared with.
        targets: What is asked.
    """

    name: str
    rows: int
    k: int
    write: Callable[[Path, int], None]
    contenders: tuple[Contender, ...]
    baseline: str
    targets: tuple[Target, ...]

    def prepare(self, arena: Arena, rows: int) -> Rows:
        """Writes that many rows into the arena's folder, also as TFRecords if a contender reads them.

        Raises:
            MissingData: if they are not at hand.
        """
        folder = arena.folder / "data"
        folder.mkdir(parents=True, exist_ok=True)
        array, records = folder / f"{self.name}.npy", folder / self.name
        self.write(array, rows)
        if not any(contender.records for contender in self.contenders):
            return Rows(array)
        # In a process of its own, which keeps TensorFlow out of the one that watches.
        arena.execute("records", "benchmarks.kmeans.records", [str(array), str(records)])
        return Rows(array, records)


def _write_retail(path: Path, rows: int) -> None:
    # Here, because pandas takes a second to import.
    from benchmarks.kmeans.retail import customer_features, resample

    if not RETAIL.exists():
        raise MissingData(f"{RETAIL} does not exist")
    np.save(path, resample(customer_features(RETAIL), rows, seed=3))


def _mixture(columns: int, k: int, seed: int) -> Callable[[Path, int], None]:
    return partial(write_mixture, columns=columns, k=k, seed=seed)


def _time_target(limit: float) -> tuple[Target, ...]:
    what = "time by scikit-learn"
    return (Target(what, OURS, attrgetter("by_baseline"), "x", limit, goal=_THIRD, needs_inertia=True),)


CASES = (
    Case("k10", 1_000_000, 10, _mixture(16, 10, seed=1), _RIVALS, SKLEARN, _time_target(1.0)),
    Case("k64", 1_000_000, 64, _mixture(32, 64, seed=2), _RIVALS, SKLEARN, _time_target(2 / 3)),
    Case("retail", 1_000_000, 6, _write_retail, _RIVALS, SKLEARN, _time_target(2 / 3)),
    Case(
        "streamed",
        10_000_000,
        8,
        _mixture(16, 8, seed=4),
        (_OURS, Contender(STREAMED, "ours_streamed", records=True)),
        OURS,
        (
            Target("peak memory, streamed", STREAMED, attrgetter("peak_mb"), "MB", 2048),
            Target(
                "rows per second per iteration, streamed by in memory",
                STREAMED,
                attrgetter("pace_by_baseline"),
                "x",
                0.5,
                at_least=True,
            ),
        ),
    ),
    Case(
        "workers",
        1_000_000,
        64,
        _mixture(32, 64, seed=2),
        (_OURS, Contender(WORKERS, "ours_workers")),
        OURS,
        (Target("time of two workers by one process", WORKERS, attrgetter("by_baseline"), "x", 1.25),),
    ),
)
