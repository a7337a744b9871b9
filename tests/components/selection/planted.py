"""Features that tell the kind of customers, and features that tell nothing."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.example_gen.encode import as_features, table_name, write_table
from components.selection.encoding import Encoded

Columns = dict[str, pa.Array]


def number(name: str, values: np.ndarray) -> Encoded:
    return Encoded(name, "numeric", np.asarray(values, float))


def category(name: str, codes: np.ndarray) -> Encoded:
    return Encoded(name, "categorical", np.asarray(codes, float))


def customers(n: int, informative: int, noise: int, seed: int = 0) -> tuple[list[Encoded], np.ndarray]:
    """Features by name (`info*`, `noise*`, a category of each sort), and the kind, 0 to 2, of each customer."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    centres = np.stack([rng.permutation([-1.5, 0.0, 1.5]) for _ in range(informative)] or [np.zeros(3)])
    features = [number(f"info{i}", centres[i, kind] + rng.normal(size=n)) for i in range(informative)]
    features += [number(f"noise{i}", rng.normal(size=n)) for i in range(noise)]
    features += [
        category("info_category", np.where(rng.random(n) < 0.8, kind, rng.integers(0, 3, n))),
        category("noise_category", rng.integers(0, 6, n)),
    ]
    return sorted(features, key=lambda feature: feature.name), kind


def told_apart(names: list[str]) -> tuple[set[str], set[str]]:
    """The informative ones among names, and the others."""
    return {n for n in names if n.startswith("info")}, {n for n in names if n.startswith("noise")}


def write_table_files(folder: Path, columns: Columns, parts: int = 1) -> list[str]:
    """The table as ExampleGen writes it, over several files."""
    n = len(next(iter(columns.values())))
    bounds = np.linspace(0, n, parts + 1).astype(int).tolist()
    files = []
    for part, (start, end) in enumerate(pairwise(bounds)):
        piece = {"id": pa.array([f"c{i}" for i in range(start, end)])}
        piece.update({name: column.slice(start, end - start) for name, column in columns.items()})
        files.append(str(folder / table_name(part, parts)))
        write_table(as_features(piece), "id", files[-1], str(folder.parent / "staging" / "x"))
    return files
