"""The smallest change, found by asking: held against intervals that are known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.explanation.counterfactual import Probe, nearest_crossing


def interval(low: float, high: float) -> Probe:
    """A model whose segment is an interval of the feature; what is missing grows with the distance from it."""

    def probe(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        missing = np.maximum(low - values, values - high)
        return missing <= 0, missing

    return probe


@settings(deadline=None)
@given(
    start=st.floats(-1e3, 1e3),
    gap=st.floats(1e-3, 500.0),
    width=st.floats(0.1, 100.0),
    up=st.booleans(),
)
def test_the_end_of_the_interval_to_three_digits(start: float, gap: float, width: float, up: bool) -> None:
    low, high = (start + gap, start + gap + width) if up else (start - gap - width, start - gap)
    found = nearest_crossing(interval(low, high), start, -2000.0, 2000.0, whole=False)
    assert found is not None
    assert low <= found <= high, "in the segment"
    assert gap <= abs(found - start) * (1 + 1e-9)
    assert abs(found - start) <= gap * 1.011 + 1e-9


@pytest.mark.parametrize("log_scale", [False, True])
def test_a_narrow_interval_far_away_is_found(log_scale: bool) -> None:
    shape: Callable[[np.ndarray], np.ndarray] = np.log1p if log_scale else lambda values: values

    def probe(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        missing = np.abs(shape(values) - shape(np.array(77_777.0))) - 1e-6
        return missing <= 0, missing

    found = nearest_crossing(probe, 12.0, 0.0, 1e6, whole=False)
    assert found == pytest.approx(77_777.0, rel=1e-5)


@settings(deadline=None)
@given(start=st.integers(-500, 500), at=st.integers(-1000, 1000))
def test_whole_numbers_are_exact(start: int, at: int) -> None:
    found = nearest_crossing(interval(at, np.inf), float(start), -1000.0, 1000.0, whole=True)
    assert found == max(start, at)


def test_none_within_the_limits() -> None:
    assert nearest_crossing(interval(11.0, np.inf), 5.0, 0.0, 10.0, whole=False) is None
    assert nearest_crossing(interval(10.4, 10.6), 5.0, 0.0, 20.0, whole=True) is None
    assert nearest_crossing(interval(3.0, 4.0), 5.0, 5.0, 5.0, whole=False) is None


def test_rounding_does_not_leave_a_narrow_interval() -> None:
    found = nearest_crossing(interval(123.456, 123.4561), 0.0, 0.0, 1000.0, whole=False)
    assert found is not None
    assert 123.456 <= found <= 123.4561
