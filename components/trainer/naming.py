"""Readable names of segments, made from what sets each apart from all customers."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from components.trainer.profiles import Profile
from components.trainer.words import as_line, format_number, format_share, in_words, listed

TYPICAL = "typical"
EMPTY = "empty"

MAX_TRAITS = 3
MAX_TRAITS_OF_TIES = 5
_STRONG = 0.6  # a trait that names a segment: 1 is where a quarter of all customers lies beyond
_WEAK = 0.25  # a trait that may still tell apart two segments of the same name
_MAJORITY = 0.5  # "mostly x" must be true
_MIN_LIFT = 1.1
# Amounts, counts and durations have a zero: a tenth more of one is no news, however little customers differ.
_MIN_RELATIVE_CHANGE = 0.1
_QUARTILE_OF_NORMAL = 0.6745

# How many times as strong a trait must be for the word "very".
_VERY = 1.5

# Column -> what a low and a high value are called.
_RFM = {
    "recency_days": ("recent", "lapsed"),
    "frequency": ("occasional", "frequent"),
    "monetary": ("low value", "high value"),
    "tenure_days": ("new", "long-standing"),
    "average_basket": ("small baskets", "large baskets"),
}
_RFM_SENTENCE = {
    "recency_days": "last bought {} days ago",
    "frequency": "bought {} times",
    "monetary": "spent {}",
    "tenure_days": "first bought {} days ago",
    "average_basket": "{} a basket",
}
# Values that say nothing without their column.
_GENERIC = {
    *("yes", "no", "true", "false", "none", "null", "other", "others", "unknown", "missing", "na", "n/a"),
    *("low", "medium", "high", "small", "large", "good", "bad", "first", "second", "third", "never"),
}


@dataclasses.dataclass(frozen=True)
class Trait:
    """What sets a segment apart in one column; `strength` > 0, 1 being a quartile away from all customers."""

    column: str
    phrase: str
    strength: float
    missing: bool = False


def name_segments(population: Profile, profiles: Sequence[Profile], sizes: Sequence[int]) -> list[str]:
    """Names every segment by its strongest traits.

    Args:
      population: the profile of all customers (`profiles.profile_segments`).
      profiles: the profile of each segment.
      sizes: customers in each segment.

    Returns:
      A name per segment, all different: up to three traits, the strongest first ("recent, frequent, high
      value"); "typical" where nothing stands out; "empty" without customers. Segments that would share a name
      get a further trait each; where they differ in degree only, the strongest is "very" so ("very high value"),
      and what no word tells apart gets a numeral. The same input gives the same names.
    """
    traits = [segment_traits(population, p) if size else [] for p, size in zip(profiles, sizes, strict=True)]
    used = [min(sum(t.strength >= _STRONG for t in ts), MAX_TRAITS) for ts in traits]

    def names() -> list[str]:
        return [
            EMPTY if not size else ", ".join(t.phrase for t in ts[:n]) or TYPICAL
            for ts, n, size in zip(traits, used, sizes, strict=True)
        ]

    while True:
        named = names()
        longer = list(used)
        for name, times in Counter(named).items():
            if times > 1:
                tied = [j for j, other in enumerate(named) if other == name]
                for j in tied:
                    longer[j] = _until_different(traits[j], used[j], [traits[i] for i in tied if i != j])
        if longer == used:
            return _numbered(_by_degree(named, traits, set(population["numeric"])))
        used = longer


def name_new_segments(
    population: Profile,
    profiles: Sequence[Profile],
    sizes: Sequence[int],
    kept: Sequence[str | None],
    taken: Collection[str],
) -> list[str]:
    """Names the segments that have no name yet, beside those that keep theirs for life.

    Args:
      population, profiles, sizes: see `name_segments`.
      kept: the name of each segment that has one, else None.
      taken: names that no other segment may have: of living segments and of retired ones.

    Returns:
      A name per segment, all different. A new one is called what it would be called among others, with a further
      trait where that name is taken, else with a numeral.
    """
    names = name_segments(population, profiles, sizes)
    gone = {*taken, *(name for name in kept if name is not None)}
    for j, name in enumerate(kept):
        if name is not None:
            names[j] = name
            continue
        traits = segment_traits(population, profiles[j])[:MAX_TRAITS_OF_TIES] if sizes[j] else []
        phrases = [trait.phrase for trait in traits]
        longer = (", ".join(phrases[:n]) for n in range(1, len(phrases) + 1))
        numbered = (f"{names[j]} ({numeral})" for numeral in itertools.count(2))
        started = names[j].split(", ")
        candidates = itertools.chain(
            [names[j]], (each for each in longer if each.count(", ") >= len(started)), numbered
        )
        names[j] = next(each for each in candidates if each not in gone)
        gone.add(names[j])
    return names


def _until_different(traits: Sequence[Trait], used: int, rivals: Sequence[Sequence[Trait]]) -> int:
    """How many traits make a name that one of the rivals cannot also have; `used` where none does."""
    for n, trait in enumerate(traits[used:MAX_TRAITS_OF_TIES], start=used + 1):
        if any(all(trait.phrase != theirs.phrase for theirs in rival) for rival in rivals):
            return n
    return used


def _by_degree(names: list[str], traits: Sequence[Sequence[Trait]], numeric: set[str]) -> list[str]:
    """Of segments with the same name, the one whose first trait is far stronger than the others' is "very" so."""
    marked = list(names)
    for name, times in Counter(names).items():
        if times == 1:
            continue
        tied = [j for j, other in enumerate(names) if other == name and traits[j] and name != TYPICAL]
        ranked = sorted(tied, key=lambda j: -traits[j][0].strength)
        first = [traits[j][0] for j in ranked]
        if len(ranked) < 2 or any(trait.missing or trait.column not in numeric for trait in first):
            continue
        if first[0].strength >= _VERY * first[1].strength and f"very {name}" not in names:
            marked[ranked[0]] = f"very {name}"
    return marked


def _numbered(names: list[str]) -> list[str]:
    taken = set(names)
    seen: Counter[str] = Counter()
    unique: list[str] = []
    for name in names:
        seen[name] += 1
        candidate, numeral = name, seen[name]
        while numeral > 1 and candidate in taken:
            candidate, numeral = f"{name} ({numeral})", numeral + 1
        taken.add(candidate)
        unique.append(candidate)
    return unique


def segment_traits(population: Profile, profile: Profile) -> list[Trait]:
    """The traits of a segment worth saying, the strongest first, each column at most once."""
    columns_of_value = Counter(
        value.strip().lower() for column in population["categorical"].values() for value in column["values"]
    )
    found: list[Trait] = []
    for column, everyone in population["numeric"].items():
        found += _numeric_trait(column, everyone, profile["numeric"][column])
        found += _missing_trait(column, everyone, profile["numeric"][column])
    for column, everyone in population["categorical"].items():
        found += _categorical_trait(column, everyone, profile["categorical"][column], columns_of_value)
        found += _missing_trait(column, everyone, profile["categorical"][column])
    found.sort(key=lambda trait: (-round(trait.strength, 6), trait.column, trait.phrase))
    chosen: list[Trait] = []
    columns: set[str] = set()
    phrases: set[str] = set()
    for trait in found:
        # Of a series such as bill_1 to bill_6, the strongest speaks for all.
        series = trait.phrase.rstrip(" 0123456789")
        if trait.column not in columns and series not in phrases:
            chosen.append(trait)
            columns.add(trait.column)
            phrases.add(series)
    return chosen


def numeric_difference(everyone: Mapping[str, Any], segment: Mapping[str, Any]) -> float:
    """How far a segment lies from all customers in a numeric column, robustly and in the column's own shape.

    The difference of the medians over the distance from the median to the quartile on that side, for all
    customers: at 1 the segment's median is their upper quartile, at -1 their lower one, so skewed amounts are
    judged on both sides alike. A side narrower than a quarter of the interquartile range counts as that wide.
    Where at least half of all customers share one value, the quartiles may coincide; then the means decide,
    and the unit is the distance between mean and median. 0 where either has no values.
    """
    if everyone["median"] is None or segment["median"] is None:
        return 0.0
    spread = everyone["p75"] - everyone["p25"]
    if spread > 0:
        moved = segment["median"] - everyone["median"]
        side = everyone["p75"] - everyone["median"] if moved > 0 else everyone["median"] - everyone["p25"]
        return moved / max(side, spread / 4)
    unit = abs(everyone["mean"] - everyone["median"])
    # Rounding of the mean leaves a constant column a unit of nearly, but not quite, nothing.
    if unit <= 1e-6 * max(abs(everyone["mean"]), abs(everyone["median"])):
        return 0.0
    return (segment["mean"] - everyone["mean"]) / unit


def uses_mean(everyone: Mapping[str, Any]) -> bool:
    """Whether `numeric_difference` compares means in this column, since the quartiles coincide."""
    return everyone["median"] is not None and everyone["p75"] == everyone["p25"]


def share_difference(everyone: float, segment: float) -> float:
    """How far a segment's share of a value lies from all customers', on the scale of `numeric_difference`.

    The difference over the standard deviation of having the value, sqrt(p (1 - p)), in units of a normal
    variable's quartile.
    """
    deviation = math.sqrt(everyone * (1 - everyone)) if 0 < everyone < 1 else 0.0
    return (segment - everyone) / deviation / _QUARTILE_OF_NORMAL if deviation else 0.0


def share_of(value: str, column: Mapping[str, Any]) -> float:
    """The share of `value` in a categorical column's profile; an upper bound where it is not listed."""
    shares = column["values"]
    if value in shares:
        return float(shares[value])
    unlisted = max(1.0 - sum(shares.values()) - column["missing"], 0.0)
    return min(unlisted, min(shares.values(), default=unlisted))


def _numeric_trait(column: str, everyone: Mapping[str, Any], segment: Mapping[str, Any]) -> list[Trait]:
    difference = numeric_difference(everyone, segment)
    if abs(difference) < _WEAK:
        return []
    if column in _RFM:
        statistic = "mean" if uses_mean(everyone) else "median"
        change = abs(segment[statistic] - everyone[statistic])
        if change < _MIN_RELATIVE_CHANGE * abs(everyone[statistic]):
            return []
        phrase = _RFM[column][difference > 0]
    else:
        phrase = f"{'high' if difference > 0 else 'low'} {as_line(in_words(column))}"
    return [Trait(column, phrase, abs(difference))]


def _categorical_trait(
    column: str, everyone: Mapping[str, Any], segment: Mapping[str, Any], columns_of_value: Counter[str]
) -> list[Trait]:
    traits = []
    for value, share in segment["values"].items():
        usual = share_of(value, everyone)
        strength = share_difference(usual, share)
        if share > _MAJORITY and share >= _MIN_LIFT * usual and strength >= _WEAK:
            subject = (
                "mostly" if _speaks_for_itself(value, columns_of_value) else f"{as_line(in_words(column))}:"
            )
            traits.append(Trait(column, f"{subject} {as_line(value)}", strength))
    return traits


def _speaks_for_itself(value: str, columns_of_value: Counter[str]) -> bool:
    text = value.strip().lower()
    letters = sum(character.isalpha() for character in text)
    alone = columns_of_value[text] <= 1 or " " in text
    return letters >= 4 and text not in _GENERIC and alone


def _missing_trait(column: str, everyone: Mapping[str, Any], segment: Mapping[str, Any]) -> list[Trait]:
    strength = share_difference(everyone["missing"], segment["missing"])
    if segment["missing"] <= _MAJORITY or strength < _WEAK:
        return []
    return [Trait(column, f"{as_line(in_words(column))} unknown", strength, missing=True)]


def describe_segment(
    population: Profile, profile: Profile, size: int, customers: str = "customers", most: int = 3
) -> str:
    """One sentence about a segment for people: its strongest traits beside the values of all customers.

    Args:
      population: the profile of all customers.
      profile: the segment's.
      size: how many customers it has.
      customers: what customers are called, in the plural.
      most: so many columns are mentioned at most.

    Returns:
      Such as "Typically last bought 3 days ago (all households: 18), spent 412 (129) and bought 9 times (4)."
    """
    if not size:
        return f"No {customers} at present."
    traits = [trait for trait in segment_traits(population, profile) if trait.strength >= _STRONG][:most]
    if not traits:
        return f"Close to all {customers} in every column."
    facts: list[str] = []
    for trait in traits:
        here, usual = _fact(trait, population, profile)
        facts.append(f"{here} ({usual})" if facts else f"{here} (all {customers}: {usual})")
    return f"Typically {listed(facts)}."


def _fact(trait: Trait, population: Profile, profile: Profile) -> tuple[str, str]:
    """What a trait is in numbers, in words for the segment and bare for all customers."""
    column, words = trait.column, as_line(in_words(trait.column))
    kind = "numeric" if column in population["numeric"] else "categorical"
    everyone, segment = population[kind][column], profile[kind][column]
    if trait.missing:
        return f"{words} unknown for {format_share(segment['missing'])}", format_share(everyone["missing"])
    if kind == "categorical":
        # A majority, so the most frequent value: the first one.
        value, share = next(iter(segment["values"].items()))
        return f'{words} "{as_line(value)}" for {format_share(share)}', format_share(
            share_of(value, everyone)
        )
    statistic = "mean" if uses_mean(everyone) else "median"
    here = format_number(segment[statistic])
    said = _RFM_SENTENCE[column].format(here) if column in _RFM_SENTENCE else f"{words} {here}"
    said = said.replace("bought 1 times", "bought once").replace(" 1 days ", " 1 day ")
    return said, format_number(everyone[statistic])
