"""Compares the k-means engine with its rivals on the same rows with the same threads: `make bench-kmeans`.

    python -m benchmarks.kmeans [--cases NAME ...] [--repeats 3] [--threads N] [--spark] [--json FILE]

Prints seconds, inertia, iterations and memory of every contender, and of each target whether it holds;
docs/benchmarks.md has the method. Exits 1 when a contender fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.kmeans import rivals
from benchmarks.kmeans.cases import CASES, SPARK, Case, MissingData
from benchmarks.kmeans.contest import Arena, ContestError, contest
from benchmarks.kmeans.show import show_standings, show_verdict
from benchmarks.kmeans.summary import judge_target, standings

# As wide as the tables, for where the output goes into a file.
_WIDTH = 150


def run_case(
    console: Console, arena: Arena, case: Case, scale: float, repeats: int, only: Sequence[str]
) -> dict[str, Any] | None:
    """Runs a case and prints it; returns the same for a machine, or None where its rows are not at hand.

    Raises:
        ContestError: if a contender fails.
    """
    rows = max(case.k, round(case.rows * scale))
    console.print(f"\n[bold]{case.name}[/]: making {rows:,} rows", highlight=False)
    try:
        data = case.prepare(arena, rows)
    except MissingData as missing:
        console.print(f"[yellow]{case.name} is left out: {missing}[/]", soft_wrap=True)
        return None
    contenders = [contender for contender in case.contenders if contender.name in only]
    runs = contest(
        arena, contenders, data, case.k, repeats, lambda line: console.print(line, highlight=False)
    )
    table = standings(runs, case.baseline, rows)
    title = f"{case.name}: {rows:,} rows, k = {case.k}, {repeats} rounds, {arena.threads} threads"
    show_standings(console, title, case.baseline, table)
    best = min(run.inertia for fits in runs.values() for run in fits)
    console.print(f"lowest inertia of all fits: {best:.6g}", highlight=False)

    verdicts = []
    for target in case.targets:
        verdict = judge_target(target, table)
        if verdict is None:
            console.print(f"[yellow]{target.what}: not measured[/]")
        else:
            show_verdict(console, verdict)
            verdicts.append(dataclasses.asdict(verdict))
    return {
        "case": case.name,
        "rows": rows,
        "k": case.k,
        "baseline": case.baseline,
        "lowest_inertia": best,
        "standings": [dataclasses.asdict(standing) for standing in table],
        "targets": verdicts,
        "runs": {name: [dataclasses.asdict(run) for run in fits] for name, fits in runs.items()},
    }


def bench(console: Console, options: argparse.Namespace) -> dict[str, Any]:
    """Runs the chosen cases; what has finished is in the JSON file even if a later case fails.

    Raises:
        ContestError: if a contender fails.
        RivalsError: if the rivals' environment cannot be made.
    """
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    if load > cores / 2:
        console.print(f"[yellow]Other work keeps this machine busy (load {load:.1f} on {cores} cores)[/]")
    folder = options.folder.resolve()
    cases = [
        case
        for case in CASES
        if case.name in options.cases and any(c.name in options.contenders for c in case.contenders)
    ]
    python = options.rivals
    if python is None and any(_rivals_of(case, options.contenders) for case in cases):
        console.print(f"The rivals' environment: {folder / 'rivals'}", soft_wrap=True)
        python = rivals.prepare(folder / "rivals", SPARK in options.contenders)
    arena = Arena(folder, python or Path(sys.executable), options.threads)
    result = {
        "threads": options.threads,
        "repeats": options.repeats,
        "rows_scale": options.rows_scale,
        "load": load,
        "cases": [],
    }
    for case in cases:
        done = run_case(console, arena, case, options.rows_scale, options.repeats, options.contenders)
        if done is not None:
            result["cases"].append(done)
        if options.json:
            options.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def _rivals_of(case: Case, only: Sequence[str]) -> bool:
    return any(contender.rival and contender.name in only for contender in case.contenders)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    cores = sorted(os.sched_getaffinity(0))
    cases = [case.name for case in CASES]
    names = list(dict.fromkeys(contender.name for case in CASES for contender in case.contenders))
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.kmeans",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument(
        "--cases", nargs="+", choices=cases, default=cases, metavar="NAME", help="; ".join(cases)
    )
    parser.add_argument("--contenders", nargs="+", choices=names, metavar="NAME", help="; ".join(names))
    parser.add_argument("--repeats", type=int, default=3, help="rounds, each with a seed of its own")
    parser.add_argument("--rows-scale", type=float, default=1.0, help="0.01 for a quick look")
    parser.add_argument("--threads", type=int, default=len(cores), help="of every contender")
    parser.add_argument("--spark", action="store_true", help="Spark MLlib, too (needs Java)")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    parser.add_argument("--folder", type=Path, default=Path("build/bench-kmeans"))
    parser.add_argument(
        "--rivals", type=Path, help="an interpreter that has the rivals, in place of our making one"
    )
    options = parser.parse_args(arguments)
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")
    if options.rows_scale <= 0:
        parser.error("--rows-scale must be positive")
    if not 1 <= options.threads <= len(cores):
        parser.error(f"--threads must be from 1 to {len(cores)}, the cores of this process")
    if options.contenders is None:
        options.contenders = [name for name in names if options.spark or name != SPARK]
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options(arguments)
    # Not all libraries listen to a variable; the cores that processes started from here may use bind all.
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.threads])
    console = Console()
    console.width = max(console.width, _WIDTH)
    try:
        bench(console, options)
    except (ContestError, rivals.RivalsError) as error:
        Console(stderr=True).print(f"bench-kmeans: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
