"""What `auto` does, and what bounds, columns to keep, leaks and the served model change about a selection."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from components.errors import DataError
from components.selection import choice
from components.selection.choice import Selection, as_json, select
from components.selection.encoding import Encoded
from components.selection.judged import Scores
from components.selection.target import Target
from configs.selection import SelectionConfig
from tests.components.selection.planted import category, customers, number, told_apart


def target_of(kind: np.ndarray) -> Target:
    return Target("kind", "classification", kind, np.arange(len(kind)), 3)


def reason(selection: Selection, name: str) -> str:
    return next(each.reason for each in selection.features if each.name == name)


def scored(monkeypatch: pytest.MonkeyPatch, values: dict[str, float], threshold: float) -> list[Encoded]:
    """Features whose scores are given, for what is decided about them."""

    def laplacian(features: Any, seed: int) -> Scores:
        own = {feature.name: values[feature.name] for feature in features}
        return Scores("score", "higher is better", None, True, own, dict.fromkeys(own, threshold))

    monkeypatch.setattr(choice, "laplacian_scores", laplacian)
    rng = np.random.default_rng(0)
    return [number(name, rng.normal(size=200)) for name in sorted(values)]


VALUES = {"a": 4.0, "b": 3.0, "c": 2.0, "d": 1.2, "e": 0.8, "f": 0.2}


def choose(features: list[Encoded], served: tuple[str, ...] = (), **config: Any) -> Selection:
    return select(features, SelectionConfig(method="unsupervised", **config), served=served)


def test_the_filters_come_first_and_the_result_says_what_was_done() -> None:
    features, kind = customers(600, 2, 3)
    features += [category("one", np.zeros(600)), number("twin", features[0].values)]
    features = sorted(features, key=lambda feature: feature.name)
    found = select(features, SelectionConfig(method="auto", target="kind"), target_of(kind))
    assert found.method == "importances" and found.scores is not None
    assert told_apart(found.kept)[1] == set() and "one" in found.dropped
    assert found.sentences[0] == (
        f"{len(found.kept)} of 9 features are kept; dropped: 1 near-constant, 1 told by another feature and "
        "4 of too low a score."
    )
    assert "target" in found.sentences[1] and "'kind' (classification)" in found.sentences[2]
    assert [each.name for each in found.features] == [feature.name for feature in features]


def test_auto_looks_at_what_there_is() -> None:
    few, _ = customers(300, 2, 3)
    plain = select(few, SelectionConfig(method="auto"))
    assert plain.method == "filters" and plain.dropped == [] and plain.scores is None
    many, _ = customers(600, 4, 16)
    found = select(many, SelectionConfig(method="auto"))
    assert found.method == "unsupervised" and not told_apart(found.kept)[1]
    capped = select(few, SelectionConfig(method="auto", max_features=3))
    assert capped.method == "unsupervised" and len(capped.kept) == 3 and not told_apart(capped.kept)[1]


def test_too_few_customers_are_not_scored() -> None:
    features, kind = customers(99, 2, 3)
    found = select(features, SelectionConfig(method="auto", target="kind"), target_of(kind))
    assert found.method == "filters" and "99 customers are too few (100)" in found.sentences[-1]


def test_where_nothing_is_left_the_filters_say_why() -> None:
    with pytest.raises(DataError, match=r"leave no feature at all:\na: the same for 100%"):
        select([number("a", np.ones(200))], SelectionConfig(method="filters"))


def test_a_threshold_cuts_in_the_right_direction(monkeypatch: pytest.MonkeyPatch) -> None:
    features = scored(monkeypatch, VALUES, 1.0)
    found = choose(features)
    assert found.kept == ["a", "b", "c", "d"] and found.dropped == ["e", "f"]
    assert reason(found, "e") == "score 0.8, not above 1"
    assert {each.name: each.score for each in found.features} == VALUES


def test_bounds_on_the_number_of_features(monkeypatch: pytest.MonkeyPatch) -> None:
    features = scored(monkeypatch, VALUES, 1.0)
    assert choose(features, max_features=2).kept == ["a", "b"]
    assert reason(choose(features, max_features=2), "c") == "not among the 2 best, which max_features allows"
    assert choose(features, min_features=5).kept == ["a", "b", "c", "d", "e"]
    assert choose(features, keep=["f"], max_features=2).kept == ["a", "f"]
    assert choose(features, keep=["f"]).kept == ["a", "b", "c", "d", "f"]
    nothing = scored(monkeypatch, VALUES, 9.0)
    assert choose(nothing).kept == ["a", "b"], "two at least"


def test_what_is_served_stays_unless_it_is_clearly_below(monkeypatch: pytest.MonkeyPatch) -> None:
    features = scored(monkeypatch, VALUES, 1.0)
    found = choose(features, served=("e", "f"))
    assert found.kept == ["a", "b", "c", "d", "e"], "0.8 is above half of 1, 0.2 is not"
    assert "the served model uses it" in reason(found, "e") and "'e'" in found.sentences[-1]
    assert "not above 0.5" in reason(found, "f")
    assert choose(features, served=("e",), hysteresis=0.0).kept == ["a", "b", "c", "d"]
    # A newcomer takes a place only where it is better by half.
    close = scored(monkeypatch, {**VALUES, "a": 2.9, "b": 2.9}, 1.0)
    assert choose(close, served=("c", "d"), max_features=1).kept == ["c"], "1.5 x 2 is more than 2.9"
    assert choose(close, served=("c", "d"), max_features=1, hysteresis=0.0).kept == ["a"]
    features = scored(monkeypatch, VALUES, 1.0)
    assert choose(features, served=("b", "d"), max_features=2).kept == ["a", "b"], (
        "4 is better than 1.5 x 1.2"
    )


@pytest.mark.parametrize("method", ["auto", "unsupervised", "importances"])
def test_a_selection_settles(method: str) -> None:
    """With the same data, what was selected is selected again: nothing flips to and fro."""
    features, _ = customers(500, 2, 5)
    config = SelectionConfig.model_validate({"method": method, "max_features": 4})
    first = select(features, config, segments=3)
    again = select(features, config, segments=3, served=first.kept)
    assert again.kept == first.kept


def test_borderline_features_flip_less_often_between_spans() -> None:
    """Two spans of one population: a feature that hardly tells anything is judged alike more often."""

    def span(seed: int) -> list[Encoded]:
        rng = np.random.default_rng(seed)
        common = rng.normal(size=400)
        weak = [number(f"weak{n}", 0.45 * common + rng.normal(size=400)) for n in range(8)]
        return [number("strong0", common + 0.5 * rng.normal(size=400)), *weak]

    flips = {0.0: 0, 0.9: 0}
    for hysteresis in flips:
        config = SelectionConfig(method="unsupervised", hysteresis=hysteresis)
        served: list[str] = []
        for seed in range(6):
            kept = select(span(seed), config, served=served).kept
            flips[hysteresis] += len(set(served) - set(kept)) if served else 0
            served = kept
    assert flips[0.9] < flips[0.0]


def test_a_copy_of_the_target_is_warned_of_and_hides_nothing() -> None:
    features, kind = customers(600, 2, 3)
    copy = category("cancelled", kind)
    target = target_of(kind)
    plain = select(features, SelectionConfig(method="importances", target="kind"), target)
    found = select(
        [copy, *features], SelectionConfig(method="importances", target="kind", keep=["info0"]), target
    )
    assert set(found.kept) == {*plain.kept, "cancelled", "info0"}, "beside a copy nothing else would be kept"
    content = as_json(found, target, {}, 0)
    assert [leak["feature"] for leak in content["leaks"]] == ["cancelled"]
    assert "'cancelled' alone tells 'kind'" in content["warnings"][0]
    quiet = select([copy, *features], SelectionConfig(method="filters", target="kind", leak=None), target)
    assert quiet.leaks == []
    assert [
        leak.feature for leak in select([copy, *features], SelectionConfig(method="filters"), target).leaks
    ]


def test_the_order_of_features_does_not_count() -> None:
    features, _ = customers(400, 2, 3)
    features = [*features, number("twin", features[0].values)]
    config = SelectionConfig(method="filters")
    assert set(select(features, config).kept) == set(select(features[::-1], config).kept)
    renamed = [dataclasses.replace(feature, name=f"x_{feature.name}") for feature in features]
    assert [f"x_{name}" for name in select(features, config).kept] == select(renamed, config).kept
