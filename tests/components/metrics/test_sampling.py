"""Samples that depend on the rows, not on their order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.metrics.sampling import draw, sample_rows, text_keys


@settings(deadline=None)
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


def test_a_smaller_sample_is_the_beginning_of_a_larger_one() -> None:
    rows = np.random.default_rng(0).random((300, 2))
    np.testing.assert_array_equal(sample_rows(rows, 20), sample_rows(rows, 200)[:20])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=20), st.integers(0, 5))
def test_keys_of_texts_are_those_of_each_alone(texts: list[bytes], skipped: int) -> None:
    def keys(strings: list[bytes], before: bytes = b"") -> list[int]:
        values = np.frombuffer(before + b"".join(strings), np.uint8)
        offsets = len(before) + np.cumsum([0, *map(len, strings)])
        return text_keys(values, offsets).tolist()

    together = keys(texts, before=b"#" * skipped)
    assert together == [keys([text])[0] for text in texts]
    # Different texts: with 64 bits, a handful never collides by chance.
    assert len(set(together)) == len(set(texts))


def test_texts_are_drawn_as_likely_as_rows() -> None:
    texts = [f"customer {n}".encode() for n in range(2_000)]
    keys = text_keys(np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)]))
    counts = np.zeros(len(keys))
    for seed in range(200):
        counts[draw(keys, 500, seed)] += 1
    assert counts.std() == pytest.approx(6.1, rel=0.1)
