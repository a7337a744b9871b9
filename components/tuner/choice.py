"""The rule that turns a sweep into a number of segments. Plain Python."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from components.errors import DataError
from components.tuner.sweep import Candidate

# A silhouette that is no higher than this above that of evenly spread customers says nothing of groups.
GROUPS = 0.05


@dataclass(frozen=True)
class Bounds:
    """What a candidate must reach to be eligible."""

    stability: float
    smallest_segment_share: float | None = None

    def objection(self, share: float, stability: float | None, score: float | None) -> str:
        """Why a candidate with these figures is not eligible; empty if it is."""
        if stability is None:
            return "its stability cannot be measured: half of the customers cannot make so many segments"
        if score is None:
            return "its segments cannot be compared: some coincide, or each is a single customer"
        problems = []
        least = self.smallest_segment_share
        if least is not None and share < least:
            problems.append(
                f"a segment has {_percent(share)} of the customers; at least {_percent(least)} is needed"
            )
        if stability < self.stability:
            problems.append(f"stability {stability:.2f} is below {self.stability:g}")
        return "; ".join(problems)


def score(silhouette: float | None, davies_bouldin: float | None, stability: float | None) -> float | None:
    """How good a candidate is; 1 at best, None where a part of it is undefined.

        (silhouette + 1 / (1 + Davies-Bouldin)) / 2 * max(stability, 0)

    The first factor is how well the segments are separated; Davies-Bouldin, which is 0 at best and has no upper
    bound, is turned to the silhouette's scale. The second is how much of that comes back with other customers.
    """
    if silhouette is None or davies_bouldin is None or stability is None:
        return None
    return (silhouette + 1 / (1 + davies_bouldin)) / 2 * max(stability, 0.0)


def score_of(candidate: Candidate) -> float | None:
    """`score` of a candidate's figures."""
    return score(candidate.silhouette, candidate.davies_bouldin, candidate.stability)


def choose(candidates: Sequence[Candidate], bounds: Bounds, tolerance: float) -> tuple[int, str]:
    """Picks the smallest k whose score is within `tolerance` of the best of those that may be chosen.

    These are the eligible candidates. Where there are none, they are those that are stable, so that the evaluation
    refuses the best there is; and where none is stable, the smallest alone: scores of segments that do not come
    back rank nothing.

    Args:
      candidates: ascending k.
      bounds: that decided who is eligible.
      tolerance: on the score.

    Returns:
      The number of segments, and why, in a sentence or two.

    Raises:
      DataError: no candidate could be fitted and judged.
    """
    judged = [c for c in candidates if score_of(c) is not None]
    if not judged:
        first = candidates[0]
        raise DataError(f"model.k is auto, but not even k = {first.k} can be judged: {first.reason}")
    eligible = [c for c in judged if c.eligible]
    stable = [c for c in judged if c.stability is not None and c.stability >= bounds.stability]
    if not eligible and not stable:
        steadiest = max(judged, key=lambda c: c.stability or -1.0)
        return judged[0].k, (
            f"No number of segments is stable: the steadiest, k = {steadiest.k}, reaches {steadiest.stability:.2f} "
            f"where {bounds.stability:g} is needed. The customers suggest no number, so k = {judged[0].k}, the "
            "smallest, was taken."
        )
    chosen, why = _smallest_near_best(eligible or stable, tolerance)
    if not eligible:
        return chosen.k, f"No candidate is eligible. Of the stable ones {why} But {chosen.reason}."
    better = [c for c in judged if not c.eligible and _number(c) > _number(chosen) + tolerance]
    if better:
        other = max(better, key=_number)
        why += f" k = {other.k} would score {_number(other):.3f}, but {other.reason}."
    return chosen.k, why


def _smallest_near_best(pool: Sequence[Candidate], tolerance: float) -> tuple[Candidate, str]:
    best = max(pool, key=_number)
    chosen = next(c for c in pool if _number(c) >= _number(best) - tolerance)
    figures = (
        f"silhouette {chosen.silhouette:.3f}, Davies-Bouldin {chosen.davies_bouldin:.3f}, "
        f"stability {chosen.stability:.2f}"
    )
    if chosen is best:
        return chosen, f"k = {chosen.k} scores best, {_number(chosen):.3f} ({figures})."
    return chosen, (
        f"k = {chosen.k} is the smallest whose score, {_number(chosen):.3f} ({figures}), is within {tolerance:g} of "
        f"the best, {_number(best):.3f} at k = {best.k}."
    )


def compared_with_none(silhouette: float | None, reference: float | None) -> str:
    """What to make of a silhouette beside that of customers who are spread evenly: a sentence, or nothing."""
    if silhouette is None or reference is None or silhouette > reference + GROUPS:
        return ""
    return (
        f"Customers spread evenly over the same ranges would reach a silhouette of {reference:.3f}, so these "
        "segments divide a continuum more than they find groups."
    )


def _number(candidate: Candidate) -> float:
    value = score_of(candidate)
    return -1.0 if value is None else value


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %"
