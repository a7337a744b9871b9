"""Supervised scores: random forests of scikit-learn, against a target or against provisional segments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_selection import RFE
from sklearn.inspection import permutation_importance
from sklearn.model_selection import KFold, StratifiedKFold, cross_val_score, train_test_split

from components.selection.encoding import Encoded, stack
from components.selection.judged import Scores
from components.selection.target import Target

Floats = npt.NDArray[np.float64]

_PROBES = 20
_HELD_OUT, _HELD_OUT_MOST = 0.3, 2_000
_REPEATS = 3
_RFE_CUSTOMERS, _RFE_FOLDS, _RFE_ROUNDS = 5_000, 3, 20

ELIMINATION = "elimination order"


def importances(features: Sequence[Encoded], target: Target, seed: int) -> Scores:
    """Permutation importances (Breiman 2001), measured on held-out customers.

    A feature's importance is how much worse a forest tells the target when the feature's values are shuffled: by how
    much the log loss grows, or R2 falls. A forest's own importances (of impurity) would favour columns with many
    different values. What chance gives is measured beside it: shuffled copies of features, drawn at random, are grown
    into the same forest (Kursa & Rudnicki 2010). A feature must be above the best of them, and above their mean by
    three standard deviations.

    Args:
      features: at least one.
      target: what is to be told.
      seed: of all that is random.
    """
    rng = np.random.default_rng(seed)
    values = stack(features)[target.rows]
    probes = values[:, rng.integers(0, values.shape[1], _PROBES)]
    columns = np.hstack([values, rng.permuted(probes, axis=0)])
    classes = target.values if target.task == "classification" else None
    grown, held_out, told, truth = train_test_split(
        columns, target.values, test_size=_HELD_OUT, random_state=seed, stratify=classes
    )
    forest = _forest(target, 60, len(grown), seed).fit(grown, told)
    found = permutation_importance(
        forest,
        held_out[:_HELD_OUT_MOST],
        truth[:_HELD_OUT_MOST],
        scoring=_scoring(target),
        n_repeats=_REPEATS,
        random_state=seed,
    ).importances_mean
    own, chance = found[: len(features)], found[len(features) :]
    limit = float(max(chance.max(), chance.mean() + 3 * chance.std(), np.finfo(np.float64).tiny))
    loss = "log loss" if target.task == "classification" else "R2"
    return Scores(
        name="permutation importance",
        meaning=f"how much worse ({loss}) a random forest tells {target.name} with the feature shuffled",
        against=target.name,
        higher_is_better=True,
        values={feature.name: float(value) for feature, value in zip(features, own, strict=True)},
        thresholds={feature.name: limit for feature in features},
    )


def eliminate(
    features: Sequence[Encoded], target: Target, seed: int, most: int | None, fewest: int
) -> Scores:
    """Recursive feature elimination (Guyon et al. 2002): the weakest features of a random forest go, round by round.

    The number that is kept is `most`, or else the smallest whose cross-validated score is within one standard error of
    the best (Breiman et al. 1984): beside good features a forest bears many that tell nothing.

    Args:
      features: at least one.
      target: what is to be told.
      seed: of all that is random.
      most: how many are kept, where that is said.
      fewest: no fewer are kept.
    """
    some = target.head(_RFE_CUSTOMERS)
    columns = stack(features)[some.rows]
    d = columns.shape[1]
    forest = _forest(target, 20, len(columns), seed)
    step = max(1, d // _RFE_ROUNDS)
    # Rank 1 stays longest; features that go in one round share a rank.
    ranks = RFE(forest, n_features_to_select=1, step=step).fit(columns, some.values).ranking_
    count = min(d, most) if most is not None else _fewest_as_good(columns, some, ranks, forest, seed)
    count = min(d, max(count, fewest))
    stays = ranks <= np.sort(ranks)[count - 1]
    if stays.sum() > count:
        # The round that would leave so many had to be a smaller one.
        stays = RFE(forest, n_features_to_select=count, step=step).fit(columns, some.values).support_
    places = np.empty(d)
    places[np.lexsort((~stays, ranks))] = np.arange(1, d + 1)
    return Scores(
        name=ELIMINATION,
        meaning=f"1 for the feature that a random forest which tells {target.name} does without last",
        against=target.name,
        higher_is_better=False,
        values={feature.name: float(place) for feature, place in zip(features, places, strict=True)},
        thresholds={feature.name: count + 0.5 for feature in features},
        extreme=min(d, 2 * count) + 0.5,
    )


def _fewest_as_good(columns: Floats, target: Target, ranks: npt.NDArray[Any], forest: Any, seed: int) -> int:
    sizes = sorted({int((ranks <= rank).sum()) for rank in ranks})
    split = StratifiedKFold if target.task == "classification" else KFold
    folds = split(_RFE_FOLDS, shuffle=True, random_state=seed)
    scores = {
        size: cross_val_score(
            forest,
            columns[:, ranks <= np.sort(ranks)[size - 1]],
            target.values,
            cv=folds,
            scoring=_scoring(target),
        )
        for size in sizes
    }
    best = max(scores.values(), key=lambda found: float(found.mean()))
    least = best.mean() - best.std(ddof=1) / np.sqrt(len(best))
    return min(size for size, found in scores.items() if found.mean() >= least)


def _forest(
    target: Target, trees: int, rows: int, seed: int
) -> RandomForestClassifier | RandomForestRegressor:
    # Trees of a few thousand customers each: what they do not see, others do.
    common = {
        "n_estimators": trees,
        "min_samples_leaf": 5,
        "max_samples": min(1.0, 4_000 / rows),
        "random_state": seed,
    }
    if target.task == "classification":
        return RandomForestClassifier(**common)
    return RandomForestRegressor(max_features=1 / 3, **common)


def _scoring(target: Target) -> str:
    return "neg_log_loss" if target.task == "classification" else "r2"
