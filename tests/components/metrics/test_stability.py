"""Adjusted Rand index against scikit-learn, and what stability says of good and bad models."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from components.metrics.stability import adjusted_rand, refits, stability
from components.trainer.kmeans import KMeansOptions, assign, fit_kmeans

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@settings(deadline=None)
@given(labels)
def test_adjusted_rand_is_scikit_learns(pairs: list[tuple[int, int]]) -> None:
    first, second = np.array(pairs).T
    assert adjusted_rand(first, second) == pytest.approx(adjusted_rand_score(first, second), abs=1e-9)


def test_adjusted_rand_needs_the_same_rows() -> None:
    with pytest.raises(ValueError, match="same rows"):
        adjusted_rand([1, 2], [1])
    assert adjusted_rand([], []) == 1.0


def blobs(centers: int, n: int = 3_000, spread: float = 0.3) -> np.ndarray:
    generator = np.random.default_rng(3)
    middles = generator.uniform(-5, 5, (centers, 4))
    return (middles[generator.integers(0, centers, n)] + generator.normal(0, spread, (n, 4))).astype(
        np.float32
    )


def segments_of(rows: np.ndarray, k: int) -> np.ndarray:
    return assign(rows, fit_kmeans(rows, KMeansOptions(k=k)).centroids)[0].numpy()


def test_clear_segments_are_stable() -> None:
    rows = blobs(4)
    assert stability(rows, segments_of(rows, 4), 4) > 0.99


def test_segments_that_the_data_do_not_suggest_are_not() -> None:
    rows = np.random.default_rng(0).random((3_000, 6)).astype(np.float32)
    assert stability(rows, segments_of(rows, 9), 9) < 0.6


def test_a_bad_model_of_clear_segments_is_not() -> None:
    rows = blobs(4)
    arbitrary = np.digitize(rows[:, 0], np.quantile(rows[:, 0], [0.1, 0.35, 0.6]))
    assert stability(rows, arbitrary, 4) < 0.8


def test_the_order_of_the_rows_does_not_matter() -> None:
    rows = blobs(5, spread=2.0)
    segments = segments_of(rows, 5)
    order = np.random.default_rng(1).permutation(len(rows))
    assert stability(rows, segments, 5) == pytest.approx(stability(rows[order], segments[order], 5), abs=1e-9)


def test_one_segment_is_stable_and_too_few_rows_are_undefined() -> None:
    rows = blobs(2, n=6)
    assert stability(rows, np.zeros(6), 1) == 1.0
    assert np.isnan(stability(rows, np.arange(6), 6))


def test_the_fits_on_halves_are_as_asked() -> None:
    """Two directions, at lengths that differ more: by angle there are two groups, by place others."""
    random = np.random.default_rng(0)
    angle = np.array([0.1, 1.4])[np.arange(400) % 2] + random.normal(0, 0.02, 400)
    rows = np.stack([np.cos(angle), np.sin(angle)], axis=1) * random.choice([1.0, 30.0], 400)[:, None]
    labels = np.arange(400) % 2
    assert stability(rows, labels, 2, options=KMeansOptions(k=2, metric="cosine")) == pytest.approx(1.0)
    assert stability(rows, labels, 2) < 0.9
    assert stability(rows, labels, 2, options=KMeansOptions(k=9, n_init=5)) == stability(rows, labels, 2)


def inertia_ratio(rows: np.ndarray, centroids: np.ndarray, metric: str = "euclidean") -> float:
    segments, squared = (tensor.numpy() for tensor in assign(rows, centroids, metric))
    return refits(rows, segments, np.sqrt(squared), len(centroids)).inertia_ratio


def test_a_fitted_model_has_about_the_inertia_of_the_refits() -> None:
    # Also of rows without segments: how well a model fits and whether there is something to fit are two things.
    for rows in (blobs(4), np.random.default_rng(0).random((3_000, 6)).astype(np.float32)):
        fitted = fit_kmeans(rows, KMeansOptions(k=4)).centroids
        assert inertia_ratio(rows, fitted) == pytest.approx(1, abs=0.02)
        for seed in range(3):
            drawn = rows[np.random.default_rng(seed).choice(len(rows), 4, replace=False)]
            assert inertia_ratio(rows, drawn) > 1.2


def test_the_ratio_is_of_the_model_not_of_its_partition() -> None:
    rows = blobs(4)
    fitted = fit_kmeans(rows, KMeansOptions(k=4)).centroids
    segments, squared = (tensor.numpy() for tensor in assign(rows, fitted))
    half = refits(rows, segments, np.sqrt(squared), 4)
    twice = refits(rows, segments, 2 * np.sqrt(squared), 4)
    assert twice.inertia_ratio == pytest.approx(4 * half.inertia_ratio)
    assert twice.stability == half.stability


def test_directions_are_compared_with_directions() -> None:
    generator = np.random.default_rng(6)
    rows = generator.normal(size=(2_000, 3))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    fitted = fit_kmeans(rows, KMeansOptions(k=4, metric="cosine")).centroids
    # Centroids of length 1 are farther from the rows than means would be: by a third here.
    assert inertia_ratio(rows, fitted, "cosine") == pytest.approx(1, abs=0.03)


def test_rows_without_spread_have_a_ratio() -> None:
    rows = np.repeat([[0.0, 0.0], [3.0, 4.0]], 50, axis=0)
    segments = np.repeat([1, 2], 50)
    assert refits(rows, segments, np.zeros(100), 2).inertia_ratio == pytest.approx(1, abs=1e-3)
    assert refits(rows, segments, np.ones(100), 2).inertia_ratio > 1e6
