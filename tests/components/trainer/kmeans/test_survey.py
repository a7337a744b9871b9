from __future__ import annotations

import functools

import numpy as np
import pytest

from components.trainer.kmeans import KMeansError
from components.trainer.kmeans.frame import directions, power_of_two
from components.trainer.kmeans.sources import open_source
from components.trainer.kmeans.survey import Moments, survey


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
    assert (moments.weight, moments.peak, moments.least) == (heavy.sum(), heavy.max(), heavy[heavy > 0].min())
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
    frame = Moments.of(rows, None).frame(spherical=False)
    entered = frame.enter(rows)
    assert entered.dtype == np.float32 and np.abs(entered).max() <= 1.0
    np.testing.assert_allclose(entered.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(frame.leave(entered.astype(np.float64)), rows, rtol=1e-6, atol=1e-6)
    assert frame.enter_weights(rows, None) is None


def test_a_unit_is_a_power_of_two_that_rounds_nothing():
    assert [power_of_two(v) for v in (0.0, 0.3, 1.0, 1.5, 4.0)] == [1.0, 0.5, 1.0, 2.0, 4.0]


def test_the_spherical_frame_keeps_directions_and_leaves_out_rows_without_one():
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [1e-200, 1e-200], [1e30, 0.0]])
    moments, _ = survey(open_source(rows, None), spherical=True)
    frame = moments.frame(spherical=True)
    assert (moments.rows, moments.candidates, moments.weight) == (4, 3, 3.0)
    np.testing.assert_allclose(
        frame.enter(rows), [[0.6, 0.8], [0, 0], [0.5**0.5, 0.5**0.5], [1, 0]], rtol=1e-6
    )
    np.testing.assert_array_equal(frame.enter_weights(rows, None), [1.0, 0.0, 1.0, 1.0])
    assert moments.spread(frame) == pytest.approx(3.0)  # three rows of length 1
    np.testing.assert_array_equal(directions(rows[1:2]), [[0.0, 0.0]])


@pytest.mark.parametrize("columns", [1, 3, 300])
def test_extremes_are_found_in_rows_of_any_width(columns):
    rows = np.random.default_rng(0).normal(size=(1_003, columns)).astype(np.float32)
    moments = Moments.of(rows, None)
    np.testing.assert_array_equal([moments.low, moments.high], [rows.min(axis=0), rows.max(axis=0)])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e200])
def test_a_bad_value_is_refused_with_its_row_and_column(bad):
    rows = _rows(40_000)
    rows[31_234, 1] = bad
    with pytest.raises(KMeansError, match=r"row 31234, column 1 \(counted from 0\) is"):
        survey(open_source(rows, None))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_a_bad_weight_is_refused_with_its_row(bad):
    weights = np.ones(40_000)
    weights[20_001] = bad
    with pytest.raises(KMeansError, match="sample_weight: row 20001 "):
        survey(open_source(_rows(40_000), weights))
