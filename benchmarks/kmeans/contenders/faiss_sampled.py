"""faiss's Kmeans with its defaults: 25 iterations on a sample of 256 rows per centroid."""

from __future__ import annotations

from typing import Any

import faiss

from benchmarks.kmeans.contenders.fitting import Fitted, run


def fit(data: Any, k: int, seed: int, **options: Any) -> Fitted:
    model = faiss.Kmeans(data.shape[1], k, seed=seed, **options)
    model.train(data)
    return Fitted(model.centroids, len(model.iteration_stats))


if __name__ == "__main__":
    run("faiss-cpu", fit)
