"""Every encoding on one analysis of many columns: values, missing and unseen ones, and what a block weighs."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.transforms.fitted import Fitted
from tests.transforms.text_models import expected, save_text_model
from transforms.preprocessing import plan_from_dtypes

pytestmark = pytest.mark.slow

ROWS = 1200
WORDS = ["red", "green", "a long one", "two words", "x"]


def column_options(model: str, signature: str) -> dict[str, dict[str, Any]]:
    return {
        "f_number": {},
        "s_hot": {},
        "s_weighted": {"weight": 0.5},
        "s_rare": {"max_categories": 2},
        "i_code": {"type": "categorical"},
        "s_frequency": {"encode": "frequency"},
        "s_few": {"encode": "frequency", "max_categories": 1},
        "s_ordinal": {"encode": "ordinal", "order": ["low", "mid", "high"]},
        "s_hashed": {"encode": "hashed", "buckets": 8},
        "s_list": {"encode": "multi_hot", "separator": ";", "max_categories": 3},
        "i_month": {"encode": "cyclic", "period": 12, "start": 1},
        "s_weekday": {"encode": "cyclic", "period": 7},
        "s_text": {"encode": "embedding", "model": model},
        "s_signature": {"encode": "embedding", "model": signature, "weight": 2},
        "s_flat": {},
    }


def customers(rows: int = ROWS, seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)

    def some(values: list[Any], shares: list[float]) -> list[Any]:
        return [values[i] for i in random.choice(len(values), rows, p=shares)]

    made = {
        "f_number": random.lognormal(size=rows).tolist(),
        "s_hot": some(["a", "b", "c", None], [0.5, 0.3, 0.1, 0.1]),
        "s_weighted": some(["a", "b"], [0.97, 0.03]),
        "s_rare": some([*"abcdef"], [0.4, 0.3, 0.1, 0.1, 0.05, 0.05]),
        "i_code": some([1, 2, 3], [0.2, 0.3, 0.5]),
        "s_frequency": some(["a", "b", None], [0.6, 0.3, 0.1]),
        "s_few": some(["a", "b"], [0.7, 0.3]),
        "s_ordinal": some(["low", "mid", "high", None], [0.4, 0.3, 0.2, 0.1]),
        "s_hashed": some([f"city{i}" for i in range(20)] + [None], [0.045] * 20 + [0.1]),
        "s_list": some(["x; y", "y", "x;x;z", "w;x", ";", None], [0.3, 0.3, 0.1, 0.1, 0.1, 0.1]),
        "i_month": some([*range(1, 13)], [0.3, 0.2] + [0.05] * 10),
        "s_weekday": some([*map(str, range(7)), None], [0.3, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05, 0.1]),
        "s_text": some([*WORDS, None], [0.3, 0.2, 0.2, 0.1, 0.1, 0.1]),
        "s_signature": some([*WORDS, None], [0.3, 0.2, 0.2, 0.1, 0.1, 0.1]),
        "s_flat": ["same"] * rows,
    }
    return [{name: values[i] for name, values in made.items()} for i in range(rows)]


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    folder = tmp_path_factory.mktemp("fitted")
    model = save_text_model(folder / "one", 1.0)
    signature = save_text_model(folder / "two", 3.0, signature_only=True)
    fitted = Fitted({"columns": column_options(model, signature)}, customers(), folder)
    # The graph holds all of them: nothing is read from there any more.
    shutil.rmtree(folder / "one")
    shutil.rmtree(folder / "two")
    return fitted


@pytest.fixture(scope="module")
def vectors(fitted: Fitted) -> dict[str, np.ndarray]:
    """Feature -> its coordinates of the training customers, [n, width]."""
    got = np.stack(list(fitted(customers()).values()), axis=1)
    owners = np.array(fitted.transformation.layout.owners)
    return {name: got[:, owners == name] for name in fitted.dtypes}


def block(fitted: Fitted, column: str, *values: Any) -> np.ndarray:
    """The coordinates of a column for some values, [n, width]."""
    owners = fitted.transformation.layout.owners
    got = list(fitted([{column: value} for value in values]).values())
    return np.stack([v for v, owner in zip(got, owners, strict=True) if owner == column], axis=1)


def shares(column: str) -> dict[Any, float]:
    values = [row[column] for row in customers()]
    return {value: values.count(value) / ROWS for value in set(values)}


def test_every_column_weighs_like_a_number(vectors: dict[str, np.ndarray]) -> None:
    """The expected squared distance of two customers drawn at random is 2 weight^2, of every feature."""
    weights = {"s_weighted": 0.5, "s_signature": 2.0, "s_flat": 0.0}
    for name, x in vectors.items():
        # Over all pairs, sum |x - x'|^2 / n^2 = 2 (mean |x|^2 - |mean x|^2).
        x = x.astype(np.float64)
        pairs = 2 * (np.mean(np.sum(x * x, axis=1)) - np.sum(x.mean(axis=0) ** 2))
        if name in ("s_weekday", "s_text", "s_signature", "s_ordinal"):
            # As of a number, the spread is that of the values there are; missing ones are at their mean.
            pairs /= 1 - shares(name)[None]
        assert pairs == pytest.approx(2 * weights.get(name, 1.0) ** 2, rel=1e-4), name


def test_two_categories_are_as_far_apart_as_a_standardized_flag(fitted: Fitted) -> None:
    p = shares("s_weighted")["b"]
    a, b = block(fitted, "s_weighted", "a", "b")
    assert np.linalg.norm(a - b) == pytest.approx(0.5 / math.sqrt(p * (1 - p)), rel=1e-5)


def test_one_hot_places(fitted: Fitted) -> None:
    names = [n for n, o in zip(fitted.transformation.layout.names, fitted.transformation.layout.owners, strict=True)
             if o == "s_rare"]  # fmt: skip
    assert names == ["s_rare=a", "s_rare=b", "s_rare=(other)", "s_rare=(missing)"]
    scale = 1 / math.sqrt(1 - sum(p * p for p in (shares("s_rare")["a"], shares("s_rare")["b"],
                                                  1 - shares("s_rare")["a"] - shares("s_rare")["b"])))  # fmt: skip
    got = block(fitted, "s_rare", "a", "c", "unseen", None)
    np.testing.assert_allclose(got, scale * np.eye(4)[[0, 2, 2, 3]], rtol=1e-5)


def test_a_category_of_another_column_is_unseen(fitted: Fitted) -> None:
    assert np.array_equal(block(fitted, "s_hot", "d"), block(fitted, "s_hot", "unseen"))
    assert not np.array_equal(block(fitted, "s_rare", "b"), block(fitted, "s_rare", "c"))


def test_frequencies(fitted: Fitted) -> None:
    own = shares("s_frequency")
    values = np.array([own[row["s_frequency"]] for row in customers()])
    asked = np.array([own["a"], own["b"], own[None], 0.0])
    got = block(fitted, "s_frequency", "a", "b", None, "unseen")[:, 0]
    np.testing.assert_allclose(got, (asked - values.mean()) / values.std(), rtol=1e-5)
    # Beyond the most frequent ones a category has no share.
    assert block(fitted, "s_few", "b")[0, 0] == block(fitted, "s_few", "unseen")[0, 0]


def test_ranks(fitted: Fitted) -> None:
    low, mid, high, unseen, missing = block(fitted, "s_ordinal", "low", "mid", "high", "other", None)[:, 0]
    assert high - mid == pytest.approx(mid - low, rel=1e-5)
    assert unseen == missing == pytest.approx(0, abs=1e-6)


def test_buckets_are_farmhash(fitted: Fitted) -> None:
    # The fingerprints of FarmHash64 of these words, modulo 8, from its reference implementation's TensorFlow port.
    values = [*(f"city{i}" for i in range(20)), "unseen"]
    places = tf.strings.to_hash_bucket_fast(values, 8).numpy()
    got = block(fitted, "s_hashed", *values, None)
    assert got.shape == (22, 9)
    assert np.argmax(got, axis=1).tolist() == [*places.tolist(), 8]
    assert (np.count_nonzero(got, axis=1) == 1).all()


def test_lists(fitted: Fitted) -> None:
    """y, x and then w or z, by their number of customers, have a place each."""
    got = block(fitted, "s_list", "x;y", "y ; x ; x", "new", "x;new", "", " ; ", None) != 0
    assert got[:, :2].tolist() == [[True] * 2, [True] * 2, [False] * 2, [False, True], *[[False] * 2] * 3]
    assert got[:, -2].tolist() == [False, False, True, True, False, False, False]
    assert got[:, -1].tolist() == [False, False, False, False, True, True, True]


def test_months_are_a_circle(fitted: Fitted) -> None:
    got = block(fitted, "i_month", *range(1, 14), None)
    center = got[:12].mean(axis=0)
    np.testing.assert_allclose(center, 0, atol=1e-6)
    np.testing.assert_allclose(got[0, 0], 0, atol=1e-6)
    assert got[0, 1] > 0
    np.testing.assert_allclose(got[12], got[0], atol=1e-5)
    steps = np.linalg.norm(np.diff(got[:13], axis=0), axis=1)
    np.testing.assert_allclose(steps, steps[0], rtol=1e-5)
    own = shares("i_month")
    mean = sum(own[month] * got[month - 1] for month in range(1, 13))
    np.testing.assert_allclose(got[13], mean, atol=1e-5)


def test_a_weekday_may_be_text(fitted: Fitted) -> None:
    got = block(fitted, "s_weekday", "3", " 3.0 ", "+3", "Monday", None, "10")
    np.testing.assert_allclose(got[:3], got[[0, 0, 0]], atol=1e-6)
    np.testing.assert_array_equal(got[3], got[4])
    np.testing.assert_allclose(got[5], got[0], atol=1e-5)
    assert np.linalg.norm(got[0] - got[4]) > 0.1


@pytest.mark.parametrize(("column", "scale", "weight"), [("s_text", 1.0, 1.0), ("s_signature", 3.0, 2.0)])
def test_text_through_a_model(fitted: Fitted, column: str, scale: float, weight: float) -> None:
    own = {value: share for value, share in shares(column).items() if value}
    table = np.array([expected(text, scale) for text in own])
    share = np.array(list(own.values())) / sum(own.values())
    mean = share @ table
    factor = weight / math.sqrt(np.sum(share @ (table - mean) ** 2))
    asked = ["red", "never seen before", ""]
    got = block(fitted, column, *asked)
    wanted = np.array([expected("red", scale), expected("never seen before", scale), mean])
    np.testing.assert_allclose(got, factor * wanted, rtol=1e-4, atol=1e-5)


def test_a_model_that_gives_no_vectors_is_refused(tmp_path: Path) -> None:
    class Wrong(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
        def __call__(self, text: tf.Tensor) -> tf.Tensor:
            return tf.strings.length(text)

    tf.saved_model.save(Wrong(), str(tmp_path / "wrong"))
    config = {"columns": {"s_a": {"encode": "embedding", "model": str(tmp_path / "wrong")}}}
    with pytest.raises(ValueError, match=r"features.columns.s_a.model: the SavedModel wrong gives int32"):
        Fitted(config, [{"s_a": "x"}], tmp_path)


def test_every_coordinate_has_an_owner(fitted: Fitted) -> None:
    layout = fitted.transformation.layout
    assert len(layout.names) == len(layout.owners) == len(set(layout.names))
    plan = plan_from_dtypes(fitted.config, fitted.dtypes, None)
    assert list(dict.fromkeys(layout.owners)) == plan.names
