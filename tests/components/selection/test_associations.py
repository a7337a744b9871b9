"""Measures of association against SciPy, and their edge cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr, spearmanr
from scipy.stats.contingency import association

from components.selection.associations import correlation_ratio, correlations, cramers_v


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([1e-6, 1.0, 1e9]), st.booleans())
def test_correlations_are_scipys(seed: int, scale: float, whole: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) * scale + 1e3 * scale
    values = np.round(values / scale) if whole else values
    pearson, spearman = correlations(values)
    for i in range(4):
        for j in range(i):
            assert pearson[i, j] == pytest.approx(pearsonr(values[:, i], values[:, j])[0], abs=1e-6)
            assert spearman[i, j] == pytest.approx(spearmanr(values[:, i], values[:, j])[0], abs=1e-6)
    assert np.allclose(pearson, pearson.T) and np.allclose(np.diagonal(pearson), 1)


def test_pairs_are_compared_over_the_customers_who_have_both() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(500, 2))
    values[:, 1] += values[:, 0]
    values[rng.random((500, 2)) < 0.2] = np.nan
    there = ~np.isnan(values).any(axis=1)
    pearson, spearman = correlations(values)
    assert pearson[0, 1] == pytest.approx(pearsonr(*values[there].T)[0], abs=1e-9)
    assert spearman[0, 1] == pytest.approx(spearmanr(*values[there].T)[0], abs=0.02)


def test_what_cannot_be_compared_is_not() -> None:
    rng = np.random.default_rng(1)
    values = np.stack([rng.normal(size=100), np.full(100, 1e9), rng.normal(size=100)], axis=1)
    values[:51, 2] = np.nan
    pearson, spearman = correlations(values)
    assert np.isnan(pearson[0, 1]) and np.isnan(spearman[0, 1]), "a constant"
    assert np.isnan(pearson[0, 2]), "half of the customers do not have both"
    values[50, 2] = 0.0
    assert not np.isnan(correlations(values)[0][0, 2])


def test_cramers_v_is_scipys_but_for_the_correction() -> None:
    rng = np.random.default_rng(2)
    first = rng.integers(0, 4, 20_000)
    second = np.where(rng.random(20_000) < 0.5, first, rng.integers(0, 4, 20_000))
    table = np.zeros((4, 4), int)
    np.add.at(table, (first, second), 1)
    assert cramers_v(first, second) == pytest.approx(association(table, "cramer"), abs=0.002)


def test_cramers_v_of_independent_columns_is_near_0_with_many_categories() -> None:
    rng = np.random.default_rng(3)
    first, second = rng.integers(0, 30, (2, 300))
    table = np.zeros((30, 30), int)
    np.add.at(table, (first, second), 1)
    assert association(table[:, table.sum(0) > 0], "cramer") > 0.25, "what the correction is for"
    assert cramers_v(first, second) < 0.1


def test_a_category_that_follows_from_another_is_told_by_it() -> None:
    city = np.random.default_rng(4).integers(0, 20, 5000)
    assert cramers_v(city, city // 5) == pytest.approx(1.0, abs=5e-3)
    assert np.isnan(cramers_v(city, np.zeros(5000, int)))


def test_the_correlation_ratio_is_that_of_an_analysis_of_variance() -> None:
    rng = np.random.default_rng(5)
    groups = rng.integers(0, 5, 3000)
    values = groups * 0.7 + rng.normal(size=3000)
    total = ((values - values.mean()) ** 2).sum()
    within = sum(((values[groups == g] - values[groups == g].mean()) ** 2).sum() for g in range(5))
    epsilon = 1 - (within / (3000 - 5)) / (total / (3000 - 1))
    assert correlation_ratio(groups, values) == pytest.approx(np.sqrt(epsilon))
    assert correlation_ratio(groups, 3.0 * groups) == pytest.approx(1.0)
    assert correlation_ratio(rng.integers(0, 30, 3000), values) < 0.1
    assert np.isnan(correlation_ratio(groups, np.ones(3000)))
    assert np.isnan(correlation_ratio(groups, np.where(np.arange(3000) < 1600, np.nan, values)))
