"""The rule, on figures made up for each of its cases."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.errors import DataError
from components.tuner.choice import Bounds, choose, compared_with_none, score, score_of
from components.tuner.sweep import Candidate

BOUNDS = Bounds(stability=0.5, smallest_segment_share=0.01)


def candidate(
    k: int, silhouette: float | None, stability: float | None = 1.0, share: float = 0.1
) -> Candidate:
    """A candidate whose score is its silhouette, where it is stable."""
    index = None if silhouette is None else 1 / silhouette - 1
    assert silhouette is None or silhouette > 0
    reason = BOUNDS.objection(share, stability, score(silhouette, index, stability))
    return Candidate(k, 1.0, silhouette, index, stability, share, not reason, reason, 0.0)


def test_the_score_is_separation_times_stability() -> None:
    assert score(1.0, 0.0, 1.0) == 1.0
    assert score(0.5, 1.0, 0.8) == pytest.approx((0.5 + 0.5) / 2 * 0.8)
    assert score(0.5, 1.0, -0.1) == 0.0
    for missing in ((None, 1.0, 1.0), (0.5, None, 1.0), (0.5, 1.0, None)):
        assert score(*missing) is None


@given(st.floats(-1, 1), st.floats(0, 100), st.floats(0.01, 1), st.floats(1e-3, 0.5))
def test_better_figures_never_score_lower(
    silhouette: float, index: float, stability: float, step: float
) -> None:
    at = score(silhouette, index, stability)
    better_silhouette = score(silhouette + step, index, stability)
    better_index = score(silhouette, index / (1 + step), stability)
    assert at is not None and better_silhouette is not None and better_index is not None
    assert better_silhouette > at
    assert better_index >= at


def test_the_best_score_wins() -> None:
    chosen, reason = choose([candidate(2, 0.5), candidate(3, 0.9), candidate(4, 0.8)], BOUNDS, 0.01)
    assert chosen == 3
    assert reason == "k = 3 scores best, 0.900 (silhouette 0.900, Davies-Bouldin 0.111, stability 1.00)."


def test_the_smallest_within_the_tolerance_wins() -> None:
    candidates = [candidate(2, 0.5), candidate(3, 0.885), candidate(4, 0.895), candidate(5, 0.9)]
    chosen, reason = choose(candidates, BOUNDS, 0.01)
    assert chosen == 4
    assert "is within 0.01 of the best, 0.900 at k = 5." in reason
    assert choose(candidates, BOUNDS, 0.02)[0] == 3
    assert choose(candidates, BOUNDS, 0.0)[0] == 5
    assert choose(candidates, BOUNDS, 1.0)[0] == 2


def test_a_sliver_of_a_segment_is_not_eligible_however_well_separated() -> None:
    """The published pitfall: a few extreme customers in a segment of their own score best."""
    sliver = candidate(3, 0.9, share=15 / 3920)
    assert not sliver.eligible
    assert sliver.reason == "a segment has 0.38 % of the customers; at least 1 % is needed"
    chosen, reason = choose([candidate(2, 0.4), sliver, candidate(4, 0.6)], BOUNDS, 0.01)
    assert chosen == 4
    assert reason.endswith(
        "k = 3 would score 0.900, but a segment has 0.38 % of the customers; at least 1 % is needed."
    )


def test_bounds_are_met_by_what_reaches_them() -> None:
    assert BOUNDS.objection(0.01, 0.5, 0.3) == ""
    assert BOUNDS.objection(0.0099, 0.49, 0.3).count(";") == 2
    assert Bounds(0.5).objection(0.0001, 0.9, 0.3) == ""


def test_an_unstable_candidate_is_not_eligible() -> None:
    shaky = candidate(5, 0.95, stability=0.45)
    assert shaky.reason == "stability 0.45 is below 0.5"
    assert choose([candidate(2, 0.3), shaky], BOUNDS, 0.01)[0] == 2


def test_without_an_eligible_one_the_best_of_the_stable_is_chosen_and_it_says_so() -> None:
    candidates = [candidate(2, 0.5, share=0.001), candidate(3, 0.7, share=0.002), candidate(4, 0.9, 0.2)]
    chosen, reason = choose(candidates, BOUNDS, 0.01)
    assert chosen == 3
    assert reason.startswith("No candidate is eligible. Of the stable ones k = 3 scores best")
    assert reason.endswith("But a segment has 0.2 % of the customers; at least 1 % is needed.")


def test_without_a_stable_one_the_smallest_is_chosen_and_it_says_so() -> None:
    candidates = [candidate(2, 0.3, 0.2), candidate(3, 0.4, 0.3), candidate(9, 0.9, 0.4)]
    chosen, reason = choose(candidates, BOUNDS, 0.01)
    assert chosen == 2
    assert reason == (
        "No number of segments is stable: the steadiest, k = 9, reaches 0.40 where 0.5 is needed. The customers "
        "suggest no number, so k = 2, the smallest, was taken."
    )


def test_what_cannot_be_judged_is_not_chosen() -> None:
    nothing = Candidate(2, 0.0, None, None, None, 0.0, False, "rows of only 1 different kinds", 0.0)
    assert choose([nothing, candidate(3, 0.1, 0.1)], BOUNDS, 0.01)[0] == 3
    with pytest.raises(DataError, match=r"not even k = 2 can be judged: rows of only 1 different kinds"):
        choose([nothing], BOUNDS, 0.01)


@given(
    st.lists(
        st.tuples(st.floats(0.01, 1), st.none() | st.floats(-0.2, 1), st.floats(0, 0.5)),
        min_size=1,
        max_size=12,
    ),
    st.floats(0, 0.2),
)
def test_whatever_the_figures_the_choice_is_a_judged_candidate_near_the_best(
    figures: list[tuple[Any, ...]], tolerance: float
) -> None:
    candidates = [candidate(k, *values) for k, values in enumerate(figures, 2)]
    judged = {c.k: c for c in candidates if score_of(c) is not None}
    if not judged:
        with pytest.raises(DataError):
            choose(candidates, BOUNDS, tolerance)
        return
    chosen, reason = choose(candidates, BOUNDS, tolerance)
    assert f"k = {chosen}" in reason and reason.endswith(".")
    eligible = [c for c in judged.values() if c.eligible]
    if eligible:
        best = max(score_of(c) or -math.inf for c in eligible)
        near = [c.k for c in eligible if (score_of(c) or -math.inf) >= best - tolerance]
        assert chosen == min(near)


def test_a_continuum_is_called_one() -> None:
    assert "divide a continuum" in compared_with_none(0.54, 0.51)
    assert "divide a continuum" in compared_with_none(0.3, 0.51)
    assert compared_with_none(0.9, 0.4) == ""
    assert compared_with_none(0.9, None) == ""
