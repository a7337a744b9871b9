"""Compares this pipeline with the stock TFX DAG on the same file in the same session: `make bench`.

    python -m benchmarks.bench [--rows 1000000] [--only stock|ours] [--folder build/bench] [--json FILE]

Prints seconds per component with the ratio, memory, start-up times, and how long 10,000 customers take from
the command to the pushed model; says of each target whether it holds. Exits 1 when a run fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.comparison import Row, compare
from benchmarks.measure import Measured, run_measured

SMALL_ROWS = 10_000
TARGET_RATIO = 0.25
TARGET_MEMORY_MB = 4096
TARGET_SMALL_SECONDS = 45.0
TARGET_HELP_SECONDS = 1.0
TARGET_CHECK_SECONDS = 2.0
_REPEATS = 5
_SEGMENTS = str(Path(sys.executable).with_name("segments"))
# The stock CsvExampleGen reads every file of its folder, so the config lives beside the data's folder.
_CONFIG = (
    f"name: bench\ndata: {{path: data/customers.csv, id: {data.ID}}}\n"
    # As one would for skewed amounts, and so that the model is good enough to be pushed: all components run.
    "features: {numeric: {log1p: true}}\nmodel: {k: 5}\n"
)


class BenchError(Exception):
    """A measured command failed; the message names it and its log."""


def prepare(folder: Path, rows: int) -> Path:
    """Empties `folder/ROWS` and writes the data and the config of a run of `rows` customers into it."""
    case = folder / str(rows)
    shutil.rmtree(case, ignore_errors=True)
    data.write_customers(case / "data" / "customers.csv", rows)
    (case / "bench.yaml").write_text(_CONFIG, encoding="utf-8")
    return case


def run_stock(case: Path) -> tuple[Measured, dict[str, Any]]:
    """Runs the stock DAG in a process of its own; its JSON is described in `benchmarks.stock_dag`."""
    paths = ["--data", str(case / "data"), "--workspace", str(case / "stock")]
    return _run_json([sys.executable, "-m", "benchmarks.stock_dag", *paths], case / "stock.log")


def run_ours(case: Path) -> tuple[Measured, dict[str, Any]]:
    """Runs `segments run --json`; anything but a pushed model at its end raises BenchError."""
    paths = [str(case / "bench.yaml"), "--workspace", str(case / "ours")]
    measured, result = _run_json([_SEGMENTS, "run", *paths, "--json"], case / "ours.log")
    if result["status"] != "pushed":
        raise BenchError(f"segments run ended as {result['status']}; see {case / 'ours.log'}")
    return measured, result


def _run_json(command: Sequence[str], log: Path) -> tuple[Measured, dict[str, Any]]:
    try:
        measured = run_measured(command, log)
    except FileNotFoundError:
        raise BenchError(f"{command[0]} does not exist: run `make setup`") from None
    if measured.code != 0:
        raise BenchError(f"exit code {measured.code} from `{' '.join(command)}`; see {log}")
    try:
        return measured, json.loads(measured.output)
    except json.JSONDecodeError:
        raise BenchError(f"`{' '.join(command)}` printed no JSON object; see {log}") from None


def startup_seconds(arguments: Sequence[str], log: Path) -> float:
    """The median wall time of `segments ARGUMENTS` over five runs, in seconds."""
    runs = [run_measured([_SEGMENTS, *arguments], log) for _ in range(_REPEATS)]
    if any(run.code != 0 for run in runs):
        raise BenchError(f"`segments {' '.join(arguments)}` failed; see {log}")
    return statistics.median(run.seconds for run in runs)


def show_components(console: Console, rows: Sequence[Row], customers: int) -> None:
    """Prints the comparison as a table."""
    table = Table(title=f"{customers:,} customers, seconds", title_justify="left")
    table.add_column("component")
    for column in ("stock TFX", "this pipeline", "ratio"):
        table.add_column(column, justify="right")
    for row in rows:
        if row.component == "total":
            table.add_section()
        table.add_row(row.component, _number(row.stock, 1), _number(row.ours, 1), _number(row.ratio, 2))
    console.print(table)


def show_totals(console: Console, runs: dict[str, Measured]) -> None:
    """Prints wall time, processor time and peak memory of each command as a whole, imports included."""
    for name, run in runs.items():
        time = f"{run.seconds:.1f} s from command to end ({run.cpu_seconds:.1f} s of processor time)"
        console.print(f"{name}: {time}, peak memory {run.peak_mb:,.0f} MB")


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _verdict(console: Console, what: str, value: float, unit: str, target: float) -> dict[str, Any]:
    holds = value <= target
    word = "[green]holds[/]" if holds else "[red]does not hold[/]"
    console.print(f"{what}: {value:,.2f} {unit} (target {target:,g} {unit}: {word})")
    return {"what": what, "value": value, "target": target, "holds": holds}


def bench(console: Console, folder: Path, rows: int, only: str | None) -> dict[str, Any]:
    """Runs everything and prints it; returns the same numbers for a machine.

    Raises:
        BenchError: if a run fails.
    """
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        console.print(f"[yellow]Other work keeps this machine busy (load {load:.1f} on {cores} cores)[/]")
    console.print(f"Making {rows:,} customers in {folder}")
    case = prepare(folder, rows)
    runs: dict[str, Measured] = {}
    seconds: dict[str, dict[str, float]] = {"stock": {}, "ours": {}}
    for name, run in (("stock", run_stock), ("ours", run_ours)):
        if only in (None, name):
            console.print(f"Running {name} (log: {case / f'{name}.log'})")
            runs[name], result = run(case)
            seconds[name] = result["seconds"]
    table = compare(seconds["stock"], seconds["ours"])
    show_components(console, table, rows)
    show_totals(console, runs)

    verdicts = []
    total = table[-1]
    if total.ratio is not None:
        verdicts.append(_verdict(console, "time by stock", total.ratio, "x", TARGET_RATIO))
    if "ours" in runs:
        small = runs["ours"] if rows == SMALL_ROWS else run_ours(prepare(folder, SMALL_ROWS))[0]
        log = case / "startup.log"
        usage = startup_seconds(["--help"], log)
        check = startup_seconds(["check", str(case / "bench.yaml")], log)
        verdicts += [
            _verdict(console, "peak memory", runs["ours"].peak_mb, "MB", TARGET_MEMORY_MB),
            _verdict(console, "10,000 customers to pushed", small.seconds, "s", TARGET_SMALL_SECONDS),
            _verdict(console, "segments --help", usage, "s", TARGET_HELP_SECONDS),
            _verdict(console, "segments check", check, "s", TARGET_CHECK_SECONDS),
        ]
    return {
        "rows": rows,
        "seconds": seconds,
        "total": {"stock": total.stock, "ours": total.ours, "ratio": total.ratio},
        "load": load,
        "wall_seconds": {name: run.seconds for name, run in runs.items()},
        "cpu_seconds": {name: run.cpu_seconds for name, run in runs.items()},
        "peak_mb": {name: run.peak_mb for name, run in runs.items()},
        "targets": verdicts,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("stock", "ours"))
    parser.add_argument("--folder", type=Path, default=Path("build/bench"))
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error("--rows must be at least 1")
    console = Console()
    try:
        result = bench(console, options.folder.resolve(), options.rows, options.only)
    except BenchError as error:
        Console(stderr=True).print(f"bench: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    if options.json:
        options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
