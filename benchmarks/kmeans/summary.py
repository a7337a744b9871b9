"""From the fits of a case to one line per contender, and from those to verdicts."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.kmeans.contest import Run

# A contender has reached the best inertia if its median is at most this much above the best median.
REACHED = 0.001


@dataclass(frozen=True)
class Standing:
    """How a contender did in a case; medians over the rounds, unless said otherwise.

    Attributes:
        contender: Its name.
        version: Its package.
        seconds: Of the fit.
        by_baseline: Seconds by those of the case's baseline in the same round; None where that did not run.
        by_best: Seconds by those of the fastest contender that reached the best inertia.
        inertia: By the judge.
        above_best: How far the inertia is above the lowest of all contenders' medians, as a share of that.
        reached: Whether that is at most 0.1 %.
        iterations: Passes.
        peak_mb: Most resident memory in any round, in MiB.
        fit_mb: By how much the fit raised it at most.
        pace: Rows per second of a pass, where the contender tells.
        pace_by_baseline: Pace by that of the baseline in the same round.
    """

    contender: str
    version: str
    seconds: float
    by_baseline: float | None
    by_best: float
    inertia: float
    above_best: float
    reached: bool
    iterations: float
    peak_mb: float
    fit_mb: float
    pace: float | None
    pace_by_baseline: float | None


@dataclass(frozen=True)
class Target:
    """What the project asks of a contender in a case.

    Attributes:
        what: In words.
        contender: Of whom.
        value: What is compared.
        unit: Of the value.
        limit: The value that it may just have.
        goal: A limit that one would like to keep beyond, if any.
        at_least: Whether the limit is a floor; else it is a ceiling.
        needs_inertia: Whether it counts only for a contender that reached the best inertia.
    """

    what: str
    contender: str
    value: Callable[[Standing], float | None]
    unit: str
    limit: float
    goal: float | None = None
    at_least: bool = False
    needs_inertia: bool = False


@dataclass(frozen=True)
class Verdict:
    """Whether a target holds; `holds_goal` is None where there is no goal."""

    what: str
    value: float
    unit: str
    limit: float
    goal: float | None
    at_least: bool
    reached: bool
    holds: bool
    holds_goal: bool | None


def paired_ratio(values: Sequence[float], baseline: Sequence[float]) -> float:
    """The median, over the rounds, of one value by the other: a slow round of the machine slows both."""
    return statistics.median(value / other for value, other in zip(values, baseline, strict=True))


def standings(runs: Mapping[str, Sequence[Run]], baseline: str, rows: int) -> list[Standing]:
    """Sums up the fits of a case.

    Args:
        runs: Contender -> its fits, round by round.
        baseline: The contender that others are compared with; need not have run.
        rows: Number of rows of the case.
    """
    inertias = {name: statistics.median(run.inertia for run in fits) for name, fits in runs.items()}
    seconds = {name: statistics.median(run.seconds for run in fits) for name, fits in runs.items()}
    best = min(inertias.values())
    reached = {name: inertia <= best * (1 + REACHED) for name, inertia in inertias.items()}
    quickest = min(seconds[name] for name in runs if reached[name])
    paces = {name: _paces(fits, rows) for name, fits in runs.items()}
    return [
        Standing(
            contender=name,
            version=fits[0].version,
            seconds=seconds[name],
            by_baseline=_by(_seconds(fits), _seconds(runs.get(baseline))),
            by_best=seconds[name] / quickest,
            inertia=inertias[name],
            above_best=inertias[name] / best - 1 if best else 0.0,
            reached=reached[name],
            iterations=statistics.median(run.iterations for run in fits),
            peak_mb=max(run.peak_mb for run in fits),
            fit_mb=max(run.fit_mb for run in fits),
            pace=None if paces[name] is None else statistics.median(paces[name]),
            pace_by_baseline=_by(paces[name], paces.get(baseline)),
        )
        for name, fits in runs.items()
    ]


def judge_target(target: Target, table: Sequence[Standing]) -> Verdict | None:
    """Says whether a target holds; None if what it asks about was not measured."""
    for standing in table:
        value = target.value(standing) if standing.contender == target.contender else None
        if value is not None:
            counts = standing.reached or not target.needs_inertia
            goal = None if target.goal is None else counts and _keeps(value, target.goal, target.at_least)
            return Verdict(
                what=target.what,
                value=value,
                unit=target.unit,
                limit=target.limit,
                goal=target.goal,
                at_least=target.at_least,
                reached=counts,
                holds=counts and _keeps(value, target.limit, target.at_least),
                holds_goal=goal,
            )
    return None


def _keeps(value: float, limit: float, at_least: bool) -> bool:
    return value >= limit if at_least else value <= limit


def _seconds(fits: Sequence[Run] | None) -> list[float] | None:
    return None if fits is None else [run.seconds for run in fits]


def _paces(fits: Sequence[Run], rows: int) -> list[float] | None:
    """Rows per second of a pass in each fit, or None if the contender does not tell."""
    passes = [run.pass_seconds for run in fits]
    if not all(passes):
        return None
    return [rows * run.iterations / seconds for run, seconds in zip(fits, passes, strict=True)]


def _by(values: Sequence[float] | None, baseline: Sequence[float] | None) -> float | None:
    return None if values is None or baseline is None else paired_ratio(values, baseline)
