"""Fits for growing k, against fits of their own."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from components.trainer.kmeans import KMeansError, KMeansOptions, assign, fit_kmeans
from components.tuner import fits
from components.tuner.fits import GrowingFits, with_one_more


def mixture(rows: int, k: int = 6, d: int = 3, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    centres = random.normal(0, 4, (k, d))
    return (centres[random.integers(0, k, rows)] + random.normal(0, 1, (rows, d))).astype(np.float32)


def test_every_fit_is_about_as_good_as_scikit_learns_best_of_ten() -> None:
    rows = mixture(3000)
    growing = GrowingFits(rows, KMeansOptions(k=2))
    inertias = []
    for k in range(2, 10):
        fit = growing.fit(k)
        assert fit.centroids.shape == (k, 3)
        assert fit.cluster_weights.sum() == 3000
        assert fit.inertia == pytest.approx(assign(rows, fit.centroids)[1].numpy().sum(dtype=float), rel=1e-5)
        assert fit.inertia <= 1.03 * KMeans(k, n_init=10, random_state=0).fit(rows).inertia_
        inertias.append(fit.inertia)
    assert inertias == sorted(inertias, reverse=True), "one more centroid cannot make it worse"


def test_many_rows_are_fitted_whole_from_a_start_on_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "_SAMPLE_ROWS", 500)
    rows = mixture(5000)
    growing = GrowingFits(rows, KMeansOptions(k=2))
    for k in (2, 3, 6):
        fit = growing.fit(k)
        assert fit.cluster_weights.sum() == 5000
        assert fit.inertia <= 1.05 * fit_kmeans(rows, KMeansOptions(k=k, n_init=10)).inertia


def test_the_new_centroid_goes_where_it_helps() -> None:
    """Two groups share a centroid, a third has its own: the new one must part the two."""
    random = np.random.default_rng(0)
    places = np.array([[0.0, 0.0], [10.0, 0.0], [200.0, 0.0]])
    rows = (places[np.arange(300) % 3] + random.normal(0, 0.1, (300, 2))).astype(np.float32)
    before = np.array([[5.0, 0.0], [200.0, 0.0]])
    start = with_one_more(before, rows, KMeansOptions(k=3))
    assert start is not None
    np.testing.assert_array_equal(start[:2], before)
    assert start[2, 0] < 11
    assert (rows == start[2]).all(axis=1).any(), "it is a row"
    np.testing.assert_array_equal(start, with_one_more(before, rows, KMeansOptions(k=3)))


def test_no_centroid_is_left_where_every_row_is_one() -> None:
    rows = np.repeat(np.eye(2, dtype=np.float32), 10, axis=0)
    assert with_one_more(np.eye(2), rows, KMeansOptions(k=3)) is None
    growing = GrowingFits(rows, KMeansOptions(k=2))
    assert growing.fit(2).inertia == pytest.approx(0, abs=1e-9)
    with pytest.raises(KMeansError, match="only 2 different kinds"):
        growing.fit(3)


def test_kinds_that_the_sample_misses_still_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "_SAMPLE_ROWS", 50)
    rows = np.zeros([5000, 1], np.float32)
    rows[0], rows[1] = 100.0, -100.0
    assert sorted(GrowingFits(rows, KMeansOptions(k=2)).fit(3).cluster_weights) == [1, 1, 4998]


def test_options_that_make_another_model_are_kept() -> None:
    random = np.random.default_rng(0)
    rows = np.abs(random.normal(0, 0.05, (600, 3))) + np.eye(3)[np.arange(600) % 3]
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    growing = GrowingFits(rows, KMeansOptions(k=2, metric="cosine"))
    for k in (2, 3):
        np.testing.assert_allclose(np.linalg.norm(growing.fit(k).centroids, axis=1), 1, rtol=1e-5)
