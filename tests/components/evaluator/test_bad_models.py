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
    """Customers picked as centroids, as a fit that never started leaves them: here the silhouette is above 0."""
    picked = TRAIN[np.random.default_rng(2).choice(len(TRAIN), 4, replace=False)]
    verdict = bench.evaluate(customers, model(picked))
    assert bench.blessed == 0
    assert _unmet(verdict) == {("inertia_ratio", "max")}
    assert verdict.metrics["silhouette"] > 0.3
    verdict = bench.evaluate(customers, model(np.random.default_rng(1).normal(size=(4, 6)) * 0.3))
    assert bench.blessed == 0
    assert ("inertia_ratio", "max") in _unmet(verdict)


def test_far_too_many_segments(bench, customers, good, model):
    verdict = bench.evaluate(customers, model(_fit(TRAIN, 60)))
    assert bench.blessed == 0
    assert ("smallest_segment_share", "min") in _unmet(verdict)
    # Even if every segment were large enough.
    verdict = bench.evaluate(customers, model(_fit(TRAIN, 12)), bench.serve(good))
    assert bench.blessed == 0
    assert _unmet(verdict) == {("silhouette", "max_regression")}


@pytest.mark.parametrize("served", [False, True])
def test_features_shuffled(bench, customers, good, model, served):
    """Fitted to customers whose columns were shuffled each on its own; and to columns in another order."""
    generator = np.random.default_rng(2)
    unrelated = np.stack([generator.permutation(column) for column in TRAIN.T], axis=1)
    for centroids in (_fit(unrelated, 4), np.roll(_fit(TRAIN, 4), 1, axis=1)):
        verdict = bench.evaluate(customers, model(centroids), bench.serve(good) if served else None)
        assert bench.blessed == 0
        assert ("inertia_ratio", "max") in _unmet(verdict)
        assert (("silhouette", "max_regression") in _unmet(verdict)) == served


def test_fifteen_customers_of_thousands(bench, model):
    """A published pitfall: spending without logarithms, k = 3. The silhouette is high and the segments are useless."""
    generator = np.random.default_rng(0)
    rows = generator.normal(0, 0.5, (3_920, 6))
    rows[:, 0] += np.where(generator.random(3_920) < 0.4, 2, -2)
    rows[:15, 2] += generator.uniform(30, 50, 15)
    rows = generator.permutation(rows).astype(np.float32)
    columns = {"id": [f"c{i}" for i in range(len(rows))], **dict(zip(COLUMNS, rows.T, strict=True))}
    centroids = _fit(rows, 3)
    assert np.bincount(assign(rows, centroids)[0].numpy()).min() == 15
    verdict = bench.evaluate(bench.examples(columns), model(centroids))
    assert bench.blessed == 0
    assert _unmet(verdict) == {("smallest_segment_share", "min")}
    assert verdict.metrics["silhouette"] > 0.6, "what one would have been proud of"
    (sentence,) = (t.sentence for t in verdict.thresholds if not t.held)
    assert sentence == "smallest_segment_share 0.003827 is below 0.01"
