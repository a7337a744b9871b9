"""Which features stay: filters first, then scores."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import Any

from components.errors import DataError
from components.selection.encoding import Encoded
from components.selection.filters import filter_features
from components.selection.forests import ELIMINATION, eliminate, importances
from components.selection.judged import Dropped, Judged, Preferred, Scores
from components.selection.laplacian import laplacian_scores
from components.selection.provisional import NAME, provisional_segments
from components.selection.target import Leak, Target, find_leaks
from components.trainer.kmeans import KMeansError
from components.trainer.words import format_number, listed
from configs.selection import Method, SelectionConfig

# Below this, what chance gives is as large as what a feature does.
FEWEST_CUSTOMERS = 100
# From so many features on, `auto` scores them without a target.
MANY_FEATURES = 20

_DROPPED = {
    "missing": "mostly missing",
    "near_constant": "near-constant",
    "correlated": "told by another feature",
    "score": "of too low a score",
    "max_features": "beyond max_features",
}


@dataclasses.dataclass(frozen=True)
class Selection:
    """What was decided.

    Attributes:
      method: what was applied after the filters; `filters` where that is all.
      features: every feature, by name.
      scores: None where nothing was scored.
      leaks: features that tell too much.
      sentences: what was done and why, for people.
    """

    method: Method
    features: list[Judged]
    scores: Scores | None
    leaks: list[Leak]
    sentences: list[str]

    @property
    def kept(self) -> list[str]:
        """The names of the features that stay."""
        return [feature.name for feature in self.features if feature.kept]

    @property
    def dropped(self) -> list[str]:
        """The names of the others."""
        return [feature.name for feature in self.features if not feature.kept]


def select(
    features: Sequence[Encoded],
    config: SelectionConfig,
    target: Target | None = None,
    segments: int = 2,
    served: Sequence[str] = (),
) -> Selection:
    """Chooses among features.

    Args:
      features: of the sampled customers, by name.
      config: the section `selection`.
      target: what they are to tell.
      segments: how many provisional segments stand for a target.
      served: the features of the served model, where it was made of a selection.

    Raises:
      DataError: the filters leave nothing.
    """
    preferred = Preferred(config.keep, served, config.hysteresis)
    filtered = filter_features(features, config.filters, preferred)
    left = [feature for feature in features if feature.name not in filtered]
    if not left:
        reasons = [f"{name}: {dropped.reason}" for name, dropped in list(filtered.items())[:10]]
        raise DataError("\n".join(["the filters of 'selection' leave no feature at all:", *reasons]))
    leaks: list[Leak] = []
    if target is not None and config.leak is not None and len(target.rows) >= FEWEST_CUSTOMERS:
        leaks = find_leaks(left, target, config.leak, config.seed)
    told = {leak.feature for leak in leaks if leak.kind == "copy"}
    # Beside a copy of the target nothing else would seem to matter.
    scored = [feature for feature in left if feature.name not in told]
    method, scores, why = _score(scored, config, target, segments)
    judged = _judge(features, filtered, told, scores, config, preferred)
    return Selection(method, judged, scores, leaks, [_summary(judged), *why, *_stay(judged)])


def _score(
    features: list[Encoded], config: SelectionConfig, target: Target | None, segments: int
) -> tuple[Method, Scores | None, list[str]]:
    """The method that was applied, its scores, and sentences about it."""
    method, why = _method(features, config, target)
    if method == "filters":
        return method, None, why
    rows = len(features[0].values) if target is None else len(target.rows)
    if rows < FEWEST_CUSTOMERS:
        return (
            "filters",
            None,
            [*why, f"Nothing was scored: {rows} customers are too few ({FEWEST_CUSTOMERS})."],
        )
    if method == "unsupervised":
        scores = laplacian_scores(features, config.seed)
        return method, scores, [*why, f"The features were scored by their {scores.name}."]
    if target is None:
        try:
            target = provisional_segments(features, segments, config.seed)
        except KMeansError as error:
            return (
                "filters",
                None,
                [*why, f"Nothing was scored: there are no provisional segments ({error})."],
            )
        if target.classes == 1:
            return "filters", None, [*why, "Nothing was scored: the provisional segments are one."]
    if method == "rfe":
        scores = eliminate(features, target, config.seed, config.max_features, config.fewest)
    else:
        scores = importances(features, target, config.seed)
    against = f"{target.classes} {NAME}" if target.name == NAME else f"'{target.name}' ({target.task})"
    return method, scores, [*why, f"The features were scored by their {scores.name} against {against}."]


def _method(
    features: list[Encoded], config: SelectionConfig, target: Target | None
) -> tuple[Method, list[str]]:
    if len(features) < 2:
        return "filters", []
    if config.method != "auto":
        return config.method, []
    if target is not None:
        return "importances", ["auto: there is a target, so features are scored by what they tell of it."]
    if config.max_features is not None and len(features) > config.max_features:
        return "unsupervised", [
            f"auto: {len(features)} features are more than max_features, so they are scored by how far they go with "
            "the others."
        ]
    if len(features) >= MANY_FEATURES:
        return "unsupervised", [
            f"auto: {len(features)} features are many (from {MANY_FEATURES} on), so they are scored by how far they "
            "go with the others."
        ]
    return "filters", [
        f"auto: {len(features)} features are not many (below {MANY_FEATURES}) and there is no target, so filters "
        "are all."
    ]


def _judge(
    features: Sequence[Encoded],
    filtered: dict[str, Dropped],
    told: set[str],
    scores: Scores | None,
    config: SelectionConfig,
    preferred: Preferred,
) -> list[Judged]:
    found: dict[str, Judged] = {}
    for feature in features:
        name = feature.name
        judged = Judged(name, feature.kind, True, "", "", feature.missing)
        if name in filtered:
            judged = dataclasses.replace(
                judged, kept=False, rule=filtered[name].rule, reason=filtered[name].reason
            )
        elif scores is not None and name in scores.values:
            judged = _by_score(judged, scores, preferred)
        elif name in told:
            judged = dataclasses.replace(
                judged, reason="tells the target too well to be scored beside others"
            )
        if name in config.keep:
            judged = dataclasses.replace(judged, kept=True, rule="keep", reason="selection.keep lists it")
        found[name] = judged
    if scores is not None:
        _hold_bounds(found, scores, config, preferred)
    return [found[feature.name] for feature in features]


def _by_score(judged: Judged, scores: Scores, preferred: Preferred) -> Judged:
    value, limit = scores.values[judged.name], scores.thresholds[judged.name]
    judged = dataclasses.replace(judged, score=value, threshold=limit)
    least = preferred.bound(judged.name, limit, scores.extreme)
    sign = 1.0 if scores.higher_is_better else -1.0
    if sign * value > sign * limit:
        return judged
    if sign * value > sign * least:
        reason = f"the served model uses it, and {_words(scores, value, limit)} is not clearly too low"
        return dataclasses.replace(judged, rule="served", reason=reason)
    reason = _words(scores, value, least)
    return dataclasses.replace(judged, kept=False, rule="score", reason=reason)


def _words(scores: Scores, value: float, limit: float) -> str:
    """A score that is not good enough, in words."""
    if scores.name == ELIMINATION:
        return f"place {int(value)} from the end of the elimination, where {int(limit)} stay"
    side = "above" if scores.higher_is_better else "below"
    return f"{scores.name} {format_number(value)}, not {side} {format_number(limit)}"


def _hold_bounds(
    found: dict[str, Judged], scores: Scores, config: SelectionConfig, preferred: Preferred
) -> None:
    """Holds `min_features` and `max_features`; changes `found` in place."""

    def place(name: str) -> tuple[bool, bool, float, str]:
        value = scores.values.get(name)
        if value is None:
            return name not in config.keep, False, 0.0, name
        # A newcomer takes a served feature's place only where it is clearly better.
        value += preferred.hysteresis * (value - scores.extreme) if name in preferred.served else 0.0
        return name not in config.keep, True, -value if scores.higher_is_better else value, name

    kept = sorted((name for name, judged in found.items() if judged.kept), key=place)
    lacking = sorted((name for name, judged in found.items() if judged.rule == "score"), key=place)
    for name in lacking[: max(0, config.fewest - len(kept))]:
        reason = f"among the {config.fewest} best, which min_features asks for"
        found[name] = dataclasses.replace(found[name], kept=True, rule="min_features", reason=reason)
    for name in kept[config.max_features :] if config.max_features is not None else []:
        reason = f"not among the {config.max_features} best, which max_features allows"
        found[name] = dataclasses.replace(found[name], kept=False, rule="max_features", reason=reason)


def _summary(judged: list[Judged]) -> str:
    rules = Counter(each.rule for each in judged if not each.kept)
    kept = sum(each.kept for each in judged)
    parts = [f"{rules[rule]} {words}" for rule, words in _DROPPED.items() if rules[rule]]  # type: ignore[index]
    dropped = f"; dropped: {listed(parts)}" if parts else ""
    return f"{kept} of {len(judged)} features are kept{dropped}."


def _stay(judged: list[Judged]) -> list[str]:
    names = [f"'{each.name}'" for each in judged if each.rule == "served"]
    if not names:
        return []
    return [f"The served model uses {listed(names)}: what it takes to be dropped is more than for others."]


def as_json(selection: Selection, target: Target | None, sample: dict[str, Any], seed: int) -> dict[str, Any]:
    """The content of `selection.json`; docs/selection.md says what is in it."""
    scores = selection.scores
    return {
        "method": selection.method,
        "target": target.as_json() if target else None,
        "sample": sample,
        "seed": seed,
        "sentences": selection.sentences,
        "warnings": [leak.sentence(target.name) for leak in selection.leaks] if target else [],
        "kept": selection.kept,
        "dropped": selection.dropped,
        "score": scores
        and {
            "name": scores.name,
            "meaning": scores.meaning,
            "against": scores.against,
            "higher_is_better": scores.higher_is_better,
        },
        "leaks": [dataclasses.asdict(leak) for leak in selection.leaks],
        "features": [judged.as_json() for judged in selection.features],
    }
