"""The column that features are to tell, and features that tell too much of it. scikit-learn's trees do the telling."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from components.errors import DataError
from components.selection.encoding import Encoded, encode

Task = Literal["classification", "regression"]

# A column of whole numbers with so many different ones or fewer holds codes, not amounts.
_MOST_CODES = 10
# A class must be seen in every fold, and in what is held out.
_SMALLEST_CLASS = 10
_MOST_CLASSES = 20
_LEAK_CUSTOMERS = 10_000
_FOLDS, _LEAF = 3, 20
# How far above a guess one feature must be to stand out, and how many times as far as the next one.
_STANDS_OUT, _TIMES = 0.5, 1.75


@dataclasses.dataclass(frozen=True)
class Target:
    """What is to be told.

    Attributes:
      name: of the column, or of what stands for one.
      task: by what the column holds.
      values: [m]; classes from 0, or amounts as their ranks from 0 to 1, so that no handful of the largest decides.
      rows: [m], the customers of the sample who have a value.
      classes: how many; None for amounts.
    """

    name: str
    task: Task
    values: npt.NDArray[Any]
    rows: npt.NDArray[np.int64]
    classes: int | None = None

    def head(self, most: int) -> Target:
        """The first so many customers; their order follows from a hash."""
        return dataclasses.replace(self, values=self.values[:most], rows=self.rows[:most])

    def as_json(self) -> dict[str, Any]:
        """As in `selection.json`."""
        return {"name": self.name, "task": self.task, "classes": self.classes, "customers": len(self.values)}


@dataclasses.dataclass(frozen=True)
class Leak:
    """A feature that tells the target suspiciously well.

    Attributes:
      feature: its name.
      kind: `copy` where it alone tells the target as a copy of it would; `stands_out` where it tells far more than any
        other feature.
      measure: `roc_auc` (of several classes, the mean of each against the others) or `r2` (of ranks).
      value: of held-out customers, whom a decision tree on this feature alone was not grown on.
      threshold: from which on a copy is warned of; or what the next feature has.
    """

    feature: str
    kind: Literal["copy", "stands_out"]
    measure: Literal["roc_auc", "r2"]
    value: float
    threshold: float

    def sentence(self, target: str) -> str:
        """The warning."""
        word = "a ROC AUC" if self.measure == "roc_auc" else "an R2"
        if self.kind == "stands_out":
            return (
                f"'{self.feature}' tells '{target}' far better than any other feature: {word} of {self.value:.3f}, "
                f"where the next has {self.threshold:.3f}. If it is known only when the outcome is, list it under "
                "features.exclude"
            )
        return (
            f"'{self.feature}' alone tells '{target}' with {word} of {self.value:.3f} (warned of from "
            f"{self.threshold:g}): it may be a copy of it, or be known only afterwards. If so, segments made of it "
            "say nothing about customers whose outcome is open: list it under features.exclude"
        )


def read_target(name: str, column: pa.Array) -> Target:
    """Makes a target of a column: text and codes are classes, other numbers are amounts.

    Raises:
      DataError: there is nothing to tell: no value, or one for all.
    """
    is_number = not (pa.types.is_binary(column.type) or pa.types.is_string(column.type))
    if is_number:
        numbers = encode(name, "numeric", column)
        there = np.flatnonzero(~np.isnan(numbers.values))
        amounts = numbers.values[there]
        whole = bool((amounts == np.round(amounts)).all())
        if len(there) and not (numbers.distinct <= 2 or (whole and numbers.distinct <= _MOST_CODES)):
            ranks = (rankdata(amounts) - 0.5) / len(amounts)
            return Target(name, "regression", ranks, there)
    codes = encode(name, "categorical", column)
    there = np.flatnonzero(~np.isnan(codes.values))
    if not len(there):
        raise DataError(f"selection.target: '{name}' has no value for any of the customers looked at")
    classes = codes.values[there].astype(np.int64)
    counts = np.bincount(classes)
    large = np.flatnonzero(counts >= _SMALLEST_CLASS)
    # What all rarer values share is no class.
    large = large[large != (codes.rest or -1)][:_MOST_CLASSES]
    if counts[large].sum() < 0.5 * len(there):
        raise DataError(
            f"selection.target: '{name}' has too many different values to be an outcome such as churn; name "
            "another column, or say under data.types that it is a number"
        )
    # Classes too small to learn are one.
    joined = np.full(len(counts), len(large))
    joined[large] = np.arange(len(large))
    classes = joined[classes]
    if np.bincount(classes, minlength=1)[-1] < _SMALLEST_CLASS and (classes == len(large)).any():
        kept = classes < len(large)
        classes, there = classes[kept], there[kept]
    found = len(np.unique(classes))
    if found < 2:
        raise DataError(
            f"selection.target: '{name}' has one value with {_SMALLEST_CLASS} customers or more: there is nothing "
            "to tell"
        )
    return Target(name, "classification", classes, there, found)


def find_leaks(features: Sequence[Encoded], target: Target, threshold: float, seed: int) -> list[Leak]:
    """Features that tell the target suspiciously well.

    Args:
      features: of the sample.
      target: likewise.
      threshold: 0 to 1, of the ROC AUC or R2 of three-fold cross-validation.
      seed: of the folds.

    Returns:
      Those at or above the threshold, the strongest first. Missing values count as what they are: a column that is
      filled for one class only is found, too. Where there is none, one that stands out: at least half way between a
      guess and the whole truth, and 1.75 times as far from the guess as the next of at least two others.
    """
    some = target.head(_LEAK_CUSTOMERS)
    found = [(feature.name, tells(feature, some, seed)) for feature in features]
    measure: Literal["roc_auc", "r2"] = "roc_auc" if target.task == "classification" else "r2"
    ordered = sorted(found, key=lambda pair: (-pair[1], pair[0]))
    copies = [Leak(name, "copy", measure, value, threshold) for name, value in ordered if value >= threshold]
    if copies or len(ordered) < 3:
        return copies
    (name, best), (_, second) = ordered[:2]
    # From 0, a guess, to 1.
    above, next_above = (2 * v - 1 if measure == "roc_auc" else v for v in (best, second))
    stands_out = above >= _STANDS_OUT and above >= _TIMES * next_above
    return [Leak(name, "stands_out", measure, best, second)] if stands_out else []


def tells(feature: Encoded, target: Target, seed: int) -> float:
    """How well a decision tree on one feature tells the target to customers it was not grown on.

    Returns:
      The ROC AUC (0.5 for a guess), or R2 of ranks (0 for a guess, or less).
    """
    values = feature.values[target.rows][:, np.newaxis]
    if target.task == "regression":
        tree = DecisionTreeRegressor(max_depth=8, min_samples_leaf=_LEAF, random_state=seed)
        folds = KFold(_FOLDS, shuffle=True, random_state=seed)
        told = cross_val_predict(tree, values, target.values, cv=folds)
        return float(1 - ((told - target.values) ** 2).mean() / target.values.var())
    tree = DecisionTreeClassifier(max_depth=8, min_samples_leaf=_LEAF, random_state=seed)
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    told = cross_val_predict(tree, values, target.values, cv=folds, method="predict_proba")
    if target.classes == 2:
        return float(roc_auc_score(target.values, told[:, 1]))
    return float(roc_auc_score(target.values, told, multi_class="ovr"))
