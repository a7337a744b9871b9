"""What a selection decides about each feature, and on what grounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, Literal

Rule = Literal[
    "keep", "missing", "near_constant", "correlated", "score", "max_features", "min_features", "served", ""
]


@dataclasses.dataclass(frozen=True)
class Dropped:
    """Why a feature is dropped.

    Attributes:
      rule: by name.
      reason: in words.
      value, limit: what was measured, and what is allowed; None where that is no number.
    """

    rule: Rule
    reason: str
    value: float | None = None
    limit: float | None = None


@dataclasses.dataclass(frozen=True)
class Preferred:
    """The features that a selection favours.

    Attributes:
      always: never dropped.
      served: those of the served model, where it was made of a selection, too.
      hysteresis: by how much of the way to the extreme the bounds are moved for those, from 0 to 1.
    """

    always: Collection[str] = ()
    served: Collection[str] = ()
    hysteresis: float = 0.0

    def bound(self, name: str, limit: float, extreme: float) -> float:
        """The limit that holds for a feature: of the served model's, one that is harder to reach."""
        return limit + self.hysteresis * (extreme - limit) if name in self.served else limit


@dataclasses.dataclass(frozen=True)
class Scores:
    """How good features are.

    Attributes:
      name: what the score is called.
      meaning: a sentence for people.
      against: the target's name, "provisional segments", or None where the score needs neither.
      higher_is_better: its direction.
      values: feature -> score.
      thresholds: feature -> what its score must be better than for it to be kept.
      extreme: the score of a feature that tells nothing, towards which hysteresis moves the threshold.
    """

    name: str
    meaning: str
    against: str | None
    higher_is_better: bool
    values: Mapping[str, float]
    thresholds: Mapping[str, float]
    extreme: float = 0.0


@dataclasses.dataclass(frozen=True)
class Judged:
    """A feature in the result.

    Attributes:
      name, kind: of the column.
      kept: whether the model is made of it.
      rule, reason: what decided, by name and in words; "" where nothing spoke against it.
      missing: the share of customers without a value.
      score, threshold: of the method; None where it was not scored, or the score has no threshold.
    """

    name: str
    kind: str
    kept: bool
    rule: Rule
    reason: str
    missing: float
    score: float | None = None
    threshold: float | None = None

    def as_json(self) -> dict[str, Any]:
        """As in `selection.json`."""
        return dataclasses.asdict(self)
