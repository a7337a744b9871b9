from __future__ import annotations

import functools

import numpy as np
import pytest

from components.trainer.kmeans import KMeansError
from components.trainer.kmeans.frame import Frame, power_of_two
from components.trainer.kmeans.sources import open_source
from components.trainer.kmeans.survey import Moments, RowSample, survey


def _rows(n=1_000, d=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)) * [1.0, 50.0, 1e-3] + [0.0, 1e6, 5.0]


@pytest.mark.parametrize("weighted", [False, True])
def test_merged_moments_equal_numpy(weighted):
    rows = _rows()
    weights = np.random.default_rng(1).integers(0, 4, size=len(rows)).astype(float) if weighted else None
    parts = [slice(0, 1), slice(1, 400), slice(400, 1_000)]
    moments = functools.reduce(
        Moments.merge,
        [Moments.none(3)] + [Moments.of(rows[p], None if weights is None else weights[p]) for p in parts],
    )
    moments = Moments.unpack(moments.pack())
    heavy = np.ones(len(rows)) if weights is None else weights
    mean = np.average(rows, axis=0, weights=heavy)
    assert (moments.rows, moments.candidates) == (1_000, np.count_nonzero(heavy))
    assert (moments.weight, moments.peak) == (heavy.sum(), heavy.max())
    np.testing.assert_allclose(moments.mean, mean, rtol=1e-12)
    np.testing.assert_allclose(moments.squares, heavy @ (rows - mean) ** 2, rtol=1e-9)
    np.testing.assert_array_equal([moments.low, moments.high], [rows.min(axis=0), rows.max(axis=0)])


def test_weightless_batches_do_not_divide_by_zero():
    moments = (
        Moments.none(2)
        .merge(Moments.of(np.ones([3, 2]), np.zeros(3)))
        .merge(Moments.of(np.ones([1, 2]), None))
    )
    assert moments.weight == 1.0
    np.testing.assert_array_equal(moments.mean, [1.0, 1.0])


def test_the_frame_centres_and_bounds_the_data_and_is_undone():
    rows = _rows().astype(np.float32)
    frame = Moments.of(rows, None).frame()
    entered = frame.enter(rows)
    assert entered.dtype == np.float32 and np.abs(entered).max() <= 1.0
    np.testing.assert_allclose(entered.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(frame.leave(entered.astype(np.float64)), rows, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(frame.enter_tensor(rows), entered)


def test_a_unit_is_a_power_of_two_that_rounds_nothing():
    assert [power_of_two(v) for v in (0.0, 0.3, 1.0, 1.5, 4.0)] == [1.0, 0.5, 1.0, 2.0, 4.0]
    assert Frame.identity(2).inertia_unit == 1.0


def test_a_sample_does_not_depend_on_batches():
    rows = _rows(5_000)
    samples = []
    for batch in (5_000, 700, 33):
        sample = RowSample(100, 3, [7, 0])
        for start in range(0, len(rows), batch):
            sample.offer(rows[start : start + batch], None)
        sample.shrink(100)
        samples.append(sample.take()[0])
    assert samples[0].shape == (100, 3)
    np.testing.assert_array_equal(samples[0], samples[1])
    np.testing.assert_array_equal(samples[0], samples[2])


def test_a_sample_is_uniform_in_order_and_skips_rows_without_weight():
    hits = np.zeros(200)
    for seed in range(400):
        sample = RowSample(50, 1, [seed, 0])
        weights = np.tile([1.0, 3.0, 0.0, 1.0], 50)
        sample.offer(np.arange(200.0)[:, None], weights)
        sample.shrink(50)
        rows, kept = sample.take()
        drawn = rows[:, 0].astype(int)
        assert (np.diff(drawn) > 0).all()
        np.testing.assert_array_equal(kept, weights[drawn])
        hits[drawn] += 1
    assert hits[2::4].sum() == 0
    candidates = np.delete(hits, np.arange(2, 200, 4))
    # 400 draws with probability 1/3: mean 133, standard deviation 9.4; five of those either way.
    assert candidates.min() > 86 and candidates.max() < 181


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_bad_value_is_refused_with_its_row_and_column(bad):
    rows = _rows(40_000)
    rows[31_234, 1] = bad
    with pytest.raises(KMeansError, match=r"row 31234, column 1 \(counted from 0\) is"):
        survey(open_source(rows, None), 10, [0, 0])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_bad_weight_is_refused_with_its_row(bad):
    weights = np.ones(40_000)
    weights[20_001] = bad
    with pytest.raises(KMeansError, match="sample_weight: row 20001 "):
        survey(open_source(_rows(40_000), weights), 10, [0, 0])
