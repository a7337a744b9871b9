"""Scores find what was planted, in both directions, and agree with plain computations."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from sklearn.neighbors import kneighbors_graph

from components.selection.encoding import Encoded, blocks
from components.selection.forests import eliminate, importances
from components.selection.judged import Scores
from components.selection.laplacian import _neighbours, _score, _squared_distances, laplacian_scores
from components.selection.provisional import provisional_segments
from components.selection.target import Target
from tests.components.selection.planted import customers, number, told_apart


def kept(scores: Scores) -> list[str]:
    sign = 1 if scores.higher_is_better else -1
    return [name for name, value in scores.values.items() if sign * value > sign * scores.thresholds[name]]


def target_of(kind: np.ndarray) -> Target:
    return Target("kind", "classification", kind, np.arange(len(kind)), 3)


@pytest.mark.parametrize("seed", [0, 1])
def test_every_score_keeps_the_informative_and_drops_the_noise(seed: int) -> None:
    features, kind = customers(1500, 3, 8, seed)
    informative, _ = told_apart([feature.name for feature in features])
    target = target_of(kind)
    found = {
        "laplacian": laplacian_scores(features, seed),
        "importances": importances(features, target, seed),
    }
    for name, scores in found.items():
        assert set(kept(scores)) == informative, name
    # Segments are found with the noise, too: a feature of it may have a small part in them.
    provisional = kept(importances(features, provisional_segments(features, 3, seed), seed))
    assert informative <= set(provisional) and len(provisional) <= len(informative) + 1
    eliminated = eliminate(features, target, seed, most=len(informative), fewest=2)
    assert set(kept(eliminated)) == informative


def test_elimination_finds_how_many_are_enough() -> None:
    features, kind = customers(800, 2, 4)
    scores = eliminate(features, target_of(kind), 0, most=None, fewest=2)
    informative, noise = told_apart(kept(scores))
    assert not noise and len(informative) >= 2
    places = scores.values
    assert sorted(places.values()) == list(range(1, len(features) + 1))
    assert max(places[n] for n in told_apart(list(places))[0]) < min(
        places[n] for n in told_apart(list(places))[1]
    )


def test_an_amount_is_told_by_what_it_was_made_of() -> None:
    features, _ = customers(1200, 2, 6)
    by_name = {feature.name: feature.values for feature in features}
    amount = by_name["info0"] + 0.5 * by_name["info1"] ** 2 + 0.3 * np.random.default_rng(0).normal(size=1200)
    ranks = np.argsort(np.argsort(amount)) / 1200
    scores = importances(features, Target("value", "regression", ranks, np.arange(1200)), 0)
    assert {"info0", "info1"} <= set(kept(scores)) and not told_apart(kept(scores))[1]
    assert "R2" in scores.meaning


def test_missing_values_may_be_what_tells() -> None:
    features, kind = customers(1500, 0, 5)
    hidden = number("info_missing", np.where(kind == 1, np.nan, np.random.default_rng(1).normal(size=1500)))
    scores = importances([*features, hidden], target_of(kind), 0)
    assert "info_missing" in kept(scores)


def test_names_and_places_of_columns_do_not_count() -> None:
    features, kind = customers(600, 2, 3)
    renamed = [dataclasses.replace(feature, name=f"column{n}") for n, feature in enumerate(features)]
    for score in (lambda f: importances(f, target_of(kind), 0), lambda f: laplacian_scores(f, 0)):
        assert list(score(features).values.values()) == list(score(renamed).values.values())


def test_the_laplacian_score_is_the_papers() -> None:
    features, _ = customers(150, 2, 2)
    coordinates = [blocks(feature).astype(np.float32) for feature in features]
    scores = laplacian_scores(features, 0)
    for place, (feature, block) in enumerate(zip(features, coordinates, strict=True)):
        others = np.hstack([other for n, other in enumerate(coordinates) if n != place])
        graph = kneighbors_graph(others, 10).toarray()
        similar = np.maximum(graph, graph.T)
        degrees = np.diag(similar.sum(axis=1))
        laplacian = degrees - similar
        above = below = 0.0
        ones = np.ones(len(block))
        for f in block.T.astype(float):
            centred = f - (f @ degrees @ ones) / (ones @ degrees @ ones)
            above += centred @ laplacian @ centred
            below += centred @ degrees @ centred
        assert scores.values[feature.name] == pytest.approx(above / below, rel=0.02), feature.name


def test_a_shuffled_feature_scores_1_and_a_smooth_one_less() -> None:
    rng = np.random.default_rng(0)
    line = np.sort(rng.normal(size=400)).astype(np.float32)[:, np.newaxis]
    edges = _neighbours(_squared_distances(line))
    assert _score(line, edges) < 0.05
    assert _score(rng.permutation(line), edges) == pytest.approx(1.0, abs=0.1)
    assert _score(np.zeros((400, 1), np.float32), edges) == 1.0


def test_too_many_provisional_segments_are_made_of_noise() -> None:
    """Why `auto` does not use them: k-means goes on to divide where there is nothing to divide."""
    features, _ = customers(1500, 3, 4)
    scores = importances(features, provisional_segments(features, 8, 0), 0)
    assert told_apart(kept(scores))[1]
    assert not told_apart(kept(laplacian_scores(features, 0)))[1]


def test_provisional_segments_are_the_kinds() -> None:
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 600)
    features = [Encoded(f"x{n}", "numeric", rng.normal(size=600) + 8 * (kind == n)) for n in range(3)]
    found = provisional_segments(features, 3, 0)
    assert found.classes == 3 and len(found.rows) == 600
    assert len({(a, b) for a, b in zip(kind, found.values, strict=True)}) == 3
