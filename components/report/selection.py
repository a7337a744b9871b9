"""Which features the model is made of, as SelectedFeatures' `selection.json` tells it."""

from __future__ import annotations

import dataclasses
from typing import Any

SELECTION_FILE = "selection.json"


@dataclasses.dataclass(frozen=True)
class Feature:
    """A feature and what was decided about it.

    Attributes:
      name, kind: of the column.
      kept: whether the model is made of it.
      missing: the share of customers without a value.
      score, threshold: None where it was not scored.
      reason: what decided; "" where nothing spoke against it.
    """

    name: str
    kind: str
    kept: bool
    missing: float
    score: float | None
    threshold: float | None
    reason: str


@dataclasses.dataclass(frozen=True)
class FeatureSelection:
    """What was decided.

    Attributes:
      sentences: what was done and why.
      warnings: about features that tell the target too well.
      customers, of: how many customers were looked at, and of how many.
      score, meaning: the score's name, and what it says; None where nothing was scored.
      features: those kept first, the best first.
    """

    sentences: list[str]
    warnings: list[str]
    customers: int
    of: int
    score: str | None
    meaning: str | None
    features: list[Feature]


def selection_of(content: dict[str, Any]) -> FeatureSelection:
    """Reads the object in `selection.json`.

    Raises:
      KeyError: it lacks a key.
    """
    names = [field.name for field in dataclasses.fields(Feature)]
    features = [Feature(**{name: item[name] for name in names}) for item in content["features"]]
    score = content["score"]
    sign = -1.0 if score and score["higher_is_better"] else 1.0

    def order(feature: Feature) -> tuple[bool, bool, float, str]:
        unscored = feature.score is None
        return not feature.kept, unscored, sign * (feature.score or 0.0), feature.name

    return FeatureSelection(
        sentences=content["sentences"],
        warnings=content["warnings"],
        customers=content["sample"]["customers"],
        of=content["sample"]["of"],
        score=score and score["name"],
        meaning=score and score["meaning"],
        features=sorted(features, key=order),
    )
