"""Made-up rows for the k-means benchmark: the same file for the same arguments.

A mixture of as many Gaussian components as clusters are asked for. Components overlap (between 7 and 19 % of
the rows lie nearer to another component's centre), and differ in size and, per column, in width: k-means has
to work for its centroids, and there is something to find.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

# Typical distance of two centres, in typical widths of a component. At 5, the nearest of many components are 3
# to 4 widths apart, so they touch. Far more would be trivial; far less, one cloud without clusters.
_SEPARATION = 5.0
_BLOCK_ROWS = 262_144


def mixture_blocks(rows: int, columns: int, k: int, seed: int) -> Iterator[np.ndarray]:
    """Draws a mixture of `k` Gaussians, block by block, so that any number of rows fits into memory.

    Yields:
        float32 [at most 262,144, columns] in random order; `rows` rows in all. A smaller `rows` gives other
        rows of the same components.

    Raises:
        ValueError: if there are fewer rows than components.
    """
    if rows < k:
        raise ValueError(f"{rows} rows cannot hold {k} components")
    random = np.random.default_rng(seed)
    centres = random.normal(0.0, _SEPARATION / np.sqrt(2 * columns), [k, columns])
    sizes = random.uniform(0.2, 1.8, k)
    widths = random.uniform(0.7, 1.3, [k, 1]) * random.uniform(0.7, 1.3, [k, columns])
    shares = np.cumsum(sizes / sizes.sum())
    for first in range(0, rows, _BLOCK_ROWS):
        count = min(_BLOCK_ROWS, rows - first)
        component = np.minimum(np.searchsorted(shares, random.random(count)), k - 1)
        noise = random.standard_normal([count, columns], np.float32)
        yield (centres[component] + widths[component] * noise).astype(np.float32)


def write_mixture(path: Path, rows: int, columns: int, k: int, seed: int) -> None:
    """Writes the rows of `mixture_blocks` to `path` as one .npy file, float32 [rows, columns]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, columns))
    first = 0
    for block in mixture_blocks(rows, columns, k, seed):
        table[first : first + len(block)] = block
        first += len(block)
    table.flush()
