"""Principal components against scikit-learn, up to the direction of an axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA

from tests.transforms.fitted import Fitted

pytestmark = pytest.mark.slow


def customers(rows: int = 400) -> np.ndarray:
    random = np.random.default_rng(5)
    latent = random.normal(size=(rows, 2))
    noise = random.normal(scale=0.1, size=(rows, 4))
    return (latent @ np.array([[2, 1, 0, 1], [0, 1, 3, -1]]) + noise).astype(np.float32)


@pytest.mark.parametrize(
    ("pca", "reference", "left"),
    [
        ({"components": 3, "whiten": True}, PCA(3, whiten=True), 3),
        ({"components": 0.95}, PCA(0.95, svd_solver="full"), 2),
    ],
)
def test_components_are_scikit_learns(tmp_path: Path, pca: dict[str, Any], reference: PCA, left: int) -> None:
    table = customers()
    rows = [{**{f"f_{j}": float(v) for j, v in enumerate(row)}, "s_plan": "ab"[i % 2], "f_flat": 1.0}
            for i, row in enumerate(table)]  # fmt: skip
    fitted = Fitted({"pca": pca, "columns": {"f_0": {"weight": 2.0}}}, rows, tmp_path)
    got = fitted(rows)
    names = [f"component {j + 1}" for j in range(left)]
    assert list(got) == [*names, "s_plan=a", "s_plan=b", "s_plan=(other)", "s_plan=(missing)"]
    x = table.astype(np.float64)
    scaled = (x - x.mean(axis=0)) / x.std(axis=0) * [2, 1, 1, 1]
    expected = reference.fit_transform(scaled)
    assert expected.shape[1] == left
    if reference.whiten:
        # scikit-learn divides by the deviation with n - 1.
        expected *= np.sqrt(len(x) / (len(x) - 1))
    ours = np.stack([got[name] for name in names], axis=1)
    signs = np.sign(np.sum(ours * expected, axis=0))
    np.testing.assert_allclose(ours, expected * signs, rtol=1e-4, atol=1e-4)
    # The same customers with missing values, which are at their columns' means.
    missing = fitted([{"s_plan": "a"}])
    np.testing.assert_allclose([missing[name][0] for name in names], 0, atol=1e-5)
    # What is rotated, and how.
    transformation = fitted.transformation
    assert transformation.rotation is not None
    assert transformation.layout.owners[:left] == [None] * left
