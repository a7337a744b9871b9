"""The measures against SciPy, and chance against samples that are of one population."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from components.drift.measures import (
    RARE,
    chance_of_distance,
    chance_of_divergence,
    chance_of_share,
    chance_of_stability_index,
    kolmogorov_smirnov,
    population_stability_index,
)

counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=8).filter(lambda each: sum(each) > 0)


def test_the_stability_index_by_hand() -> None:
    then, now = np.array([5e6, 3e6, 2e6]), np.array([4e6, 3e6, 3e6])
    by_hand = -0.1 * math.log(0.4 / 0.5) + 0.1 * math.log(0.3 / 0.2)
    assert population_stability_index(then, now) == pytest.approx(by_hand, rel=1e-5)


@given(counts, st.randoms())
def test_the_stability_index_is_symmetric_and_zero_for_equals(then, random) -> None:
    now = then.copy()
    random.shuffle(now)
    assert population_stability_index(then, then) == 0
    assert population_stability_index(then, now) == pytest.approx(population_stability_index(now, then))
    assert population_stability_index(then, now) >= 0


def test_a_segment_that_died_out_is_a_large_index_and_a_finite_one() -> None:
    assert 0.5 < population_stability_index([800, 200], [1000, 0]) < 10


@given(
    st.lists(st.integers(0, 30), min_size=200, max_size=400),
    st.lists(st.integers(0, 30), min_size=1, max_size=400),
    st.floats(0.1, 50),
)
def test_the_distance_is_that_of_scipy(first, second, spread) -> None:
    # Ties everywhere, within samples and between them.
    then, now = np.array(first) * spread, np.array(second) * spread
    percentiles = np.percentile(then, range(101), method="inverted_cdf")
    exact = stats.ks_2samp(then, now).statistic
    assert kolmogorov_smirnov(percentiles, now) == pytest.approx(exact, abs=0.0151)


def test_chance_of_a_distance_is_that_of_kolmogorov() -> None:
    exact = stats.kstwobign.ppf(1 - RARE) * math.sqrt(1 / 300 + 1 / 700)
    assert chance_of_distance(300, 700) == pytest.approx(exact, rel=1e-4)
    assert chance_of_stability_index(1, 300, 700) == 0


def test_samples_of_one_population_stay_below_chance() -> None:
    rng = np.random.default_rng(1)
    shares, then, now = np.array([0.5, 0.3, 0.15, 0.05]), 400, 900
    first, second = rng.multinomial(then, shares, 2000), rng.multinomial(now, shares, 2000)
    index = [population_stability_index(a, b) for a, b in zip(first, second, strict=True)]
    bits = jensenshannon(first.T, second.T, base=2) ** 2
    moves = np.abs(first[:, 0] / then - second[:, 0] / now)
    for values, chance in (
        (index, chance_of_stability_index(4, then, now)),
        (bits, chance_of_divergence(4, then, now)),
        (moves, chance_of_share(0.5, then, now)),
    ):
        # Never above, but chance is not so wide that it would hide anything either.
        assert 0.3 * chance < np.max(values) < chance


def test_a_share_of_nobody_has_some_chance() -> None:
    assert 0 < chance_of_share(0.0, 100, 100) < 0.1
    assert chance_of_share(1.0, 100, 100) == chance_of_share(0.5, 100, 100)
