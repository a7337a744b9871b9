"""The real command, as a user types it, on small made-up customers or on real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

PROJECT = Path(__file__).parents[2]
SHARED_DATA = PROJECT.parent / "shared" / "data"
TIME_LIMIT = 300


@dataclass
class Segments:
    """The command in a folder of its own. `config` is written before each call."""

    folder: Path
    config: dict[str, Any] = field(
        default_factory=lambda: {"data": {"path": "customers.csv"}, "model": {"k": 3}}
    )
    project: Path = PROJECT
    command = (sys.executable, "-m", "pipeline.cli.main")

    @property
    def config_path(self) -> Path:
        return self.folder / "customers.yaml"

    @property
    def workspace(self) -> Path:
        return self.folder / "workspaces" / "customers"

    @property
    def data(self) -> Path:
        return self.folder / "customers.csv"

    def arguments(self, command: str, *options: str) -> list[str]:
        # JSON is YAML.
        self.config_path.write_text(json.dumps(self.config))
        return [*self.command, command, str(self.config_path), *options]

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(self.project), "COLUMNS": "160"}

    def __call__(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.arguments(command, *options),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
            check=False,
        )

    def json(self, command: str, *options: str, code: int = 0) -> dict[str, Any]:
        done = self(command, *options, "--json")
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        content: dict[str, Any] = json.loads(done.stdout)
        return content

    def sample(self, name: str, folder: Path) -> Path:
        """Writes a sample data set; returns its file."""
        done = subprocess.run(
            [*self.command, "sample", name, "--to", str(folder)],
            cwd=self.folder, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return Path(done.stdout.strip())

    def versions(self) -> list[str]:
        serving = self.workspace / "serving"
        return sorted(name for name in os.listdir(serving) if name.isdigit()) if serving.exists() else []

    def node_ids(self, result: dict[str, Any], cached: bool) -> set[str]:
        """The components that ran, or that were taken from the cache."""
        return {node for node in result["seconds"] if (node in result["cached"]) == cached}


def customer_table(rows: int, seed: int = 0, kinds: int = 3) -> dict[str, Sequence[Any]]:
    """Customers of well separated kinds: an id, three numeric columns and a text one."""
    random = np.random.default_rng(seed)
    kind = random.integers(0, kinds, rows)
    return {
        "customer_id": [f"c{n:06d}" for n in range(rows)],
        "age": np.round(random.normal(25 + 15 * kind, 2)).astype(int).tolist(),
        "income": np.round(np.exp(random.normal(8 + kind, 0.1)), 2).tolist(),
        "visits": random.poisson(2 + 10 * kind).tolist(),
        "plan": np.array(["basic", "plus", "pro", "max"])[kind % 4].tolist(),
    }


def write_csv(path: Path, table: dict[str, Sequence[Any]]) -> None:
    pa_csv.write_csv(pa.table(table), path)
