"""Landmarks and ranks between them, against NumPy."""

from __future__ import annotations

import pickle

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.quantiles import STEPS, _QuantilesFn, quantile, uniform_rank

SHARES = np.linspace(0, 1, STEPS + 1)


def analyzed(batches: list[np.ndarray]) -> np.ndarray:
    """As Beam does: two bundles, one of them sent over a wire, merged."""
    fn = _QuantilesFn(batches[0].shape[1])
    accumulators = [fn.create_accumulator(), fn.create_accumulator()]
    for i, batch in enumerate(batches):
        accumulators[i % 2] = fn.add_input(accumulators[i % 2], (batch,))
    sent = pickle.loads(pickle.dumps(fn.compact(accumulators[0])))
    return fn.extract_output(fn.merge_accumulators([sent, accumulators[1]]))


def test_ranks_are_within_the_tolerance() -> None:
    x = np.random.default_rng(0).lognormal(size=(200_000, 2)) + 1e12
    table = analyzed(list(x.reshape(50, -1, 2)))
    assert table.shape == (2, STEPS + 1)
    for j in range(2):
        ordered = np.sort(x[:, j])
        ranks = np.searchsorted(ordered, table[j]) / len(x)
        assert np.abs(ranks - SHARES).max() < 0.001
        assert table[j, 0] == ordered[0]
        assert table[j, -1] == ordered[-1]


def test_columns_without_values_keep_their_place() -> None:
    x = np.array([[np.nan, 1, np.nan, 5], [np.nan, 2, np.nan, np.nan], [np.nan, 3, np.nan, np.nan]])
    table = analyzed([x, x[:0]])
    np.testing.assert_array_equal(table[[0, 2]], 0)
    np.testing.assert_array_equal(table[3], 5)
    assert table[1, [0, STEPS // 2, STEPS]].tolist() == [1, 2, 3]
    assert not analyzed([x[:0]]).any()


def test_a_quantile_is_linear_between_landmarks() -> None:
    table = np.sort(np.random.default_rng(1).normal(size=(3, STEPS + 1)))
    shares = [0.0123, 0.5, 1.0]
    expected = [np.interp(share, SHARES, row) for share, row in zip(shares, table, strict=True)]
    np.testing.assert_allclose(quantile(tf.constant(table), shares), expected, rtol=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(-20, 20), min_size=2, max_size=60),
    st.lists(st.floats(-30, 30, allow_subnormal=False), min_size=1, max_size=30),
)
def test_a_rank_is_the_mean_of_interpolation_from_both_sides(data: list[int], asked: list[float]) -> None:
    """scikit-learn's definition, but where an end is shared by several landmarks."""
    table = np.quantile(np.array(data, float), SHARES, method="inverted_cdf")
    x = np.array([*asked, *data], float)
    got = uniform_rank(tf.constant(x[:, None]), tf.constant(table[None]))[:, 0].numpy()
    both = (np.interp(x, table, SHARES) - np.interp(-x, -table[::-1], -SHARES[::-1])) / 2
    inner = (x > table[0]) & (x < table[-1])
    np.testing.assert_allclose(got[inner], both[inner], atol=1e-9)
    np.testing.assert_array_equal(got[x < table[0]], 0)
    np.testing.assert_array_equal(got[x > table[-1]], 1)
    order = np.argsort(x, kind="stable")
    assert np.all(np.diff(got[order]) >= -1e-12)
