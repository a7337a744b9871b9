"""Measures all clustering metrics over many customers: `make bench-metrics`.

    python -m benchmarks.metrics [--rows 1000000] [--features 16] [--k 10] [--only NAME ...] [--json FILE]

Prints seconds (imports left out) and peak memory (imports and all) of the metrics as plain arrays and through the
Evaluator, and beside them scikit-learn's silhouette_score on 20,000 rows; says of each target whether it holds.
Exits 1 when a run fails or a value of the Evaluator is not the arrays' own.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import run_measured
from benchmarks.metrics.contenders import CONTENDERS, SILHOUETTE_ROWS

TARGET_SECONDS = 30.0
TARGET_MEMORY_MB = 2048
_TARGETED = ("arrays", "evaluator")
_EXACT_TOLERANCE = 1e-5


class BenchError(Exception):
    """A measured command failed; the message names it and its log."""


def run_contender(name: str, folder: Path) -> dict[str, Any]:
    """Runs one contender in a process of its own; its JSON and the process's `peak_mb`.

    Raises:
        BenchError: if it fails.
    """
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "benchmarks.metrics.contenders", name, str(folder)]
    measured = run_measured(command, log)
    if measured.code != 0:
        raise BenchError(f"exit code {measured.code} from `{' '.join(command)}`; see {log}")
    result: dict[str, Any] = json.loads(measured.output.splitlines()[-1])
    return {**result, "peak_mb": measured.peak_mb}


def disagreements(results: dict[str, dict[str, Any]], sampled: Sequence[str]) -> list[str]:
    """Metrics of all rows for which the Evaluator and the arrays do not give the same value, a line each."""
    expected = results.get("arrays", {}).get("metrics", {})
    lines = []
    for name, result in results.items():
        for metric, value in result["metrics"].items():
            if metric in sampled or metric not in expected:
                continue
            if not math.isclose(float(value), float(expected[metric]), rel_tol=_EXACT_TOLERANCE):
                lines.append(f"{metric}: {name} says {value}, arrays say {expected[metric]}")
    return lines


def show(console: Console, results: dict[str, dict[str, Any]], rows: int, features: int, k: int) -> None:
    """Prints the comparison as a table, then which targets hold."""
    table = Table(title=f"{rows:,} customers x {features}, k = {k}", title_justify="left")
    table.add_column("what")
    for column in ("seconds", "processor s", "peak MB", "targets"):
        table.add_column(column, justify="right")
    for name, result in results.items():
        holds = result["seconds"] <= TARGET_SECONDS and result["peak_mb"] <= TARGET_MEMORY_MB
        word = ("[green]hold[/]" if holds else "[red]do not hold[/]") if name in _TARGETED else ""
        label = f"{name} ({min(rows, SILHOUETTE_ROWS):,} rows)" if name == "silhouette_score" else name
        table.add_row(label, *_times(result), f"{result['peak_mb']:,.0f}", word)
        for part, taken in result.get("parts", {}).items():
            table.add_row(f"  {part}", *_times(taken))
    console.print(table)
    console.print(f"targets: {TARGET_SECONDS:g} s, {TARGET_MEMORY_MB:,} MB")


def _times(taken: dict[str, Any]) -> tuple[str, str]:
    return f"{taken['seconds']:.1f}", f"{taken['cpu_seconds']:.1f}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=16)
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--only", nargs="+", choices=tuple(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--folder", type=Path, default=Path("build/bench-metrics"))
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    if options.k < 2 or options.features < 1 or options.rows < 10 * options.k:
        parser.error("--k must be at least 2, --features 1, and --rows 10 times k")

    from benchmarks.metrics.case import prepare
    from configs.evaluation import SAMPLED

    console = Console()
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        console.print(f"[yellow]Other work keeps this machine busy (load {load:.1f} on {cores} cores)[/]")
    folder = options.folder.resolve() / str(options.rows)
    console.print(f"Making {options.rows:,} customers in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    prepare(folder, options.rows, options.features, options.k)
    try:
        results = {name: run_contender(name, folder) for name in options.only}
    except BenchError as error:
        Console(stderr=True).print(f"bench-metrics: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    show(console, results, options.rows, options.features, options.k)
    wrong = disagreements(results, SAMPLED)
    for line in wrong:
        console.print(line, style="red", markup=False)
    if options.json:
        content = {"rows": options.rows, "features": options.features, "k": options.k, "load": load}
        options.json.write_text(
            json.dumps({**content, "results": results}, indent=2) + "\n", encoding="utf-8"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
