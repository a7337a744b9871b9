"""Samples that depend on the rows, not on their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.metrics.sampling import sample_rows


@given(st.integers(0, 60), st.integers(0, 70), st.integers(0, 5), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(n: int, size: int, seed: int, random) -> None:
    rows = np.random.default_rng(n).integers(0, 3, (n, 2)).astype(np.float32)
    shuffled = rows[random.sample(range(n), n)]
    np.testing.assert_array_equal(
        rows[sample_rows(rows, size, seed)], shuffled[sample_rows(shuffled, size, seed)]
    )


def test_draws_without_replacement() -> None:
    rows = np.random.default_rng(0).random((1000, 3))
    drawn = sample_rows(rows, 100)
    assert len(set(drawn.tolist())) == 100
    assert sorted(sample_rows(rows, 5000).tolist()) == list(range(1000))
    assert not np.array_equal(drawn, sample_rows(rows, 100, seed=1))


def test_equal_rows_are_drawn_one_by_one() -> None:
    rows = np.repeat([[0.0, 1.0], [2.0, 3.0]], [30_000, 10_000], axis=0)
    drawn = rows[sample_rows(rows, 4_000)]
    # Binomial with a standard deviation of 0.7 %.
    assert (drawn[:, 0] == 0).mean() == pytest.approx(0.75, abs=0.03)


def test_every_row_is_as_likely() -> None:
    rows = np.arange(2_000.0)[:, None]
    counts = np.zeros(len(rows))
    for seed in range(200):
        counts[sample_rows(rows, 500, seed)] += 1
    # 200 draws of a quarter: 50 on average, with a standard deviation of 6.
    assert counts.mean() == 50
    assert counts.std() == pytest.approx(6.1, rel=0.1)


def test_negative_zero_is_zero() -> None:
    rows = np.linspace(0, 1, 50)[:, None]
    negative = np.where(rows == 0, -0.0, rows)
    np.testing.assert_array_equal(sample_rows(rows, 10), sample_rows(negative, 10))
