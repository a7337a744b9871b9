"""Columns as numbers."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from components.selection.encoding import MOST_CATEGORIES, blocks, encode


def test_categories_are_coded_by_frequency() -> None:
    found = encode("plan", "categorical", pa.array([b"b", b"a", None, b"b", b"", b"c", b"c"]))
    # Where equally frequent, by name.
    assert np.array_equal(found.values, [0, 2, np.nan, 0, np.nan, 1, 1], equal_nan=True)
    assert found.missing == pytest.approx(2 / 7) and found.rest is None
    assert found.codes.tolist() == [0, 2, 3, 0, 3, 1, 1]


def test_numbers_may_be_codes_and_ranks() -> None:
    assert encode("code", "categorical", pa.array([7, 7, 1])).values.tolist() == [0, 0, 1]
    ranked = encode("size", "categorical", pa.array([b"L", b"S", b"?"]), order=["S", "M", "L"])
    assert ranked.kind == "numeric"
    assert np.array_equal(ranked.values, [2, 0, np.nan], equal_nan=True)


def test_infinities_are_missing_and_nothing_breaks_without_values() -> None:
    assert encode("x", "numeric", pa.array([1.0, float("inf"), None])).missing == pytest.approx(2 / 3)
    empty = encode("x", "numeric", pa.nulls(4))
    assert empty.missing == 1 and empty.commonest[1] == 1
    assert blocks(empty).shape == (4, 1)
    assert encode("x", "categorical", pa.nulls(4)).missing == 1


def test_many_categories_are_capped() -> None:
    words = [f"w{n % 100_000}".encode() for n in range(120_000)] + [b"often"] * 50
    found = encode("name", "categorical", pa.array(words))
    assert found.rest == MOST_CATEGORIES and found.distinct == MOST_CATEGORIES + 1
    assert found.commonest[0] == MOST_CATEGORIES and found.commonest[1] > 0.99
    assert (found.values == 0).sum() == 50, "the most frequent word is the first"
    assert blocks(found).shape == (len(words), MOST_CATEGORIES + 1)


def test_blocks_are_standardized_and_missing_has_a_place() -> None:
    rng = np.random.default_rng(0)
    values = rng.lognormal(size=5000)
    values[:500] = np.nan
    block = blocks(encode("x", "numeric", pa.array(values, from_pandas=True)))
    assert block.shape == (5000, 2)
    assert block[:, 0].mean() == pytest.approx(0, abs=1e-9) and block[:, 0].std() == pytest.approx(1)
    assert block[:, 1].tolist() == [1.0] * 500 + [0.0] * 4500
    low, high = np.nanquantile(values, (0.01, 0.99))
    clipped = np.clip(values[500:], low, high)
    assert np.corrcoef(block[500:, 0], clipped)[0, 1] == pytest.approx(1), "linear between the percentiles"
    assert len(np.unique(block[:500, 0])) == 1, "the median"


def test_rare_values_are_not_clipped_away() -> None:
    values = np.zeros(1000)
    values[:5] = 1.0
    assert blocks(encode("x", "numeric", pa.array(values))).std() == pytest.approx(1)
