"""Explanations of a real exported model: held against the model's own answers and against brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.explanation.decomposition import coordinate_parts, nearest_prototypes
from components.explanation.explain import explain
from components.served_model.loaded import LoadedModel, Row

RANGES = {"f_spend": (0.0, 300.0), "i_visits": (0.0, 60.0)}

rows = st.fixed_dictionaries(
    {
        "f_spend": st.none() | st.floats(-50, 400, width=32),
        "i_visits": st.none() | st.integers(0, 80),
        "s_plan": st.none() | st.sampled_from(["basic", "plus", "pro", "never seen"]),
    }
)


def explained(model: LoadedModel, row: Row) -> dict[str, Any]:
    return explain(model, row, RANGES, "nowhere.parquet")


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=rows)
def test_the_segments_are_the_models_and_the_parts_add_up(model: LoadedModel, row: Row) -> None:
    content = explained(model, row)
    answer = model.ask_rows([row])
    distances = answer.distances[0].astype(np.float64)
    own, second = content["segment"], content["second"]
    assert own["id"] == answer.segment_ids[0]
    assert own["distance"] == distances.min()
    assert second["distance"] == np.sort(distances)[1]
    assert model.segment_ids[distances == second["distance"]].tolist().count(second["id"]) == 1
    assert own["is_outlier"] == answer.outliers[0]
    assert [each["distance"] for each in content["distances"]] == np.sort(distances).tolist()

    parts = [each["part"] for each in content["features"]]
    assert {each["feature"] for each in content["features"]} == {"f_spend", "i_visits", "s_plan"}
    assert math.fsum(parts) == content["difference"]
    # The model's distances are float32 roots: squares of them are as exact as their size.
    squares = second["distance"] ** 2 - own["distance"] ** 2
    assert content["difference"] == pytest.approx(squares, abs=1e-5 * (1 + second["distance"] ** 2))

    # Every change is confirmed by the model, and by another signature than the one that was searched with.
    for change in content["changes"]:
        moved = {**row, change["feature"]: change["to"]}
        assert model.ask_rows([moved]).segment_ids[0] == second["id"]
        centroids, owners = model.prototypes()
        vector = model.vectors([moved])[0].astype(np.float64)
        squares = np.sum((vector - centroids) ** 2, axis=1)
        assert squares[owners == second["id"]].min() <= squares.min() + 1e-6
        for other in change["or"]:
            assert model.ask_rows([{**row, change["feature"]: other}]).segment_ids[0] == second["id"]
    if content["together"]:
        joint = {**row, **{change["feature"]: change["to"] for change in content["together"]}}
        assert model.ask_rows([joint]).segment_ids[0] == second["id"]
        assert not content["changes"]


@pytest.mark.parametrize("feature", ["f_spend", "i_visits"])
def test_the_change_is_the_smallest(model: LoadedModel, feature: str) -> None:
    """Against a dense grid over the whole range."""
    grid = np.arange(0, 61.0) if feature == "i_visits" else np.linspace(0, 300, 30_001)
    crossed = 0
    for row in ({"f_spend": spend, "i_visits": visits, "s_plan": "plus"}
                for spend in (20.0, 60.0, 100.0, 170.0) for visits in (3, 15, 30)):  # fmt: skip
        content = explained(model, row)
        found = [change for change in content["changes"] if change["feature"] == feature]
        table = {f: np.full(len(grid), v, object if f == "s_plan" else float) for f, v in row.items()}
        answers = model.ask({**table, feature: grid})
        inside = grid[answers.segment_ids == content["second"]["id"]]
        if not len(inside):
            assert not found, row
            continue
        smallest = np.abs(inside - row[feature]).min()
        crossed += 1
        assert len(found) == 1, row
        assert abs(found[0]["by"]) <= max(smallest * 1.011, smallest + 1e-9), row
        step = grid[1] - grid[0]
        assert abs(found[0]["by"]) >= smallest - step, row
    assert crossed >= 3


def test_a_cosine_difference_is_twice_that_of_the_cosines(models: dict[str, LoadedModel]) -> None:
    row = {"f_spend": 120.0, "i_visits": 20, "s_plan": "plus"}
    assert explained(models["euclidean"], row)["metric"] == "euclidean"
    content = explained(models["cosine"], row)
    assert content["metric"] == "cosine"
    vector = models["cosine"].vectors([row])[0].astype(np.float64)
    centroids, owners = models["cosine"].prototypes()
    nearest = nearest_prototypes(vector, centroids, owners)
    own, second = nearest[content["segment"]["id"]], nearest[content["second"]["id"]]
    assert content["difference"] == pytest.approx(2 * (vector @ own - vector @ second), abs=1e-6)
    assert content["difference"] == pytest.approx(math.fsum(coordinate_parts(vector, own, second)), rel=1e-12)


def test_a_missing_number_is_searched_for_too(models: dict[str, LoadedModel]) -> None:
    content = explained(models["euclidean"], {"i_visits": 25})
    (change,) = [each for each in content["changes"] if each["feature"] == "f_spend"]
    assert change["from"] is None
    assert change["by"] is None
    assert content["row"] == {"f_spend": None, "i_visits": 25, "s_plan": None}


def test_typical_values_stand_beside_the_customers(models: dict[str, LoadedModel]) -> None:
    content = explained(models["euclidean"], {"f_spend": 11.0, "i_visits": 3, "s_plan": "basic"})
    spend = next(each for each in content["features"] if each["feature"] == "f_spend")
    assert spend["value"] == 11.0
    assert spend["typical"] == pytest.approx(10, abs=1)
    assert spend["typical_of_second"] == pytest.approx(110, abs=2)
    assert spend["part"] > 0
    assert 0.3 < content["share_of_the_way"] < 0.7


def test_one_segment_has_no_second(models: dict[str, LoadedModel]) -> None:
    content = explained(models["one"], {"f_spend": 11.0})
    assert content["segment"]["id"] == 1
    assert content["second"] is None
    assert "features" not in content


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_components_are_explained_by_the_features_they_are_made_of(
    rotated_models: dict[str, LoadedModel], metric: str
) -> None:
    model = rotated_models[metric]
    assert model.content["vector"][:2] == ["component 1", "component 2"]
    assert model.content["owners"][:3] == [None, None, "s_plan"]
    for row in ({"f_spend": 11.0, "i_visits": 3, "f_noise": 50.0, "s_plan": "basic"}, {"f_spend": 200.0}, {}):
        content = explained(model, row)
        parts = {each["feature"]: each["part"] for each in content["features"]}
        assert set(parts) == {"f_noise", "f_spend", "i_visits", "s_plan"}
        distances = content["second"]["distance"] ** 2 - content["segment"]["distance"] ** 2
        assert content["difference"] == pytest.approx(distances, rel=1e-3, abs=1e-4)
        assert content["metric"] == metric
