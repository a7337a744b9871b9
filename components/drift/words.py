"""What has changed, in sentences."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.drift.histograms import Quantiles
from components.gate.observations import number

# A unit has changed where the whole distribution is multiplied: each of these quantiles by about the same, and by much.
# Those of small counts vary by chance: 2 in one sample, 3 in the next.
_QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95)
_ALIKE, _MUCH = 1.6, 4.0


def missing_words(name: str, then: float, now: float, threshold: float) -> str:
    """Of the shares of customers without a value."""
    return (
        f"{name}: {_percent(now)} of the customers have no value, {_percent(then)} had none "
        f"({_percent(threshold)} more or less is allowed)"
    )


def numeric_words(name: str, then: Quantiles, now: Quantiles, value: float, threshold: float) -> str:
    """Of a numeric feature: its quartiles, and whether it seems to be measured in another unit."""
    quartiles = ("a quarter below", "half below", "three quarters below")
    before, after = then.at([0.25, 0.5, 0.75]), now.at([0.25, 0.5, 0.75])
    changes = ", ".join(
        f"{words} {_short(new)} (was {_short(old)})"
        for words, old, new in zip(quartiles, before, after, strict=True)
    )
    times = multiplied(then, now)
    unit = (
        ""
        if times is None
        else f"; its values are about {_times(times)} what they were: has its unit changed?"
    )
    return f"{name}: Jensen-Shannon divergence {value:.3f}, {threshold:g} is allowed; {changes}{unit}"


def text_words(
    name: str, then: Mapping[str, float], now: Mapping[str, float], value: float, threshold: float
) -> str:
    """Of a text feature: the category whose share has changed most."""
    changes = {each: now.get(each, 0.0) - then.get(each, 0.0) for each in {**then, **now}}
    category = max(sorted(changes), key=lambda each: abs(changes[each]))
    before, after = then.get(category), now.get(category)
    if before is None:
        change = f'"{category}" is new and has {_percent(after or 0.0)} of the customers'
    elif after is None:
        change = f'"{category}" is gone and had {_percent(before)} of the customers'
    else:
        change = f'"{category}" has {_percent(after)} of the customers and had {_percent(before)}'
    return f"{name}: {change}; a change of {value:.3f}, {threshold:g} is allowed"


def segments_words(name: str, then: float, now: float, value: float, threshold: float) -> str:
    """Of the segments' shares: the one that has changed most."""
    return (
        f'segments: population stability index {value:.3f}, {threshold:g} is allowed; most of all, "{name}" has '
        f"{_percent(now)} of the customers and had {_percent(then)}"
    )


def distance_words(then: float, now: float, value: float, threshold: float) -> str:
    """Of the distances of customers to their centroids, by their medians."""
    # Customers that lie on their centroid are at no distance that could be multiplied.
    times = f", {now / then:.2f} times what it was" if then > 0 else ""
    return (
        f"distance to the centroid: Kolmogorov-Smirnov distance {value:.3f}, {threshold:g} is allowed; half of the "
        f"customers are farther than {now:.3g} (was {then:.3g}{times})"
    )


def outlier_words(then: float, now: float, threshold: float) -> str:
    """Of the shares of outliers."""
    return f"outliers: {_percent(now)} of the customers, {_percent(then)} were ({_percent(threshold)} more are allowed)"


def multiplied(then: Quantiles, now: Quantiles) -> float | None:
    """By what all of a distribution has been multiplied; None where it changed otherwise, or not by much."""
    before, after = then.at(_QUANTILES), now.at(_QUANTILES)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (after / before)[(before != 0) & (after != 0)]
    # Two quantiles: of a feature that is mostly zero only the highest are not.
    if ratios.size < 2 or not np.all(np.isfinite(ratios)) or ratios.min() <= 0:
        return None
    times = float(np.median(ratios))
    alike = ratios.max() / times <= _ALIKE and times / ratios.min() <= _ALIKE
    return times if alike and not 1 / _MUCH < times < _MUCH else None


def _times(ratio: float) -> str:
    return f"{ratio:,.3g} times" if ratio >= 1 else f"1/{1 / ratio:,.3g} of"


def _short(value: float) -> str:
    return number(float(f"{value:.4g}"))


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
