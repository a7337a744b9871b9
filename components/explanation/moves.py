"""What would move a customer to another segment, in the units of the data; the served model confirms every move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from components.explanation.counterfactual import nearest_crossing
from components.served_model.loaded import Answers, Feature, LoadedModel, Row, Value, as_column


@dataclass(frozen=True)
class Change:
    """One feature's change. value: what it would have to be. others: further categories that would do too."""

    feature: str
    before: Value
    value: Value
    others: tuple[str, ...] = ()


class Mover:
    """Looks for changes that bring one customer to one segment.

    Args:
      model: asked about every change.
      row: the customer.
      target: the segment's id.
    """

    def __init__(self, model: LoadedModel, row: Row, target: int):
        self._model, self._row, self._target = model, dict(row), target
        self._column = int(np.flatnonzero(model.segment_ids == target)[0])

    def numeric(self, feature: Feature, limits: tuple[float, float], start: float) -> Change | None:
        """The smallest change of a number, within limits; `start` stands for a value that is missing."""
        before = self._row.get(feature.name)

        def probe(values: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
            answers = self._ask(feature, values)
            return answers.segment_ids == self._target, self._missing(answers)

        value = nearest_crossing(
            probe, start if before is None else float(before), *limits, whole=feature.whole
        )
        if value is None:
            return None
        return Change(feature.name, before, int(value) if feature.whole else value)

    def categorical(self, feature: Feature, categories: Sequence[str]) -> Change | None:
        """The category that brings the customer farthest into the segment, and the others that do, in that order."""
        before = self._row.get(feature.name)
        tried = [category for category in categories if before is None or category != _as_category(before)]
        if not tried:
            return None
        values: list[Value] = list(tried) if feature.is_text else [_as_number(each) for each in tried]
        answers = self._ask(feature, as_column(feature, values))
        crossed = np.flatnonzero(answers.segment_ids == self._target)
        if not len(crossed):
            return None
        best = crossed[np.argsort(self._missing(answers)[crossed], kind="stable")].tolist()
        return Change(feature.name, before, values[best[0]], tuple(tried[i] for i in best[1:]))

    def together(self, typical: Row) -> list[Change] | None:
        """Features that bring the customer there together, when each has the segment's typical value.

        Taken one after the other, each time the one that brings the customer closest; so there are few of them,
        though not provably the fewest. None where even all of them together do not.
        """
        row, taken = dict(self._row), list[Change]()
        left = [name for name, value in typical.items() if value is not None and value != row.get(name)]
        while left:
            tried: list[Row] = [{**row, name: typical[name]} for name in left]
            answers = self._model.ask_rows(tried)
            best = int(np.argmin(self._missing(answers)))
            name = left.pop(best)
            taken.append(Change(name, row.get(name), typical[name]))
            row[name] = typical[name]
            if answers.segment_ids[best] == self._target:
                return taken
        return None

    def _ask(self, feature: Feature, values: npt.NDArray[Any]) -> Answers:
        columns = {
            f.name: np.repeat(as_column(f, [self._row.get(f.name)]), len(values))
            for f in self._model.features
        }
        return self._model.ask({**columns, feature.name: values})

    def _missing(self, answers: Answers) -> npt.NDArray[np.float64]:
        squared = answers.distances.astype(np.float64) ** 2
        others = np.delete(squared, self._column, axis=1)
        missing: npt.NDArray[np.float64] = squared[:, self._column] - others.min(axis=1)
        return missing


def typical_values(profile: Mapping[str, Any], features: Sequence[Feature]) -> dict[str, Value]:
    """A segment's median of each number and most frequent category of each text; None where there is none.

    The median of whole numbers is rounded to one.
    """
    found: dict[str, Value] = {}
    for feature in features:
        value: Value
        if feature.kind == "numeric":
            value = profile["numeric"].get(feature.name, {}).get("median")
        else:
            value = next(iter(profile["categorical"].get(feature.name, {}).get("values", {})), None)
            if value is not None and not feature.is_text:
                value = _as_number(value)
        found[feature.name] = round(value) if feature.whole and isinstance(value, float) else value
    return found


def _as_number(category: str | float | int) -> float:
    # Categories of a column of numbers, which are written without a fraction where they have none.
    return float(category)


def _as_category(value: float | int | str) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
