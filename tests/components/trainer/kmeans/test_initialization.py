from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import kmeans_plusplus

from components.trainer.kmeans.initialization import draw_start


def _draw(rows, k, init="k-means++", seed=0, weights=None):
    weights = np.ones(len(rows)) if weights is None else weights
    return draw_start(
        np.asarray(rows, float), np.asarray(weights, float), k, init, np.random.SeedSequence(seed)
    )


def _cost(rows, centroids):
    return ((rows[:, None] - centroids[None]) ** 2).sum(axis=2).min(axis=1).sum()


@pytest.mark.parametrize("init", ["k-means++", "random"])
def test_starts_are_different_rows_and_repeat_with_the_seed(init):
    rows = np.random.default_rng(0).normal(size=(50, 2))
    start = _draw(rows, 50, init)
    assert len(np.unique(start, axis=0)) == 50
    assert {tuple(c) for c in start} == {tuple(r) for r in rows}
    np.testing.assert_array_equal(start, _draw(rows, 50, init))
    assert not np.array_equal(start, _draw(rows, 50, init, seed=1))


def test_plus_plus_finds_every_distant_group_and_random_does_not():
    random = np.random.default_rng(0)
    centres = np.arange(20)[:, None] * 1e3
    rows = np.repeat(centres, 30, axis=0) + random.normal(size=(600, 1))

    def groups(init, seed):
        return len(np.unique(np.round(_draw(rows, 20, init, seed) / 1e3)))

    assert all(groups("k-means++", seed) == 20 for seed in range(10))
    assert np.mean([groups("random", seed) for seed in range(10)]) < 17


def test_plus_plus_is_as_good_as_scikit_learns_on_average():
    random = np.random.default_rng(3)
    rows = random.normal(size=(2_000, 4)) + random.integers(0, 8, size=(2_000, 1)) * 2.0
    ours = np.mean([_cost(rows, _draw(rows, 8, seed=s)) for s in range(30)])
    theirs = np.mean([_cost(rows, kmeans_plusplus(rows, 8, random_state=s)[0]) for s in range(30)])
    assert ours == pytest.approx(theirs, rel=0.05)


def test_a_weight_draws_like_repeats():
    random = np.random.default_rng(4)
    rows, weights = random.normal(size=(40, 3)), random.integers(1, 5, size=40)
    for seed in range(20):
        np.testing.assert_array_equal(
            _draw(rows, 6, seed=seed, weights=weights), _draw(np.repeat(rows, weights, axis=0), 6, seed=seed)
        )


def test_repeats_of_one_point_are_chosen_last():
    rows = np.concatenate([np.full((500, 2), 0.1), [[0.1, 0.2], [0.2, 0.1]]])
    for seed in range(10):
        assert len(np.unique(_draw(rows, 3, seed=seed), axis=0)) == 3
    assert _draw(rows, 10).shape == (10, 2)
