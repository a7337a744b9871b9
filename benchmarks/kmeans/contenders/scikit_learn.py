"""scikit-learn's KMeans with its defaults."""

from __future__ import annotations

from typing import Any

from sklearn.cluster import KMeans

from benchmarks.kmeans.contenders.fitting import Fitted, run


def fit(data: Any, k: int, seed: int) -> Fitted:
    model = KMeans(k, random_state=seed).fit(data)
    return Fitted(model.cluster_centers_, model.n_iter_)


if __name__ == "__main__":
    run("scikit-learn", fit)
