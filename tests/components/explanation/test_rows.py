"""Rows given directly: read as the data is, refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from components.explanation.rows import read_row
from components.served_model.loaded import Feature
from configs.data import DataConfig
from configs.errors import ConfigError

FEATURES = [
    Feature("age", "numeric", "age", is_text=False, whole=True),
    Feature("income", "numeric", "income", is_text=False, whole=False),
    Feature("since", "numeric", "since", is_text=False, whole=False),
    Feature("plan", "categorical", "plan", is_text=True, whole=False),
]
DATA = DataConfig(path="x.csv", types={"since": "time"}, missing={"age": [-1], "*": ["?"]})


def read(**given: Any) -> dict[str, Any]:
    return read_row(given, FEATURES, DATA, {"customer_id", "note"}, "--row")


def test_values_are_read_as_the_data_is() -> None:
    nothing = {"age": None, "income": None, "since": None, "plan": None}
    assert read(age="34", income=" 1e3 ", since="1970-01-11", plan=7) == {
        "age": 34, "income": 1000.0, "since": 10.0, "plan": "7",
    }  # fmt: skip
    assert read(since=12.5)["since"] == 12.5
    assert read(age=-1, income="?", plan="", since=None) == nothing
    assert read(income=float("nan")) == nothing
    assert read(customer_id="c1", note="let pass") == nothing
    assert read(plan=True)["plan"] == "true"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"agee": 3}, "--row: there is no column 'agee'; did you mean 'age'?"),
        ({"xyz": 3}, "--row: there is no column 'xyz'; there are age, income, since, plan"),
        ({"age": "old"}, "--row: age: 'old' is not a number"),
        ({"age": 34.5}, "--row: age: 34.5 is not a whole number"),
        ({"income": [3]}, "--row: income: is a list, where one value is expected"),
        ({"income": float("inf")}, "--row: income: inf is infinite"),
        ({"age": 2**70}, "--row: age: "),
        ({"plan": "\ud800"}, "--row: plan: "),
        ({"since": "yesterday"}, "--row: since: 'yesterday' is not a time in ISO 8601"),
    ],
)
def test_refused_in_words(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read(**given)
    assert str(error.value).startswith(message)


def test_a_row_is_cleaned_as_the_data_is() -> None:
    data = DataConfig.model_validate({
        "path": "x.csv",
        "numbers": {"income": {"thousands": ",", "strip": "$"}},
        "dates": {"since": {"formats": ["%d.%m.%Y"], "as": "month", "max_bad": 0.5}},
        "bounds": {
            "age": {"max": 120, "otherwise": "clip"},
            "income": {"min": 0, "otherwise": "missing"},
            "plan": {"allowed": ["basic"], "otherwise": "drop"},
        },
    })  # fmt: skip

    def read(**given: Any) -> dict[str, Any]:
        return read_row(given, FEATURES, data, set(), "--row")

    assert read(income="$1,234.5", since="31.12.2023", age=150, plan="basic") == {
        "income": 1234.5, "since": 12, "age": 120, "plan": "basic",
    }  # fmt: skip
    assert read(income=7, since=3, age=120) == {"income": 7.0, "since": 3.0, "age": 120, "plan": None}
    assert read(income=-0.5)["income"] is None
    for given, message in (
        ({"plan": "gold"}, "--row: plan: gold is not one of basic, as data.bounds.plan asks"),
        ({"since": "2023-12-31"}, "--row: since: '2023-12-31' is not a time in the format %d.%m.%Y"),
        ({"income": "1,5"}, "--row: income: '1,5' is not a number written with thousands ','"),
    ):
        with pytest.raises(ConfigError) as error:
            read(**given)
        assert str(error.value).startswith(message)
