"""The transform as TFT runs it: analysis over rows, then values, against NumPy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from configs.features import FeaturesConfig
from tests.transforms.fitted import Fitted
from transforms.preprocessing import plan_from_dtypes

NAN = float("nan")


def test_numbers(tmp_path: Path) -> None:
    rows = [
        {"f_z": 1.0, "f_log": 0.0, "f_mm": 10.0, "i_n": 3, "f_raw": 5.0, "f_flat": 7.0, "f_none": None},
        {"f_z": 2.0, "f_log": 9.0, "f_mm": 20.0, "i_n": 4, "f_raw": 6.0, "f_flat": 7.0, "f_none": None},
        {"f_z": 6.0, "f_log": -99.0, "f_mm": 40.0, "i_n": 8, "f_raw": 7.0, "f_flat": 7.0, "f_none": None},
    ]
    config = {
        "columns": {
            "f_log": {"log1p": True},
            "f_mm": {"normalize": "minmax", "weight": 2.0},
            "f_raw": {"normalize": "none"},
        }
    }
    got = Fitted(config, rows, tmp_path)(rows)

    def zscore(values: Sequence[float]) -> np.ndarray:
        array = np.array(values)
        return (array - array.mean()) / array.std()

    np.testing.assert_allclose(got["f_z"], zscore([1, 2, 6]), rtol=1e-6)
    np.testing.assert_allclose(got["i_n"], zscore([3, 4, 8]), rtol=1e-6)
    np.testing.assert_allclose(got["f_log"], zscore([0, math.log(10), -math.log(100)]), rtol=1e-6)
    np.testing.assert_allclose(got["f_mm"], [0, 2 / 3, 2], rtol=1e-6)
    np.testing.assert_allclose(got["f_raw"], [5, 6, 7])
    np.testing.assert_array_equal(got["f_flat"], 0)
    np.testing.assert_array_equal(got["f_none"], 0)


def test_missing_numbers_are_imputed_and_left_out_of_the_analysis(tmp_path: Path) -> None:
    values = [1.0, 2.0, 3.0, 10.0]
    rows = [{"f_mean": v, "f_median": v, "f_zero": v, "f_mm": v} for v in values]
    rows.append({"f_mean": None, "f_median": None, "f_zero": None, "f_mm": None})
    config = {
        "columns": {
            "f_median": {"impute": "median"},
            "f_zero": {"impute": 0.0},
            "f_mm": {"normalize": "minmax"},
        }
    }
    fitted = Fitted(config, rows, tmp_path)
    got = fitted([{}, {"f_mean": NAN, "f_median": math.inf, "f_zero": -math.inf, "f_mm": NAN}, rows[3]])
    mean, std = np.mean(values), np.std(values)
    for missing in (0, 1):
        assert got["f_mean"][missing] == 0
        # Between the two middle values: the sketch does not say which.
        assert (2 - mean) / std - 1e-5 <= got["f_median"][missing] <= (3 - mean) / std + 1e-5
        assert got["f_zero"][missing] == pytest.approx((0 - mean) / std, rel=1e-6)
        assert got["f_mm"][missing] == pytest.approx((mean - 1) / 9, rel=1e-6)
    assert got["f_mean"][2] == pytest.approx((10 - mean) / std, rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 3.0, 12345.678, -7.3])
@pytest.mark.parametrize("log1p", [False, True])
def test_a_constant_column_stays_without_effect_when_served(
    tmp_path: Path, value: float, log1p: bool
) -> None:
    """Rounding in the mean must not pass for a spread, which a value seen later would be divided by."""
    rows = [{"f_flat": value, "f_other": float(n)} for n in range(3000)] + [{"f_flat": None, "f_other": 0.0}]
    fitted = Fitted({"numeric": {"log1p": log1p}}, rows, tmp_path)
    got = fitted([rows[0], {"f_flat": value + 1}, {"f_flat": None}])["f_flat"]
    np.testing.assert_array_equal(got, 0)


def test_a_large_offset_keeps_its_signal(tmp_path: Path) -> None:
    rows = [{"i_big": 16_000_000 + n} for n in range(5)]
    got = Fitted({}, rows, tmp_path)(rows)
    np.testing.assert_allclose(got["i_big"], (np.arange(5) - 2) / np.sqrt(2), rtol=1e-5)


def test_categories(tmp_path: Path) -> None:
    rows = [
        {"s_city": c, "i_code": n}
        for c, n in [("x", 1), ("x", 1), ("y", 2), ("y", 1), ("y", 2), (None, None)]
    ]
    fitted = Fitted({"columns": {"i_code": {"type": "categorical", "weight": 0.5}}}, rows, tmp_path)
    got = fitted([{"s_city": "x", "i_code": 1}, {"s_city": "new", "i_code": 9}, {}])
    # Both columns have categories with the shares 1/3, 1/2 and 1/6 (of missing), so a total variance of 22/36.
    scale = 6 / math.sqrt(22)
    expected = {
        "s_city=x": [1, 0, 0],
        "s_city=y": [0, 0, 0],
        "s_city=(other)": [0, 1, 0],
        "s_city=(missing)": [0, 0, 1],
        "i_code=1": [0.5, 0, 0],
        "i_code=2": [0, 0, 0],
        "i_code=(other)": [0, 0.5, 0],
        "i_code=(missing)": [0, 0, 0.5],
    }
    assert sorted(got) == sorted(expected)
    for name, values in got.items():
        np.testing.assert_allclose(values, scale * np.array(expected[name]), rtol=1e-6, err_msg=name)


def test_only_the_most_frequent_categories_get_a_place(tmp_path: Path) -> None:
    rows = [{"s_c": c} for c in "aaabbc"]
    names = Fitted({"categorical": {"max_categories": 2}}, rows, tmp_path).transformation.layout.names
    assert names == ["s_c=a", "s_c=b", "s_c=(other)", "s_c=(missing)"]


def test_ordered_categories_become_one_number(tmp_path: Path) -> None:
    rows = [{"s_size": size} for size in ("small", "small", "large", "medium")]
    config = {
        "columns": {"s_size": {"encode": "ordinal", "order": ["small", "medium", "large"], "weight": 3.0}}
    }
    fitted = Fitted(config, rows, tmp_path)
    ranks = np.array([0, 0, 2, 1])
    got = fitted([*rows, {"s_size": "huge"}, {}])["s_size"]
    np.testing.assert_allclose(got[:4], 3 * (ranks - ranks.mean()) / ranks.std(), rtol=1e-6)
    np.testing.assert_array_equal(got[4:], 0)


def test_a_text_column_declared_numeric_is_refused() -> None:
    config = FeaturesConfig.model_validate({"columns": {"s_a": {"type": "numeric"}}})
    with pytest.raises(ValueError, match=r"features.columns.s_a is numeric, but the data holds text"):
        plan_from_dtypes(config, {"s_a": tf.string}, None)


def test_the_id_and_excluded_columns_are_no_features() -> None:
    config = FeaturesConfig.model_validate({"exclude": ["f_b"]})
    plan = plan_from_dtypes(config, {"f_a": tf.float32, "f_b": tf.float32, "s_id": tf.string}, "s_id")
    assert plan.names == ["f_a"]
    with pytest.raises(ValueError, match="no features"):
        plan_from_dtypes(config, {"f_b": tf.float32}, None)
