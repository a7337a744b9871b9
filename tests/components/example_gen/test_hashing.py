"""Hashes must never change: a customer's split hangs on them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import hashing
from components.example_gen.tally import Tally
from configs.data import DataConfig

_SCALE = 1 << hashing.SPLIT_BITS


def _reference(value: str, seed: int = 0) -> int:
    """The same hash in plain integers."""
    mask, golden = (1 << 64) - 1, 0x9E3779B97F4A7C15

    def mix(h: int) -> int:
        h = (h ^ (h >> 33)) * 0xFF51AFD7ED558CCD & mask
        h = (h ^ (h >> 33)) * 0xC4CEB9FE1A85EC53 & mask
        return h ^ (h >> 33)

    data = value.encode()
    h = mix((len(data) * golden + seed) & mask)
    for at in range(0, len(data), 8):
        word = int.from_bytes(data[at : at + 8], "little")
        h = mix(((h ^ word) * golden + at) & mask)
    return h


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=20))
def test_equals_the_hash_of_each_value_alone(values):
    hashed = hashing.hash_text(pa.array(values, pa.string()))
    assert hashed.tolist() == [_reference(value) for value in values]


def test_does_not_change_between_releases():
    hashed = hashing.hash_text(pa.array(["17850", "", "household-12345678"]))
    assert [f"{value:016x}" for value in hashed.tolist()] == [
        "accb49e403d6958e",
        "0000000000000000",
        "f3ab86bec58ff29f",
    ]
    splits = hashing.split_positions(hashed).tolist()
    assert [f"{value:012x}" for value in splits] == ["accb49e403d6", "000000000000", "f3ab86bec58f"]


def test_a_slice_hashes_as_its_values():
    column = pa.array(["a", "bb", None, "a much longer customer id", "e"])
    assert hashing.hash_text(column[2:]).tolist() == hashing.hash_text(column).tolist()[2:]


def test_missing_differs_from_any_text():
    hashed = hashing.hash_text(pa.array([None, "", "None", None]))
    assert hashed[0] == hashed[3]
    assert len(set(hashed.tolist())) == 3


def test_rows_differ_when_values_change_places():
    one = hashing.hash_rows([pa.array(["a", "b", "ab"]), pa.array(["b", "a", ""])], seed=1)
    assert len(set(one.tolist())) == 3


def test_hashes_spread_evenly_and_buckets_say_nothing_about_splits():
    hashed = hashing.hash_text(pa.array([str(number) for number in range(100_000)]))
    assert len(np.unique(hashed)) == 100_000
    for share in (0.01, 0.2):
        in_eval = hashing.split_positions(hashed) < share * _SCALE
        assert in_eval.mean() == pytest.approx(share, abs=4 * np.sqrt(share / 100_000))
        by_bucket = [in_eval[hashing.buckets(hashed, 8) == bucket].mean() for bucket in range(8)]
        assert by_bucket == pytest.approx([share] * 8, abs=5 * np.sqrt(share / 12_500))
    assert np.bincount(hashing.buckets(hashed, 8)) == pytest.approx([12_500] * 8, rel=0.05)


def _threshold(share, positions):
    data = DataConfig(path="x", eval_share=share)
    return Tally(customers=len(positions), lowest=min(positions), highest=max(positions)).eval_threshold(data)


@settings(deadline=None)
@given(
    # Spread over the whole range: left to itself, hypothesis prefers small numbers.
    st.lists(st.integers(0, 1000).map(lambda n: n * (_SCALE // 1001)), min_size=2, max_size=9, unique=True),
    st.floats(0.001, 0.999),
    st.floats(0.001, 0.999),
)
def test_eval_only_grows_with_its_share_and_no_split_is_empty(positions, share, other):
    small, large = sorted([share, other])
    eval_small = {p for p in positions if p < _threshold(small, positions)}
    eval_large = {p for p in positions if p < _threshold(large, positions)}
    assert eval_small <= eval_large
    for in_eval in (eval_small, eval_large):
        assert 0 < len(in_eval) < len(positions)


@pytest.mark.parametrize(
    ("customers", "share"), [(100, 0.2), (100_000, 0.2), (200_000, 0.1), (1_000_000, 0.02)]
)
def test_auto_share_is_a_fifth_but_at_most_20_000_customers(customers, share):
    tally = Tally(customers=customers, lowest=0, highest=_SCALE - 1)
    assert tally.eval_threshold(DataConfig(path="x")) == round(share * _SCALE)


def test_one_customer_alone_is_in_train():
    assert Tally(customers=1, lowest=5, highest=5).eval_threshold(DataConfig(path="x")) == 0
