"""A change in words, and when it looks like another unit."""

from __future__ import annotations

import numpy as np
import pytest

from components.drift.histograms import Quantiles
from components.drift.words import distance_words, multiplied, text_words

SHARES = np.linspace(0, 1, 101)
VALUES = np.exp(np.random.default_rng(0).normal(3, 1, 5000))


def quantiles(values: np.ndarray) -> Quantiles:
    return Quantiles(np.quantile(values, SHARES), SHARES)


@pytest.mark.parametrize(
    ("changed", "times"),
    [
        (VALUES * 100, 100.0),
        (VALUES / 1000, 0.001),
        (VALUES * 2, None),
        (VALUES + 500, None),
        (-VALUES, None),
        (VALUES**2, None),
        (VALUES, None),
    ],
)
def test_another_unit_multiplies_the_whole_distribution(changed, times) -> None:
    found = multiplied(quantiles(VALUES), quantiles(np.sort(changed)))
    assert found == (None if times is None else pytest.approx(times))


def test_a_column_that_is_mostly_zero_is_judged_by_what_is_not() -> None:
    values = np.r_[np.zeros(4000), VALUES[:1000]]
    assert multiplied(quantiles(values), quantiles(values * 60)) == pytest.approx(60)


def test_categories_that_come_go_and_change() -> None:
    then = {"a": 0.5, "b": 0.4, "c": 0.1}
    assert text_words("plan", then, {"a": 0.4, "b": 0.3, "d": 0.3}, 0.3, 0.1) == (
        'plan: "d" is new and has 30.0 % of the customers; a change of 0.300, 0.1 is allowed'
    )
    assert '"b" is gone and had 40.0 %' in text_words("plan", then, {"a": 0.8, "c": 0.2}, 0.4, 0.1)
    assert '"a" has 80.0 % of the customers and had 50.0 %' in text_words(
        "plan", then, {"a": 0.8, "b": 0.15, "c": 0.05}, 0.3, 0.1
    )


def test_customers_that_lay_on_their_centroids() -> None:
    assert "times" not in distance_words(0.0, 1.0, 1.0, 0.1)
    assert "farther than 3 (was 2, 1.50 times what it was)" in distance_words(2.0, 3.0, 0.5, 0.1)
