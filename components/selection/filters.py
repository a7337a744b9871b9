"""The filters: what can be said of features without judging what they are good for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.selection.associations import correlation_ratio, correlations, cramers_v
from components.selection.encoding import MOST_CATEGORIES, Encoded, stack
from components.selection.judged import Dropped, Preferred
from components.trainer.words import format_share
from configs.selection import FiltersConfig

# Numbers that differ less than this, relative to their size, are the same in the float32 that the model computes with.
_RESOLUTION = 1e-6


def filter_features(
    features: Sequence[Encoded], config: FiltersConfig, preferred: Preferred
) -> dict[str, Dropped]:
    """Drops what is mostly missing, nearly constant, or told by another feature.

    Args:
      features: of the same customers.
      config: the limits.
      preferred: what is never dropped, and what more readily stays.

    Returns:
      Feature -> why it is dropped.
    """
    dropped: dict[str, Dropped] = {}
    for feature in features:
        if feature.name not in preferred.always:
            found = _missing(feature, config.missing, preferred) or _constant(
                feature, config.near_constant, preferred
            )
            if found:
                dropped[feature.name] = found
    left = [feature for feature in features if feature.name not in dropped]
    if config.correlated is not None:
        dropped.update(_correlated(left, config.correlated, preferred))
    return dropped


def _missing(feature: Encoded, limit: float | None, preferred: Preferred) -> Dropped | None:
    if limit is None:
        return None
    limit = preferred.bound(feature.name, limit, 1.0)
    # A column without any value is of no use, whatever is allowed.
    if feature.missing <= limit and feature.missing < 1:
        return None
    reason = f"no value for {format_share(feature.missing)} of the customers (limit {format_share(limit)})"
    return Dropped("missing", reason, feature.missing, limit)


def _constant(feature: Encoded, limit: float | None, preferred: Preferred) -> Dropped | None:
    if limit is None:
        return None
    value, share = feature.commonest
    limit = preferred.bound(feature.name, limit, 1.0)
    if share >= limit:
        if feature.rest is not None and value == feature.rest:
            reason = (
                f"{format_share(share)} of the customers have a value outside the {MOST_CATEGORIES} most frequent "
                f"ones (limit {format_share(limit)})"
            )
        else:
            reason = f"the same for {format_share(share)} of the customers (limit {format_share(limit)})"
        return Dropped("near_constant", reason, share, limit)
    if feature.kind == "numeric":
        size = float(np.nanmax(np.abs(feature.values)))
        spread = float(np.nanstd(feature.values - np.nanmin(feature.values)))
        if spread <= _RESOLUTION * size and feature.missing < 1 - limit:
            reason = "its values differ by less than a model can see: a millionth of their size"
            return Dropped("near_constant", reason, spread / size if size else 0.0, _RESOLUTION)
    return None


def _correlated(features: list[Encoded], limit: float, preferred: Preferred) -> dict[str, Dropped]:
    """Of features that tell each other, one is kept: see `_order`. The others name it."""
    ordered = sorted(features, key=lambda feature: _order(feature, preferred))
    strengths, words = _associations(ordered)
    kept: list[int] = []
    dropped: dict[str, Dropped] = {}
    for place, feature in enumerate(ordered):
        own = preferred.bound(feature.name, limit, 1.0)
        rivals = [other for other in kept if strengths[place, other] > own]
        if not rivals or feature.name in preferred.always:
            kept.append(place)
            continue
        nearest = max(rivals, key=lambda other: strengths[place, other])
        strength = float(strengths[place, nearest])
        told = f"{words[place][nearest]} {strength:.3f}, limit {own:g}"
        reason = f"tells what '{ordered[nearest].name}' tells ({told})"
        dropped[feature.name] = Dropped("correlated", reason, strength, own)
    return dropped


def _order(feature: Encoded, preferred: Preferred) -> tuple[bool, bool, float, int, str]:
    """Which of two stays: one to keep, one of the served model's, the one with fewer missing values, the one with more
    different values (of which the other may be a coarser copy), the one whose name comes first."""
    return (
        feature.name not in preferred.always,
        feature.name not in preferred.served,
        feature.missing,
        -feature.distinct,
        feature.name,
    )


def _associations(features: list[Encoded]) -> tuple[np.ndarray, list[list[str]]]:
    """[d, d], 0 where two features cannot be compared; and what was measured."""
    d = len(features)
    strengths = np.zeros((d, d))
    words = [[""] * d for _ in range(d)]
    numbers = [place for place, feature in enumerate(features) if feature.kind == "numeric"]
    texts = [place for place, feature in enumerate(features) if feature.kind == "categorical"]

    def note(first: int, second: int, strength: float, word: str) -> None:
        strengths[first, second] = strengths[second, first] = 0.0 if np.isnan(strength) else strength
        words[first][second] = words[second][first] = word

    if numbers:
        pearson, spearman = correlations(stack([features[place] for place in numbers]))
        for i, first in enumerate(numbers):
            for j, second in enumerate(numbers[:i]):
                by_rank = not abs(pearson[i, j]) >= abs(spearman[i, j])
                found = spearman[i, j] if by_rank else pearson[i, j]
                note(
                    first,
                    second,
                    abs(found),
                    "Spearman's correlation" if by_rank else "Pearson's correlation",
                )
    codes = {place: features[place].codes for place in texts}
    for i, first in enumerate(texts):
        for second in texts[:i]:
            note(first, second, cramers_v(codes[first], codes[second]), "Cramér's V")
        for second in numbers:
            ratio = correlation_ratio(codes[first], features[second].values)
            note(first, second, ratio, "correlation ratio")
    return strengths, words
