import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.report.figures.axis import Axis, round_numbers
from components.report.figures.distributions import FEW, RIDGE, draw_distributions
from components.report.figures.spark import HEIGHT, spark_path

SEGMENTS = [(1, "one"), (2, "two")]


def draw(values, segment_ids=None, segments=SEGMENTS):
    values = np.asarray(values, float)
    ids = np.arange(len(values)) % len(segments) + 1 if segment_ids is None else np.asarray(segment_ids)
    (figure,) = draw_distributions({"spent": values}, ids, segments)
    return figure


def steps(path):
    """The corners of a histogram's path: [n] x and [n] y of its tops."""
    return np.array(re.findall(r"H([\d.-]+)V([\d.-]+)", path), float)[:-1]


def test_shares_and_quantiles_are_numpys():
    rng = np.random.default_rng(0)
    values = rng.normal(50, 9, 4000)
    ids = np.where(rng.random(4000) < 0.1, 1, 2)
    figure = draw(values, ids)
    assert not figure.log
    for strip, own in ((figure.everyone, values), *((s, values[ids == s.id]) for s in figure.strips)):
        assert strip.count == len(own)
        assert strip.quantiles == pytest.approx(np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95]))
        np.testing.assert_allclose(strip.shares, np.histogram(own, figure.edges)[0] / len(own), atol=1e-6)
    assert figure.outside == pytest.approx(1 - sum(figure.everyone.shares), abs=1e-9)


def test_each_shape_reaches_its_own_peak_and_none_leaves_the_picture():
    rng = np.random.default_rng(1)
    figure = draw(np.r_[rng.normal(0, 1, 500), rng.normal(8, 3, 500)], np.repeat([1, 2], 500))
    for strip in (figure.everyone, *figure.strips):
        corners = steps(strip.area)
        assert corners[:, 1].min() == pytest.approx(strip.base - RIDGE, abs=0.06)
        assert corners[:, 1].max() <= strip.base
        assert (corners[:, 0] >= 0).all()
        assert (corners[:, 0] <= figure.width).all()
    # Where the peak is drawn, the values lie.
    left, right = (steps(s.area)[steps(s.area)[:, 1].argmin(), 0] for s in figure.strips)
    assert left < right


def test_amounts_with_a_long_tail_are_drawn_in_logarithmic_steps():
    rng = np.random.default_rng(2)
    figure = draw(np.exp(rng.normal(5, 1.5, 2000)))
    assert figure.log
    assert figure.outside == 0
    assert [tick.text for tick in figure.ticks][:2] in (["1", "10"], ["10", "100"], ["3", "10"])
    # Equal steps of the axis are equal factors, except near 0.
    at = {float(tick.text.replace(",", "")): tick.at for tick in figure.ticks}
    values = sorted(value for value in at if value >= 100)
    if len(values) >= 3:
        first, second, third = (at[value] for value in values[:3])
        assert second - first == pytest.approx(third - second, rel=0.02)


def test_negative_numbers_never_are():
    rng = np.random.default_rng(3)
    assert not draw(np.exp(rng.normal(3, 2, 1000)) - 1).log


def test_a_few_far_out_do_not_squeeze_the_others():
    rng = np.random.default_rng(4)
    figure = draw(np.r_[rng.normal(0, 1, 2000), -1e6, 1e6])
    assert figure.edges[-1] < 10
    assert 0 < figure.outside < 0.01


@pytest.mark.parametrize("high", [2, 25, 73, 400])
def test_whole_numbers_are_not_combed(high):
    values = np.tile(np.arange(high), 40)
    figure = draw(values)
    edges = np.array(figure.edges)
    assert (edges % 1 == 0.5).all()
    # Every number is as frequent as every other, so bins of as many numbers are as full.
    widths = np.diff(edges)
    shares = np.array(figure.everyone.shares)
    np.testing.assert_allclose(shares[:-1] / widths[:-1], shares[0] / widths[0], rtol=1e-4)


def test_few_values_have_quartiles_and_no_shape():
    values = np.arange(100.0)
    ids = np.r_[np.ones(FEW - 1, int), np.full(101 - FEW, 2)]
    figure = draw(values, ids)
    assert figure.strips[0].area == ""
    assert len(figure.strips[0].quartiles) == 3
    assert figure.strips[1].area


def test_missing_values_and_empty_segments():
    values = np.r_[np.arange(50.0), np.full(50, np.nan), np.inf]
    figure = draw(values, np.ones(101, int))
    assert figure.everyone.count == figure.strips[0].count == 50
    assert (figure.strips[1].count, figure.strips[1].quantiles, figure.strips[1].quartiles) == (0, [], [])
    rounding = np.full(30, 0.1) + np.arange(30) * 1e-17
    constant = {
        "same": np.ones(30),
        "rounded": rounding,
        "tiny": np.arange(30) * 5e-324,
        "none": np.full(30, np.nan),
    }
    assert draw_distributions(constant, np.ones(30, int), SEGMENTS) == []


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(-1e300, 1e300) | st.integers(0, 5).map(float), min_size=2, max_size=60).filter(
        lambda values: np.ptp(values) > max(1e-6 * np.abs(values).max(), 1e-100)
    )
)
def test_any_numbers_have_a_picture(values):
    figure = draw(values)
    assert np.isfinite(figure.edges).all()
    assert (np.diff(figure.edges) > 0).all()
    assert 0 <= sum(figure.everyone.shares) <= 1 + 1e-4
    assert "nan" not in figure.everyone.area + figure.outline
    for tick in figure.ticks:
        assert 0 <= tick.at <= figure.width


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(1e-3, 1e9), st.integers(2, 9))
def test_round_numbers_lie_on_the_axis(low, span, most):
    high = low + span
    found = round_numbers(low, high, most)
    assert 1 <= len(found) <= most
    tolerance = 1e-6 * max(abs(low), abs(high), span)
    assert low - tolerance <= found[0] <= found[-1] <= high + tolerance


def test_an_axis_maps_its_ends_to_its_pixels():
    for log in (False, True):
        axis = Axis(0, 999, 10, 110, log)
        np.testing.assert_allclose(axis([0, 999, -5, 5000]), [10, 110, 10, 110])
        np.testing.assert_allclose(axis(axis.values(4)), [10, 35, 60, 85, 110])
    np.testing.assert_allclose(Axis(0, 10, 200, 0)([0, 5, 10]), [200, 100, 0])


def test_a_spark_is_as_high_as_its_cell():
    heights = [float(h) for h in re.findall(r"v-([\d.]+)", spark_path([0.5, 0.25, 0, 0.001]))]
    assert heights == [HEIGHT, HEIGHT / 2, 1]
    assert spark_path([]) == spark_path([0.0]) == ""
