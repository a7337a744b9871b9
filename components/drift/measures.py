"""How far two samples are apart, and how far apart chance alone puts them. NumPy and SciPy only."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.stats import chi2, norm

# An unchanged population exceeds what `chance_of_...` says in one of so many comparisons. A run makes dozens.
RARE = 1e-5

Numbers = npt.NDArray[np.float64]


def population_stability_index(then: npt.ArrayLike, now: npt.ArrayLike) -> float:
    """sum((now - then) * ln(now / then)) over the shares of the groups.

    Siddiqi, Credit Risk Scorecards (2006), where below 0.1 is stable and above 0.25 a major shift. Half a customer
    is added to each group, so that one which is empty makes it large and not infinite.

    Args:
      then: customers by group, [groups].
      now: the same groups, [groups].
    """
    shares = [(counts + 0.5) / (counts + 0.5).sum() for counts in (_numbers(then), _numbers(now))]
    return float(np.sum((shares[1] - shares[0]) * np.log(shares[1] / shares[0])))


def kolmogorov_smirnov(percentiles: npt.ArrayLike, sample: npt.ArrayLike) -> float:
    """The largest difference of two distribution functions, one of them known by its percentiles.

    It is looked for at the percentiles: with 101 of them it is within 0.01 of that of the whole samples.

    Args:
      percentiles: quantiles 0, 1 / (n - 1), ..., 1 of one sample, [n], ascending.
      sample: the other sample, [m], in any order.
    """
    points, ordered = _numbers(percentiles), np.sort(_numbers(sample))
    shares = np.linspace(0.0, 1.0, len(points))
    gaps = []
    sides: tuple[tuple[Literal["left", "right"], int], ...] = (("right", -1), ("left", 0))
    for side, index in sides:
        # Where percentiles are equal the function jumps: from the first of them to the last.
        then = shares[np.searchsorted(points, points, side) + index]
        gaps.append(np.abs(np.searchsorted(ordered, points, side) / len(ordered) - then).max())
    return float(max(gaps))


def chance_of_stability_index(groups: int, then: float, now: float) -> float:
    """What the index of samples of one population stays below.

    It is distributed as (1 / then + 1 / now) times chi-squared with groups - 1 degrees of freedom: Yurdakul,
    Statistical Properties of Population Stability Index (2018).

    Args:
      groups: their number.
      then, now: customers in the two samples.
    """
    return float(chi2.isf(RARE, groups - 1)) * (1 / then + 1 / now) if groups > 1 else 0.0


def chance_of_divergence(groups: int, then: float, now: float) -> float:
    """What the Jensen-Shannon divergence, in bits, of samples of one population stays below.

    For shares close to each other it is the stability index divided by 8 ln 2: both are f-divergences, and those
    are proportional to chi-squared there (Csiszar and Shields, Information Theory and Statistics, 2004).
    """
    return chance_of_stability_index(groups, then, now) / (8 * math.log(2))


def chance_of_distance(then: float, now: float) -> float:
    """What the Kolmogorov-Smirnov distance of samples of one population stays below (Smirnov, 1948)."""
    return math.sqrt(math.log(2 / RARE) / 2 * (1 / then + 1 / now))


def chance_of_share(share: float, then: float, now: float) -> float:
    """What the difference of a share in samples of one population stays below.

    Args:
      share: in both samples together.
      then, now: customers in the two samples.
    """
    # A share of 0 in both says only that it is below about one customer.
    share = min(max(share, 1 / (then + now)), 0.5)
    return float(norm.isf(RARE / 2)) * math.sqrt(share * (1 - share) * (1 / then + 1 / now))


def _numbers(values: npt.ArrayLike) -> Numbers:
    return np.asarray(values, np.float64)
