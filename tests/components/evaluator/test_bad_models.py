"""Deliberately bad models meet the thresholds that nobody configured; a better model passes."""

from __future__ import annotations

import numpy as np
import pytest

from components.trainer.kmeans import KMeansOptions, assign, fit_kmeans

pytestmark = pytest.mark.slow

COLUMNS = tuple(f"x{j}" for j in range(6))
MIDDLES = np.random.default_rng(4).uniform(-4, 4, (4, 6))


def _customers(n: int, seed: int) -> np.ndarray:
    """Float32 [n, 6]: four kinds of customers, of which the rarest are 10 %."""
    generator = np.random.default_rng(seed)
    kind = generator.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    return (MIDDLES[kind] + generator.normal(0, 1, (n, 6))).astype(np.float32)


TRAIN, EVAL = _customers(2_000, 0), _customers(1_000, 1)


def _fit(rows: np.ndarray, k: int) -> np.ndarray:
    return fit_kmeans(rows, KMeansOptions(k=k)).centroids


@pytest.fixture(scope="module")
def customers(bench):
    return bench.examples(
        {"id": [f"c{i}" for i in range(len(EVAL))], **dict(zip(COLUMNS, EVAL.T, strict=True))}
    )


@pytest.fixture(scope="module")
def model(bench):
    return lambda centroids: bench.model(centroids, columns=COLUMNS)


@pytest.fixture(scope="module")
def good(model):
    return model(_fit(TRAIN, 4))


def _unmet(verdict) -> set[tuple[str, str]]:
    return {(t.metric, t.kind) for t in verdict.thresholds if not t.held}


def test_a_good_model_passes_as_the_first_and_as_the_next(bench, customers, good, model):
    first = bench.evaluate(customers, good)
    assert (bench.blessed, _unmet(first)) == (1, set())
    again = bench.evaluate(customers, model(_fit(TRAIN[:1_500], 4)), bench.serve(good))
    assert (bench.blessed, _unmet(again)) == (1, set())


def test_a_better_model_replaces_a_worse_one(bench, customers, good, model):
    served = bench.serve(model(_fit(TRAIN, 2)))
    verdict = bench.evaluate(customers, good, served)
    assert bench.blessed == 1
    assert verdict.metrics["silhouette"] > verdict.baseline_metrics["silhouette"]
    # And not the other way round.
    worse = bench.evaluate(customers, model(_fit(TRAIN, 2)), bench.serve(good))
    assert (bench.blessed, _unmet(worse)) == (0, {("silhouette", "max_regression")})


def test_random_centroids(bench, customers, model):
    arbitrary = TRAIN[np.random.default_rng(8).choice(len(TRAIN), 4, replace=False)] * 0.1
    verdict = bench.evaluate(customers, model(arbitrary))
    assert bench.blessed == 0
    assert ("stability", "min") in _unmet(verdict)
    assert verdict.metrics["smallest_segment_share"] > 0.01, "not for its sizes"


def test_far_too_many_segments(bench, customers, good, model):
    verdict = bench.evaluate(customers, model(_fit(TRAIN, 60)))
    assert bench.blessed == 0
    assert ("smallest_segment_share", "min") in _unmet(verdict)
    # Even if every segment were large enough.
    verdict = bench.evaluate(customers, model(_fit(TRAIN, 12)), bench.serve(good))
    assert bench.blessed == 0
    assert {("silhouette", "max_regression"), ("stability", "min")} & _unmet(verdict)


def test_features_shuffled(bench, customers, good, model):
    generator = np.random.default_rng(2)
    unrelated = np.stack([generator.permutation(column) for column in TRAIN.T], axis=1)
    verdict = bench.evaluate(customers, model(_fit(unrelated, 4)), bench.serve(good))
    assert bench.blessed == 0
    assert ("silhouette", "max_regression") in _unmet(verdict)
    # As the columns of a model that was served with another order of features.
    swapped = bench.evaluate(customers, model(np.roll(_fit(TRAIN, 4), 1, axis=1)), bench.serve(good))
    assert bench.blessed == 0
    assert ("silhouette", "max_regression") in _unmet(swapped)


def test_fifteen_customers_of_thousands(bench, model):
    """A published pitfall: spending without logarithms, k = 3; the silhouette is high and the segments useless."""
    generator = np.random.default_rng(0)
    raw = generator.lognormal(0, [0.4, 1.0, 1.7, 0.4, 0.4, 0.4], (3_920, 6))
    rows = ((raw - raw.mean(axis=0)) / raw.std(axis=0)).astype(np.float32)
    columns = {"id": [f"c{i}" for i in range(len(rows))], **dict(zip(COLUMNS, rows.T, strict=True))}
    customers = bench.examples(columns)
    centroids = _fit(rows, 3)
    few = np.sort(rows[:, 2])[-15:].mean()
    centroids[np.argmax(centroids[:, 2]), 2] = few
    sizes = np.bincount(assign(rows, centroids)[0].numpy(), minlength=3)
    assert 5 <= sizes.min() <= 39, "a sliver"
    verdict = bench.evaluate(customers, model(centroids))
    assert bench.blessed == 0
    assert _unmet(verdict) == {("smallest_segment_share", "min")}
    (sentence,) = (t.sentence for t in verdict.thresholds if not t.held)
    assert sentence == f"smallest_segment_share {sizes.min() / 3_920:.4g} is below 0.01"
