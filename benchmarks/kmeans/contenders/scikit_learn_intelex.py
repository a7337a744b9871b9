"""scikit-learn's KMeans with its defaults, computed by Intel's extension."""

from __future__ import annotations

from typing import Any

from sklearnex import patch_sklearn

patch_sklearn(verbose=False)

from sklearn.cluster import KMeans  # noqa: E402 (what was imported before the patch would stay as it is)

from benchmarks.kmeans.contenders.fitting import Fitted, run  # noqa: E402


def fit(data: Any, k: int, seed: int) -> Fitted:
    model = KMeans(k, random_state=seed).fit(data)
    return Fitted(model.cluster_centers_, model.n_iter_)


if __name__ == "__main__":
    run("scikit-learn-intelex", fit)
