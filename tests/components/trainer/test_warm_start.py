"""Where a fit begins: at the parent, unless somewhere else is clearly better."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage

from components.trainer.kmeans import KMeansOptions, fit_kmeans
from components.trainer.warm_start import Start, choose_start
from components.trainer.warm_starts import (
    add_seeds,
    drop_cheapest,
    merge_closest,
    nearest_squared,
    segment_means,
    squared_distances,
)

CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])


def crowd(centres=CENTRES, each=400, width=1.0, seed=0):
    """Customers around centres, float32 [n, 2], and whose each is."""
    random = np.random.default_rng(seed)
    kinds = np.repeat(np.arange(len(centres)), each)
    rows = np.asarray(centres)[kinds] + random.normal(0, width, [len(kinds), 2])
    order = random.permutation(len(kinds))
    return rows[order].astype(np.float32), kinds[order]


def nearest(rows, centroids):
    return squared_distances(rows, centroids).argmin(axis=1)


def choose(rows, labels, k, segments=4, switch=0.02, **options):
    return choose_start(rows, labels, segments, KMeansOptions(k=k, **options), switch)


def test_means_are_those_of_segments_with_customers():
    rows, kinds = crowd()
    means, weights = segment_means(rows, kinds + 1, 6)
    assert weights.tolist() == [400.0] * 4, "segments 0 and 5 have none"
    for kind in range(4):
        np.testing.assert_allclose(means[kind], rows[kinds == kind].mean(axis=0, dtype=np.float64), rtol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 7])
def test_joining_is_wards_method(k):
    points = np.random.default_rng(1).normal(size=[12, 3])
    labels = fcluster(linkage(points, "ward"), k, "maxclust")
    expected = sorted(points[labels == label].mean(axis=0).tolist() for label in np.unique(labels))
    np.testing.assert_allclose(sorted(merge_closest(points, np.ones(12), k).tolist()), expected)


def test_heavy_clusters_are_joined_later():
    points = np.array([[0.0], [1.0], [2.1]])
    np.testing.assert_allclose(merge_closest(points, np.array([1.0, 1.0, 1.0]), 2).ravel(), [0.5, 2.1])
    joined = merge_closest(points, np.array([100.0, 100.0, 1.0]), 2)
    np.testing.assert_allclose(joined.ravel(), [0.0, (100 * 1.0 + 2.1) / 101])


def test_the_centroid_that_is_missed_least_is_left_out():
    rows, _ = crowd()
    centroids = np.concatenate([CENTRES, [[5.0, 5.0]]])
    after = [nearest_squared(rows, np.delete(centroids, j, axis=0)).sum() for j in range(5)]
    left = drop_cheapest(rows, centroids, 4)
    assert nearest_squared(rows, left).sum() == pytest.approx(min(after))
    np.testing.assert_array_equal(left, CENTRES)
    assert len(drop_cheapest(rows, centroids, 1)) == 1


def test_seeds_are_set_among_those_far_from_all():
    rows, _ = crowd()
    for seed in range(10):
        grown = add_seeds(rows, CENTRES[:3], 4, np.random.default_rng(seed))
        np.testing.assert_array_equal(grown[:3], CENTRES[:3])
        assert np.linalg.norm(grown[3] - CENTRES[3]) < 5


def test_what_has_not_changed_stays_at_the_parent():
    rows, kinds = crowd()
    start = choose(rows, kinds, 4)
    assert start.origin == "parent"
    np.testing.assert_allclose(start.centroids, segment_means(rows, kinds, 4)[0])
    options = start.options(KMeansOptions(k=4, algorithm="minibatch"))
    fit = fit_kmeans(rows, options, initial_centroids=start.centroids)
    assert fit.iterations == 0
    np.testing.assert_allclose(fit.centroids, start.centroids, atol=1e-6)
    assert fit.inertia == pytest.approx(nearest_squared(rows, start.centroids).sum(), rel=1e-5)
    assert fit.cluster_weights.sum() == len(rows)


def test_a_cloud_without_gaps_stays_too_whatever_the_seed():
    """Refits of it end elsewhere each time."""
    rows = np.random.default_rng(0).normal(size=[20_000, 4]).astype(np.float32)
    parent = fit_kmeans(rows[:10_000], KMeansOptions(k=6))
    labels = nearest(rows[10_000:], parent.centroids)
    for seed in range(3):
        start = choose(rows[10_000:], labels, 6, segments=6, seed=seed)
        assert start.origin == "parent"
        again = nearest(rows, start.centroids)
        assert (again != nearest(rows, parent.centroids)).mean() < 0.02


def test_a_population_that_changed_is_followed():
    """Two kinds share a segment of the parent, and the others are elsewhere."""
    rows, _ = crowd()
    bad = np.array([[0.0, 5.0], [10.0, 5.0], [0.0, 10.0], [100.0, 100.0]])
    start = choose(rows, nearest(rows, bad), 4)
    assert start.origin != "parent"
    assert (squared_distances(CENTRES, start.centroids).min(axis=1) < 0.1).all()


def test_refining_has_to_pay():
    rows, _ = crowd(width=3.0)
    labels = nearest(rows, CENTRES + np.array([[2.0, 1.0], [-1.0, 2.0], [1.0, -2.0], [-2.0, -1.0]]))
    held, refined = (choose(rows, labels, 4, switch=switch) for switch in (0.5, 0.0))
    assert (held.origin, refined.origin) == ("parent", "refined")
    before, after = (nearest_squared(rows, start.centroids).sum() for start in (held, refined))
    # No gain is one below what a sample of this size gains by itself.
    gain = 1 - after / before
    assert gain > 4 / len(rows)
    assert choose(rows, labels, 4, switch=gain - 0.9 * 4 / len(rows)).origin == "parent"
    assert choose(rows, labels, 4, switch=gain - 1.1 * 4 / len(rows)).origin == "refined"
    assert refined.options(KMeansOptions(k=4)).max_iterations == 300


def test_a_fresh_fit_has_to_be_better_by_more_than_its_gain():
    """Two of three centroids of the parent share a kind; it rests there."""
    rows, _ = crowd(np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 40.0]]))
    stuck = np.array([[2.0, 0.0], [0.0, 39.5], [0.0, 40.5]])
    labels = nearest(rows, stuck)
    warm = choose(rows, labels, 3, segments=3, switch=0.9)
    fresh = choose(rows, labels, 3, segments=3)
    assert (warm.origin in ("parent", "refined"), fresh.origin) == (True, "fresh")
    gain = 1 - nearest_squared(rows, fresh.centroids).sum() / nearest_squared(rows, warm.centroids).sum()
    assert 0.02 < gain < 0.9
    assert choose(rows, labels, 3, segments=3, switch=gain - 0.05).origin == "fresh"
    assert choose(rows, labels, 3, segments=3, switch=gain + 0.05).origin != "fresh"


def test_one_segment_more_is_set_among_the_newly_born():
    rows, kinds = crowd(np.concatenate([CENTRES, [[30.0, 30.0]]]))
    start = choose(rows, np.minimum(kinds, 3), 5)
    assert start.origin == "refined"
    assert (squared_distances(np.array([*CENTRES, [30.0, 30.0]]), start.centroids).min(axis=1) < 0.1).all()


def test_one_segment_less_joins_the_two_that_are_close():
    centres = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [1.5, 10.0]])
    rows, kinds = crowd(centres)
    start = choose(rows, kinds, 3)
    expected = np.array([[0.0, 0.0], [10.0, 0.0], [0.75, 10.0]])
    assert (squared_distances(expected, start.centroids).min(axis=1) < 0.1).all()
    assert start.origin == "parent"


def test_a_segment_that_died_gives_its_place_to_another():
    rows, kinds = crowd(np.concatenate([CENTRES[:3], [[30.0, 30.0]]]))
    start = choose(rows, np.minimum(kinds, 2), 4)
    assert (
        squared_distances(np.array([*CENTRES[:3], [30.0, 30.0]]), start.centroids).min(axis=1) < 0.1
    ).all()


def test_without_a_parent_to_ask_the_fit_is_fresh():
    rows, _ = crowd()
    assert choose(rows, None, 4).origin == "fresh"


def test_directions_stay_directions():
    angles = np.deg2rad(
        np.random.default_rng(0).choice([0.0, 90.0, 200.0], 900) + np.random.default_rng(1).normal(0, 4, 900)
    )
    rows = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    labels = nearest(rows, np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -0.4]]))
    start = choose(rows, labels, 3, segments=3, metric="cosine")
    assert start.origin == "parent"
    np.testing.assert_allclose(np.linalg.norm(start.centroids, axis=1), 1.0)


def test_the_same_sample_and_seed_give_the_same_bits():
    rows, kinds = crowd(width=4.0)
    first, second = (choose(rows, kinds, 6, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first.centroids, second.centroids)
    assert isinstance(first, Start)
