import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist
from sklearn.metrics import silhouette_samples

from components.report.figures.silhouette import HEIGHT, LEAST, draw_silhouettes
from components.report.silhouettes import silhouettes


@settings(max_examples=60, deadline=None)
@given(st.integers(3, 60), st.integers(1, 5), st.integers(2, 6), st.integers(0, 2**32 - 1), st.booleans())
def test_equal_scikit_learns(n, d, k, seed, duplicates):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) * 10 ** rng.uniform(-3, 3) + rng.normal() * 100
    if duplicates:
        rows = rows[rng.integers(0, max(n // 3, 1), n)]
    labels = rng.integers(0, k, n)
    if not 2 <= len(set(labels.tolist())) < n:
        return
    # From exact distances: scikit-learn's own lose digits far from the origin.
    expected = silhouette_samples(cdist(rows, rows), labels, metric="precomputed")
    np.testing.assert_allclose(silhouettes(rows, labels), expected, atol=1e-5)


def test_more_rows_than_a_block():
    rng = np.random.default_rng(0)
    rows, labels = rng.normal(size=(1200, 4)).astype(np.float32), rng.integers(5, 8, 1200)
    expected = silhouette_samples(rows.astype(np.float64), labels)
    np.testing.assert_allclose(silhouettes(rows, labels), expected, atol=1e-9)


@pytest.mark.parametrize("labels", [[1, 1, 1], [1, 2, 3], []])
def test_undefined(labels):
    rows = np.arange(2.0 * len(labels)).reshape(-1, 2)
    assert np.isnan(silhouettes(rows, labels)).all()
    assert draw_silhouettes(silhouettes(rows, labels), np.array(labels, int), [(1, "a")], "eval") is None


def test_picture():
    values = np.array([0.1, 0.9, 0.5, -0.25] + [0.3] * 396)
    ids = np.array([1, 1, 1, 1] + [2] * 396)
    plot = draw_silhouettes(values, ids, [(1, "a"), (2, "b"), (3, "c")], "eval")
    first, second, third = plot.blades
    assert first.values == [0.9, 0.5, 0.1, -0.25]
    assert (first.count, first.below) == (4, 0.25)
    assert first.mean == pytest.approx(0.3125)
    assert (third.count, third.mean, third.area) == (0, None, "")
    # The line of the mean is where its value is on the axis.
    ticks = {float(tick.text): tick.at for tick in plot.ticks}
    assert plot.zero == ticks[0]
    unit = ticks[0.5] - ticks[0]
    assert (plot.mean_at - plot.zero) / unit * 0.5 == pytest.approx(values.mean(), abs=2e-3)
    tips = [float(x) for x in re.findall(r"H([\d.]+)V", first.area)]
    assert [(x - plot.zero) / unit * 0.5 for x in tips] == pytest.approx(first.values, abs=2e-3)
    # Heights are in proportion; a sliver still has room for its number.
    assert second.top - first.top >= LEAST
    ys = [float(y) for y in re.findall(r"V([\d.]+)", second.area)]
    assert ys[-1] - second.top == pytest.approx(HEIGHT * 396 / 400, abs=0.2)


def test_many_rows_are_thinned_evenly():
    values = np.linspace(-0.5, 1, 5000)
    plot = draw_silhouettes(values, np.repeat([1, 2], 2500), [(1, "a"), (2, "b")], "eval")
    shown = np.array(plot.blades[0].values)
    assert len(shown) < 200
    assert (shown[0], shown[-1]) == (round(values[2499], 3), -0.5)
    assert plot.blades[0].mean == pytest.approx(values[:2500].mean())
