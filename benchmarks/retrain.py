"""What a retrain costs beside a first run: `make bench-retrain`.

    python -m benchmarks.retrain [--rows 1000000] [--folder build/bench-retrain]

Runs of the real command in one workspace: a first run, the same again (nothing new), a retrain on a new span in which
a tenth of the customers have changed, a retrain in which only an option of the clustering changed, and another span
for which the served model is kept, since nothing has drifted. Prints
seconds from the command to its end, and ratios to the first run. Exits 1 when a run does not end as it should.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from rich.console import Console
from rich.table import Table

from benchmarks import data
from benchmarks.measure import Measured, run_measured

CHANGED_SHARE = 0.1
# Name, further arguments, how the run must end, and the most that it may cost: of a first run, or in seconds.
RUNS = (
    ("first run", (), "pushed", None),
    ("nothing new", (), "up_to_date", "5 s"),
    ("new span", ("--set", "data.span=2"), "pushed", "1.25"),
    (
        "other clustering options",
        ("--set", "data.span=2", "--set", "model.tolerance=0.00001"),
        "pushed",
        "0.60",
    ),
    (
        "new span, model kept",
        ("--set", "data.span=3", "--set", "model.tolerance=0.00001", "--set", "drift.action=retrain"),
        "kept",
        None,
    ),
)
_CONFIG = (
    f"name: retrain\ndata: {{path: 'span-{{SPAN}}/customers.csv', id: {data.ID}, span: 1}}\n"
    "features: {numeric: {log1p: true}}\nmodel: {k: 5}\n"
)


def next_span(table: pa.Table, share: float = CHANGED_SHARE, seed: int = 1) -> pa.Table:
    """The customers of `table` some time later: a share of them, chosen at random, bought like other ones.

    Each column of the changed rows is taken from another row of the table, the same for all columns, so that the
    population as a whole stays what it is.
    """
    random = np.random.default_rng(seed)
    changed = np.flatnonzero(random.random(table.num_rows) < share)
    source = np.arange(table.num_rows)
    source[changed] = random.permutation(changed)
    shuffled = table.take(pa.array(source))
    return shuffled.set_column(0, data.ID, table[data.ID])


def prepare(folder: Path, rows: int) -> Path:
    """Writes three spans and the config into an emptied folder; returns the config."""
    shutil.rmtree(folder, ignore_errors=True)
    first = data.make_customers(rows)
    for number, table in enumerate((first, next_span(first), next_span(first, seed=2)), start=1):
        path = folder / f"span-{number}" / "customers.csv"
        path.parent.mkdir(parents=True)
        pa_csv.write_csv(table, str(path))
    config = folder / "retrain.yaml"
    config.write_text(_CONFIG, encoding="utf-8")
    return config


def run(config: Path, name: str, arguments: Sequence[str], expected: str) -> tuple[Measured, dict[str, Any]]:
    """Runs the command and checks how it ended.

    Raises:
      SystemExit: otherwise than it should.
    """
    command = [sys.executable, "-m", "pipeline.cli.main", "run", str(config), "--json", *arguments]
    command += ["--workspace", str(config.parent / "workspace")]
    measured = run_measured(command, config.parent / "log")
    result: dict[str, Any] = json.loads(measured.output)
    if result["status"] != expected:
        raise SystemExit(f"{name}: ended as {result['status']}, not {expected}: {result.get('message')}")
    return measured, result


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmarks.retrain")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path("build/bench-retrain"))
    arguments = parser.parse_args()
    config = prepare(arguments.folder.absolute(), arguments.rows)
    table = Table(title=f"{arguments.rows:,} customers, from the command to its end", title_justify="left")
    for column in ("run", "seconds", "of the first", "target", "moved"):
        table.add_column(column, justify="left" if column == "run" else "right")
    first = None
    for name, options, expected, target in RUNS:
        measured, result = run(config, name, options, expected)
        first = first or measured.seconds
        moved = (result.get("migration") or {}).get("moved") if expected == "pushed" else None
        table.add_row(
            name,
            f"{measured.seconds:.1f}",
            f"{measured.seconds / first:.2f}",
            target or "",
            f"{moved['customers']:,} ({moved['own_change'] or 0:,} own)" if moved else "",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
