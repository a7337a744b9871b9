"""Each filter at its boundary, in both directions, and which of two correlated features stays."""

from __future__ import annotations

import numpy as np
import pytest

from components.selection.encoding import Encoded
from components.selection.filters import filter_features
from components.selection.judged import Dropped, Preferred
from configs.selection import FiltersConfig
from tests.components.selection.planted import category, number

RNG = np.random.default_rng(0)
N = 1000


def drop(
    *features: Encoded, preferred: Preferred | None = None, **config: float | None
) -> dict[str, Dropped]:
    return filter_features(features, FiltersConfig(**config), preferred or Preferred())


def with_missing(share: float) -> np.ndarray:
    values = RNG.normal(size=N)
    values[: int(share * N)] = np.nan
    return values


def mostly(value: float, share: float) -> np.ndarray:
    values = RNG.normal(size=N)
    values[: round(share * N)] = value
    return values


def correlated_pair(rho: float) -> tuple[np.ndarray, np.ndarray]:
    """Two columns whose correlation is exactly this."""
    a, b = RNG.normal(size=(2, N))
    a = (a - a.mean()) / a.std()
    b -= b.mean() + (a * b).mean() * a
    return a, rho * a + np.sqrt(1 - rho**2) * b / b.std()


def test_missing_too_often() -> None:
    assert drop(number("a", with_missing(0.5))) == {}
    found = drop(number("a", with_missing(0.501)))
    assert found["a"].rule == "missing" and found["a"].value == pytest.approx(0.501)
    assert "50%" in found["a"].reason
    assert drop(number("a", with_missing(0.7)), missing=0.7) == {}
    assert drop(number("a", with_missing(0.9)), missing=None) == {}
    assert "a" in drop(number("a", np.full(N, np.nan)), missing=1.0), "no value at all is of no use"


def test_near_constant() -> None:
    assert drop(number("a", mostly(3.0, 0.989))) == {}
    found = drop(number("a", mostly(3.0, 0.99)))
    assert (
        found["a"].rule == "near_constant"
        and found["a"].reason == "the same for 99% of the customers (limit 99%)"
    )
    assert "a" in drop(category("a", np.r_[np.ones(10), np.zeros(990)]))
    assert drop(category("a", np.r_[np.ones(11), np.zeros(989)])) == {}
    assert drop(number("a", np.full(N, 3.0)), near_constant=None) == {}


def test_a_missing_value_is_a_value() -> None:
    values = np.where(np.arange(N) < 300, np.nan, 1.0)
    assert drop(number("a", values)) == {}, "whether there is a value differs between customers"


def test_numbers_that_differ_less_than_a_model_sees() -> None:
    assert drop(number("day", 1e6 + RNG.normal(size=N) * 0.1))["day"].rule == "near_constant"
    assert drop(number("day", 19_000 + RNG.normal(size=N) * 10)) == {}


def test_names_are_near_constant_to_a_model() -> None:
    names = Encoded("name", "categorical", np.r_[np.arange(8), np.full(992, 32.0)], rest=32)
    assert "outside the 32 most frequent" in drop(names)["name"].reason


@pytest.mark.parametrize("sign", [1, -1])
def test_correlated_numbers(sign: int) -> None:
    a, b = correlated_pair(sign * 0.96)
    found = drop(number("a", a), number("b", b))
    assert list(found) == ["b"] and found["b"].value == pytest.approx(0.96, abs=0.005)
    assert "'a'" in found["b"].reason
    a, b = correlated_pair(sign * 0.93)
    assert drop(number("a", a), number("b", b)) == {}
    assert list(drop(number("a", a), number("b", b), correlated=0.9)) == ["b"]
    assert drop(number("a", a), number("b", a), correlated=None) == {}


def test_a_bent_copy_is_found_by_rank() -> None:
    a = RNG.lognormal(sigma=2.0, size=N)
    found = drop(number("a", a), number("b", np.log(a)))
    assert "Spearman" in found["b"].reason and found["b"].value == pytest.approx(1.0)


def test_correlated_categories_and_mixed_pairs() -> None:
    city = RNG.integers(0, 12, N)
    found = drop(category("area", city // 4), category("city", city))
    assert list(found) == ["area"], "the city tells the area, and more"
    assert "Cramér's V" in found["area"].reason
    found = drop(category("plan", city % 3), number("price", 10.0 * (city % 3) + RNG.normal(size=N)))
    assert list(found) == ["plan"] and "correlation ratio" in found["plan"].reason
    assert (
        drop(category("area", RNG.integers(0, 3, N)), category("city", city), number("x", RNG.normal(size=N)))
        == {}
    )


def test_which_of_two_stays() -> None:
    a = RNG.normal(size=N)
    holes = np.where(np.arange(N) < 5, np.nan, a)
    assert list(drop(number("a", holes), number("b", a))) == ["a"], "fewer missing values"
    assert list(drop(number("a", np.round(a, 1)), number("b", a))) == ["a"], "more different values"
    pair = number("a", a), number("b", 2 * a)
    assert list(drop(*pair)) == ["b"], "the name that comes first"
    assert list(drop(*pair, preferred=Preferred(served=["b"]))) == ["a"], "what the served model uses"
    assert list(drop(*pair, preferred=Preferred(always=["b"], served=["a"]))) == ["a"], "what is to be kept"
    assert drop(*pair, preferred=Preferred(always=["a", "b"])) == {}


def test_what_is_dropped_takes_no_other_along() -> None:
    a, b = correlated_pair(0.96)
    c = 0.96 * b + np.sqrt(1 - 0.96**2) * RNG.normal(size=N)
    found = drop(number("a", a), number("b", b), number("c", c))
    assert list(found) == ["b"], "c is like b, which goes, and not like a, which stays"


def test_what_is_to_be_kept_passes_every_filter() -> None:
    features = number("a", np.full(N, 1.0)), number("b", with_missing(0.9))
    assert set(drop(*features)) == {"a", "b"}
    assert drop(*features, preferred=Preferred(always=["a", "b"])) == {}


@pytest.mark.parametrize(
    ("feature", "clearly"),
    [
        (number("a", with_missing(0.6)), number("a", with_missing(0.76))),
        (number("a", mostly(1.0, 0.992)), number("a", mostly(1.0, 0.996))),
    ],
)
def test_what_the_served_model_uses_is_dropped_where_it_is_clear(feature: Encoded, clearly: Encoded) -> None:
    served = Preferred(served=["a"], hysteresis=0.5)
    assert "a" in drop(feature)
    assert drop(feature, preferred=served) == {}
    assert "a" in drop(feature, preferred=Preferred(served=["a"], hysteresis=0.0))
    assert "a" in drop(clearly, preferred=served)


def test_two_served_features_stay_apart_until_they_are_clearly_one() -> None:
    served = Preferred(served=["a", "b"], hysteresis=0.5)
    a, b = correlated_pair(0.965)
    assert "b" in drop(number("a", a), number("b", b))
    assert drop(number("a", a), number("b", b), preferred=served) == {}
    a, b = correlated_pair(0.98)
    assert list(drop(number("a", a), number("b", b), preferred=served)) == ["b"]
