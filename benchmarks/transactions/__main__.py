"""Measures purchases to customers beside pandas' groupby: `make bench-transactions`.

    python -m benchmarks.transactions [--cases retail generated] [--rows 10000000] [--customers 500000] [--json FILE]

Prints seconds, processor seconds, transactions per second of either and peak memory of the default features, of all
features, of the whole component, and of pandas; says whether the aggregation keeps its target. Exits 1 when a run
fails or the default features are not those of pandas.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.measure import run_measured
from benchmarks.transactions.contenders import CONTENDERS
from benchmarks.transactions.data import write_generated, write_retail

TARGET_PER_SECOND = 500_000
_TOLERANCE = 1e-9


class BenchError(Exception):
    """A measured command failed; the message names it and its log."""


def run_contender(name: str, folder: Path) -> dict[str, Any]:
    """Runs one contender in a process of its own; its JSON and the process's `peak_mb`.

    Raises:
        BenchError: if it fails.
    """
    log = folder / f"{name}.log"
    command = [sys.executable, "-m", "benchmarks.transactions.contenders", name, str(folder)]
    measured = run_measured(command, log)
    if measured.code != 0:
        raise BenchError(f"exit code {measured.code} from `{' '.join(command)}`; see {log}")
    result: dict[str, Any] = json.loads(measured.output.splitlines()[-1])
    return {**result, "peak_mb": measured.peak_mb}


def disagreements(results: dict[str, dict[str, Any]]) -> list[str]:
    """What the aggregation and pandas do not agree on, a line each."""
    if not {"aggregation", "pandas"} <= set(results):
        return []
    ours, theirs = results["aggregation"], results["pandas"]
    pairs = {"customers": (ours["customers"], theirs["customers"])}
    pairs |= {name: (ours["sums"][name], theirs["sums"][name]) for name in theirs["sums"]}
    return [
        f"{name}: {one} by the aggregation, {other} by pandas"
        for name, (one, other) in pairs.items()
        if not math.isclose(one, other, rel_tol=_TOLERANCE)
    ]


def show(console: Console, case: str, results: dict[str, dict[str, Any]], rows: int) -> None:
    """Prints a case as a table, then whether the target holds."""
    customers = next(iter(results.values()))["customers"]
    table = Table(title=f"{case}: {rows:,} transactions -> {customers:,} customers", title_justify="left")
    table.add_column("what")
    for column in ("seconds", "processor s", "transactions/s", "per processor s", "peak MB"):
        table.add_column(column, justify="right")
    for name, result in results.items():
        table.add_row(
            name,
            f"{result['seconds']:.2f}",
            f"{result['cpu_seconds']:.2f}",
            f"{rows / result['seconds']:,.0f}",
            f"{rows / result['cpu_seconds']:,.0f}",
            f"{result['peak_mb']:,.0f}",
        )
    console.print(table)
    if "aggregation" in results:
        holds = rows / results["aggregation"]["seconds"] >= TARGET_PER_SECOND
        word = "[green]holds[/]" if holds else "[red]does not hold[/]"
        console.print(f"target of the aggregation: {TARGET_PER_SECOND:,} transactions/s {word}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--cases", nargs="+", choices=("retail", "generated"), default=["retail", "generated"]
    )
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--customers", type=int, default=500_000)
    parser.add_argument("--only", nargs="+", choices=tuple(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--folder", type=Path, default=Path("build/bench-transactions"))
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    if options.rows < 1 or options.customers < 1:
        parser.error("--rows and --customers must be at least 1")

    console = Console()
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        console.print(f"[yellow]Other work keeps this machine busy (load {load:.1f} on {cores} cores)[/]")
    content: dict[str, Any] = {"load": load, "cases": {}}
    wrong = []
    for case in options.cases:
        folder = options.folder.resolve() / case
        rows = options.rows
        if case == "retail":
            rows = write_retail(folder)
        else:
            write_generated(folder, rows, options.customers)
        try:
            results = {name: run_contender(name, folder) for name in options.only}
        except BenchError as error:
            Console(stderr=True).print(
                f"bench-transactions: {error}", style="red", markup=False, soft_wrap=True
            )
            return 1
        show(console, case, results, rows)
        content["cases"][case] = {"rows": rows, "results": results}
        wrong += [f"{case}: {line}" for line in disagreements(results)]
    for line in wrong:
        console.print(line, style="red", markup=False)
    if options.json:
        options.json.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
