import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from components.trainer.profiles import TOP_VALUES, profile_segments


def check_numeric(statistics, values):
    """Against pandas, which skips missing values and interpolates linearly too."""
    series = pd.Series(values, dtype=float)
    assert statistics["missing"] == pytest.approx(series.isna().mean() if len(series) else 0)
    expected = {
        "mean": series.mean(),
        "median": series.median(),
        "p25": series.quantile(0.25),
        "p75": series.quantile(0.75),
    }
    for name, value in expected.items():
        if np.isnan(value):
            assert statistics[name] is None
        else:
            assert statistics[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name


def check_categorical(statistics, values):
    series = pd.Series(values, dtype=object).replace("", None)
    assert statistics["missing"] == pytest.approx(series.isna().mean() if len(series) else 0)
    counts = series.value_counts()
    assert len(statistics["values"]) == min(len(counts), TOP_VALUES)
    for value, share in statistics["values"].items():
        assert share == pytest.approx(counts[value] / len(series))
    shares = list(statistics["values"].values())
    assert shares == sorted(shares, reverse=True)
    if len(counts) > TOP_VALUES:
        assert shares[-1] * len(series) >= counts.iloc[TOP_VALUES] - 1e-9


@pytest.mark.filterwarnings("ignore:Mean of empty slice")  # pandas, of a segment without values
@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(0, 60), st.integers(1, 5))
def test_equal_to_pandas(data, n, k):
    numbers = st.floats(-1e6, 1e6, width=32) | st.just(float("nan"))
    x = data.draw(hnp.arrays(np.float32, n, elements=numbers))
    text = np.array(data.draw(st.lists(st.sampled_from(["", "a", "b", "ü"]), min_size=n, max_size=n)), object)
    labels = data.draw(hnp.arrays(np.int64, n, elements=st.integers(0, k - 1)))
    population, profiles = profile_segments({"x": x}, {"c": text}, labels, k)
    assert len(profiles) == k
    check_numeric(population["numeric"]["x"], x)
    check_categorical(population["categorical"]["c"], text)
    for j, profile in enumerate(profiles):
        check_numeric(profile["numeric"]["x"], x[labels == j])
        check_categorical(profile["categorical"]["c"], text[labels == j])
    json.dumps([population, profiles], allow_nan=False)


def test_many_values_keep_the_most_frequent():
    rng = np.random.default_rng(0)
    text = np.array([f"v{i}" for i in rng.zipf(1.3, 5000) % 200], object)
    labels = rng.integers(0, 3, 5000)
    population, profiles = profile_segments({}, {"c": text}, labels, 3)
    check_categorical(population["categorical"]["c"], text)
    for j, profile in enumerate(profiles):
        check_categorical(profile["categorical"]["c"], text[labels == j])


def test_ties_go_to_the_alphabet_whatever_the_order_of_the_rows():
    text = np.array([f"v{i:02d}" for i in range(40)], object)
    first, _ = profile_segments({}, {"c": text}, np.zeros(40, int), 1)
    second, _ = profile_segments({}, {"c": text[::-1]}, np.zeros(40, int), 1)
    assert list(first["categorical"]["c"]["values"]) == [f"v{i:02d}" for i in range(TOP_VALUES)]
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        np.array(["a", "", "b", "a"]),
        np.array([b"a", b"", b"b", b"a"], object),
        np.array([b"a", b"", b"b", b"a"]),
        np.array(["a", None, "b", "a"], object),
        pa.array(["a", None, "b", "a"]),
        pa.array([b"a", b"", b"b", b"a"]),
        pa.array(["a", None, "b", "a"]).dictionary_encode(),
        pa.chunked_array([["a", None], ["b", "a"]]),
    ],
)
def test_kinds_of_text(text):
    population, (profile,) = profile_segments({}, {"c": text}, np.zeros(4, np.int32), 1)
    assert population == profile
    assert profile["categorical"]["c"] == {"values": {"a": 0.5, "b": 0.25}, "missing": 0.25}


def test_bytes_that_are_no_text_are_replaced():
    text = np.array([b"caf\xe9", b"caf\xe8", b"tea"], object)
    population, _ = profile_segments({}, {"c": text}, np.zeros(3, int), 1)
    assert population["categorical"]["c"]["values"] == {
        "caf�": pytest.approx(2 / 3),
        "tea": pytest.approx(1 / 3),
    }


@pytest.mark.parametrize(
    "text", [np.array(["", ""]), np.array([None, None], object), pa.nulls(2, pa.string())]
)
def test_a_column_without_values(text):
    numbers = np.array([np.nan, np.nan])
    population, _ = profile_segments({"x": numbers}, {"c": text}, np.array([0, 0]), 1)
    assert population["numeric"]["x"] == {
        "mean": None,
        "median": None,
        "p25": None,
        "p75": None,
        "missing": 1.0,
    }
    assert population["categorical"]["c"] == {"values": {}, "missing": 1.0}


def test_infinities_count_as_missing():
    population, _ = profile_segments({"x": np.array([1, np.inf, 3, -np.inf])}, {}, np.zeros(4, int), 1)
    assert population["numeric"]["x"]["mean"] == 2
    assert population["numeric"]["x"]["missing"] == 0.5


def test_the_arrays_are_not_changed():
    x, labels = np.array([3, np.nan, 1.0]), np.array([1, 0, 1])
    profile_segments({"x": x}, {}, labels, 2)
    np.testing.assert_array_equal(x, [3, np.nan, 1])
    np.testing.assert_array_equal(labels, [1, 0, 1])


def test_integers_are_numbers():
    population, _ = profile_segments({"x": np.array([1, 2, 6])}, {}, np.zeros(3, int), 1)
    assert population["numeric"]["x"] == {"mean": 3, "median": 2, "p25": 1.5, "p75": 4, "missing": 0}


@pytest.mark.parametrize("labels", [[0, 2], [-1, 0]])
def test_labels_outside_are_refused(labels):
    with pytest.raises(ValueError, match="labels must lie in 0 to 1"):
        profile_segments({}, {}, np.array(labels), 2)


def test_a_column_of_another_length_is_refused():
    with pytest.raises(ValueError, match=r"column 'x' has shape \(3,\), labels have \(2,\)"):
        profile_segments({"x": np.zeros(3)}, {}, np.zeros(2, int), 1)
    with pytest.raises(ValueError, match="column 'c'"):
        profile_segments({}, {"c": np.array(["a"])}, np.zeros(2, int), 1)
