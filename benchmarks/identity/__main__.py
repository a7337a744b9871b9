"""Counts who changes segment id although nothing changed: `make bench-identity`.

    python -m benchmarks.identity [--populations NAME ...] [--k N ...] [--retrains 20] [--gains] [--json FILE]

Each retrain is on another sample of one population, with another seed; some customers are in every sample. Exits 1
when an id was renamed or used again. docs/identity.md has the method and the results.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.identity.populations import CREDIT, POPULATIONS
from benchmarks.identity.retrains import WAYS, Step, Way, chain

_K = {"clear": [6], "cloud": [6], "credit": [4, 6, 8]}
_GAINS = (0.0, 0.002, 0.005, 0.01, 0.02, 0.05)


def summary(steps: Sequence[Step]) -> dict[str, Any]:
    """The figures of a chain."""
    moved = np.array([step.moved for step in steps])
    return {
        "moved_mean": float(moved.mean()),
        "moved_max": float(moved.max()),
        "inertia": float(np.mean([step.inertia for step in steps])),
        "origins": dict(Counter(step.origin for step in steps)),
        "new": sum(step.new for step in steps),
        "renamed": sum(step.renamed for step in steps),
        "reused": sum(step.reused for step in steps),
    }


def ways(with_gains: bool) -> list[Way]:
    """What is compared."""
    varied = [Way(f"switch_gain {gain:g}", True, True, gain) for gain in _GAINS]
    return [*WAYS, *(varied if with_gains else [])]


def show(console: Console, title: str, table: dict[str, dict[str, Any]]) -> None:
    """Prints the chains of one population and k."""
    shown = Table(title=title, title_justify="left")
    for column in (
        "",
        "moved, mean",
        "moved, most",
        "inertia",
        "fits began at",
        "new ids",
        "renamed",
        "reused",
    ):
        shown.add_column(column, justify="left" if column in ("", "fits began at") else "right")
    for name, row in table.items():
        origins = ", ".join(f"{origin} {times}" for origin, times in sorted(row["origins"].items()))
        shown.add_row(
            name,
            f"{row['moved_mean']:.3%}",
            f"{row['moved_max']:.3%}",
            f"{row['inertia']:.5g}",
            origins,
            *(str(row[key]) for key in ("new", "renamed", "reused")),
        )
    console.print(shown)


def bench(console: Console, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Runs all chains."""
    results = []
    for name in options.populations:
        if name == "credit" and not CREDIT.exists():
            console.print(f"[yellow]credit is left out: there is no {CREDIT}[/]")
            continue
        population = POPULATIONS[name](options.scale)
        for k in options.k or _K[name]:
            table = {}
            for way in ways(options.gains):
                with console.status("") as status:
                    table[way.name] = summary(chain(population, k, options.retrains, way, status.update))
            title = (
                f"{population.name}: {options.retrains} retrains on {population.sample:,} customers, "
                f"{population.common:,} of them in all, k = {k}"
            )
            show(console, title, table)
            results.append({"population": name, "k": k, "ways": table})
    return results


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.identity", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--populations", nargs="+", choices=list(POPULATIONS), default=list(POPULATIONS))
    parser.add_argument("--k", nargs="+", type=int, help="numbers of segments")
    parser.add_argument("--retrains", type=int, default=20)
    parser.add_argument("--scale", type=float, default=1.0, help="0.1 for a quick look")
    parser.add_argument(
        "--gains", action="store_true", help="also with other gains: what the defaults are from"
    )
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    options = parser.parse_args(arguments)
    console = Console()
    console.width = max(console.width, 130)
    results = bench(console, options)
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    held = (row for result in results for name, row in result["ways"].items() if name != WAYS[0].name)
    return int(any(row["renamed"] or row["reused"] for row in held))


if __name__ == "__main__":
    raise SystemExit(main())
