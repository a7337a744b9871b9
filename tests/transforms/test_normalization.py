"""Every normalization against scikit-learn, on one analysis of many columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from tests.transforms.fitted import Fitted

pytestmark = pytest.mark.slow

ROWS = 3000
COLUMNS: dict[str, dict[str, Any]] = {
    "f_zscore": {},
    "f_weighted": {"weight": 0.5},
    "f_minmax": {"normalize": "minmax"},
    "f_range": {"normalize": "minmax", "range": [-1, 3]},
    "f_robust": {"normalize": "robust"},
    "f_robust_ties": {"normalize": "robust"},
    "i_robust_far": {"normalize": "robust"},
    "f_uniform": {"normalize": "quantile_uniform"},
    "f_normal": {"normalize": "quantile_normal"},
    "f_ties": {"normalize": "quantile_uniform"},
    "f_normal_log": {"normalize": "quantile_normal", "log1p": True},
    "f_clip_quantiles": {"clip": {"quantiles": [0.1, 0.95]}},
    "f_clip_uniform": {"clip": {"quantiles": [0.1, 0.9]}, "normalize": "quantile_uniform"},
    "f_clip_fixed": {"clip": {"min": 0, "max": 20}, "normalize": "none"},
    "f_clip_above": {"clip": {"max": 20}, "log1p": True, "normalize": "none"},
    "f_median": {"impute": "median"},
    "f_constant": {"impute": -5.0, "clip": {"min": 0}},
    "f_flat_robust": {"normalize": "robust"},
    "f_flat_uniform": {"normalize": "quantile_uniform"},
    "f_flat_range": {"normalize": "minmax", "range": [2, 3]},
    "f_none_robust": {"normalize": "robust"},
    "f_none_normal": {"normalize": "quantile_normal"},
}  # fmt: skip


@pytest.fixture(scope="module")
def table() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    made = {name: random.lognormal(2, 1, ROWS).astype(np.float32) for name in COLUMNS}
    made["f_robust_ties"][: ROWS * 8 // 10] = 4.0
    made["f_ties"][: ROWS * 4 // 10] = 0.0
    # Far beyond what float32 can tell apart.
    made["i_robust_far"] = 1_700_000_000_000 + random.integers(0, 1000, ROWS)
    made["f_normal_log"] -= 5.0
    for name in COLUMNS:
        if name.startswith("f_flat"):
            made[name][:] = 7.0
    return made


@pytest.fixture(scope="module")
def fitted(table: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    rows = [
        {name: None if "none" in name else values[i].item() for name, values in table.items()}
        for i in range(ROWS)
    ]
    # Missing values change nothing of what is learned.
    rows += [dict.fromkeys(table)] * 50
    return Fitted({"columns": COLUMNS}, rows, tmp_path_factory.mktemp("fitted"))


@pytest.fixture(scope="module")
def got(fitted: Fitted, table: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return fitted([{name: values[i].item() for name, values in table.items()} for i in range(ROWS)])


def ask(fitted: Fitted, column: str, *values: float | None) -> list[float]:
    return fitted([{column: value} for value in values])[column].tolist()


def column(table: dict[str, np.ndarray], name: str) -> np.ndarray:
    return table[name].astype(np.float64)[:, np.newaxis]


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("f_zscore", StandardScaler()),
        ("f_minmax", MinMaxScaler()),
        ("f_range", MinMaxScaler((-1, 3))),
    ],
)
def test_scalers_are_scikit_learns(
    got: dict[str, np.ndarray], table: dict[str, np.ndarray], name: str, reference: Any
) -> None:
    expected = reference.fit_transform(column(table, name))[:, 0]
    np.testing.assert_allclose(got[name], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["f_robust", "i_robust_far"])
def test_robust_is_scikit_learns(got: dict[str, np.ndarray], table: dict[str, np.ndarray], name: str) -> None:
    """Median and quartiles are values of the data, where scikit-learn goes between two of them."""
    expected = RobustScaler().fit_transform(column(table, name))[:, 0]
    np.testing.assert_allclose(got[name], expected, rtol=0.01, atol=0.01)


def test_robust_without_an_interquartile_range_takes_the_deviation(
    got: dict[str, np.ndarray], table: dict[str, np.ndarray]
) -> None:
    x = table["f_robust_ties"].astype(np.float64)
    np.testing.assert_allclose(got["f_robust_ties"], (x - 4) / x.std(), rtol=1e-5, atol=1e-6)


def test_quantile_transforms_are_scikit_learns(
    got: dict[str, np.ndarray], table: dict[str, np.ndarray]
) -> None:
    for name, distribution in (("f_uniform", "uniform"), ("f_normal", "normal")):
        reference = QuantileTransformer(n_quantiles=1001, output_distribution=distribution, subsample=None)
        expected = reference.fit_transform(column(table, name))[:, 0]
        inside = np.abs(reference.transform(column(table, name))[:, 0] - np.median(expected))
        if distribution == "uniform":
            np.testing.assert_allclose(got[name], expected, atol=0.0011)
        else:
            body = inside < 2
            assert body.sum() > 0.9 * ROWS
            np.testing.assert_allclose(got[name][body], expected[body], atol=0.03)
            np.testing.assert_allclose(
                [got[name].min(), got[name].max()], [expected.min(), expected.max()], rtol=1e-6
            )


def test_ranks_are_the_ranks_of_the_data(got: dict[str, np.ndarray], table: dict[str, np.ndarray]) -> None:
    order = np.argsort(table["f_uniform"])
    np.testing.assert_allclose(got["f_uniform"][order], np.arange(ROWS) / (ROWS - 1), atol=0.0021)
    assert np.all(np.diff(got["f_uniform"][order]) >= 0)


def test_quantile_transforms_do_not_depend_on_a_monotone_map(
    fitted: Fitted, got: dict[str, np.ndarray], table: dict[str, np.ndarray]
) -> None:
    order = np.argsort(table["f_normal_log"])
    expected = ndtri((np.arange(ROWS) + 0.5) / ROWS)
    np.testing.assert_allclose(got["f_normal_log"][order][50:-50], expected[50:-50], atol=0.05)


def test_a_value_that_many_have_gets_their_middle_rank(fitted: Fitted, table: dict[str, np.ndarray]) -> None:
    low, high = float(table["f_ties"].min()), float(table["f_ties"].max())
    tied, below, top, above = ask(fitted, "f_ties", 0.0, low - 1, high, high + 1)
    assert tied == pytest.approx(0.2, abs=0.001)
    assert [below, top, above] == [0, 1, 1]


def test_extremes_of_a_normal_score_are_bounded(fitted: Fitted, table: dict[str, np.ndarray]) -> None:
    top = float(table["f_normal"].max())
    assert ask(fitted, "f_normal", -1e9, top, 1e9) == pytest.approx([-5.1993, 5.1993, 5.1993], abs=1e-3)


def test_clipping_at_quantiles(
    fitted: Fitted, got: dict[str, np.ndarray], table: dict[str, np.ndarray]
) -> None:
    x = table["f_clip_quantiles"].astype(np.float64)
    clipped = np.clip(x, *np.quantile(x, [0.1, 0.95]))
    np.testing.assert_allclose(got["f_clip_quantiles"], StandardScaler().fit_transform(clipped[:, None])[:, 0],
                               atol=0.02)  # fmt: skip
    assert ask(fitted, "f_clip_quantiles", 1e9)[0] == got["f_clip_quantiles"].max()
    assert got["f_clip_quantiles"].max() < StandardScaler().fit_transform(x[:, None]).max() / 2
    # A tenth of the customers share either end, and so its middle rank.
    low, middle, high = ask(fitted, "f_clip_uniform", -1e9, float(np.median(table["f_clip_uniform"])), 1e9)
    assert [low, middle, high] == pytest.approx([0.05, 0.5, 0.95], abs=0.002)


def test_clipping_at_fixed_bounds_comes_before_the_logarithm(fitted: Fitted) -> None:
    assert ask(fitted, "f_clip_fixed", -3.0, 7.0, 21.0) == [0, 7, 20]
    assert ask(fitted, "f_clip_above", -3.0, 21.0) == pytest.approx([-np.log(4), np.log(21)], rel=1e-6)


def test_what_stands_for_missing(fitted: Fitted, table: dict[str, np.ndarray]) -> None:
    names = ("f_zscore", "f_range", "f_uniform", "f_median", "f_constant", "f_clip_quantiles")
    missing = {name: ask(fitted, name, None)[0] for name in names}
    means = {name: table[name].astype(np.float64).mean() for name in names}
    assert missing["f_zscore"] == pytest.approx(0, abs=1e-6)
    assert missing["f_range"] == pytest.approx(ask(fitted, "f_range", means["f_range"])[0], abs=1e-5)
    assert missing["f_uniform"] == pytest.approx(ask(fitted, "f_uniform", means["f_uniform"])[0], abs=1e-4)
    assert missing["f_median"] == pytest.approx(
        ask(fitted, "f_median", float(np.median(table["f_median"])))[0], abs=0.01
    )
    # The mean of what is clipped; and a constant stands as it is, also outside of the bounds.
    assert missing["f_clip_quantiles"] == pytest.approx(0, abs=1e-6)
    assert missing["f_constant"] < ask(fitted, "f_constant", 0.0)[0] == ask(fitted, "f_constant", -1.0)[0]


def test_a_column_that_tells_nothing_is_constant(fitted: Fitted) -> None:
    for name in ("f_flat_robust", "f_flat_uniform", "f_flat_range", "f_none_robust", "f_none_normal"):
        values = ask(fitted, name, None, 7.0, 8.0, -1e9)
        assert values == [2.0 if name == "f_flat_range" else 0.0] * 4, name


def test_weights(got: dict[str, np.ndarray], table: dict[str, np.ndarray]) -> None:
    x = table["f_weighted"].astype(np.float64)
    np.testing.assert_allclose(got["f_weighted"], 0.5 * (x - x.mean()) / x.std(), rtol=1e-5, atol=1e-6)
