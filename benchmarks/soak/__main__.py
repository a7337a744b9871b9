"""The command behind `make soak`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.soak.command import SoakError
from benchmarks.soak.kills import soak_with_kills
from benchmarks.soak.months import retrain_by_month


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what was asked for; 1 where something that must never happen happened."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--kills", type=int, default=50, help="runs to kill (0: none)")
    parser.add_argument(
        "--months", type=int, default=12, choices=range(13), help="retrains by month (0: none)"
    )
    parser.add_argument(
        "--seed", type=int, default=None, help="of the moments and the data; else drawn, and printed"
    )
    parser.add_argument(
        "--hours", type=float, default=0.0, help="kill again, with the next seed, for so long"
    )
    parser.add_argument("--folder", type=Path, help="where to work; else a temporary folder")
    chosen = parser.parse_args(arguments)
    seed = int(time.time()) % 100_000 if chosen.seed is None else chosen.seed
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = (chosen.folder or Path(temporary)).resolve()
        try:
            if chosen.months:
                retrain_by_month(folder / "months", chosen.months)
            deadline = time.monotonic() + 3600 * chosen.hours
            while chosen.kills:
                _kill(folder / f"kills-{seed}", chosen.kills, seed)
                seed += 1
                if time.monotonic() >= deadline:
                    break
        except SoakError as error:
            print(f"soak: {error}", file=sys.stderr)
            return 1
    return 0


def _kill(folder: Path, kills: int, seed: int) -> None:
    found = soak_with_kills(folder, kills, seed, lambda line: print(line, flush=True))
    print(
        f"{found.kills} kills, {len(found.completed)} runs completed, {found.continued} of all were continued; "
        f"{len(found.versions)} versions, all whole and loadable; the lock was free after "
        f"{max(found.release_seconds, default=0.0):.2f} s at most; pushed by a run that was then killed and never "
        f"continued: {found.pushed_by_killed or 'none'}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
