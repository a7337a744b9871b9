"""faiss's Kmeans on all rows, its other defaults kept."""

from __future__ import annotations

from typing import Any

from benchmarks.kmeans.contenders.faiss_sampled import fit
from benchmarks.kmeans.contenders.fitting import Fitted, run


def fit_all_rows(data: Any, k: int, seed: int) -> Fitted:
    return fit(data, k, seed, max_points_per_centroid=len(data))


if __name__ == "__main__":
    run("faiss-cpu", fit_all_rows)
