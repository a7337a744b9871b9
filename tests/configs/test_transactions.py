"""Section `data.transactions`: combinations that mean nothing are refused, and what each makes is known."""

from __future__ import annotations

import datetime
from typing import get_args

import pytest
from pydantic import ValidationError

from configs.transactions import DEFAULT_FEATURES, WEEKDAYS, Feature, TransactionsConfig

TIMED = {"time": "when", "amount": "amount"}


def config_of(**keys):
    return TransactionsConfig.model_validate({**TIMED, **keys})


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"features": []}, "at least 1 item"),
        ({"features": ["monetary", "monetary"]}, "'monetary' is listed twice"),
        ({"features": ["money"]}, "Input should be 'recency_days'"),
        ({"features": ["favourite_category"]}, "favourite_category and category_shares need 'category'"),
        ({"category_shares": 3}, "favourite_category and category_shares need 'category'"),
        ({"category": "c"}, "'category' is named, but nothing is made of it"),
        ({"category": "when", "category_shares": 3}, "'category' must be another column than the time"),
        ({"category": "c", "category_shares": []}, "at least one category"),
        ({"category": "c", "category_shares": ["x", "x"]}, "each of them once"),
        ({"category": "c", "category_shares": 0}, "greater than or equal to 1"),
        ({"features": ["distinct_products"]}, "distinct_products needs 'product'"),
        ({"product": "p"}, "'product' is named, but nothing is made of it"),
        ({"features": ["return_rate"]}, "return_rate needs returns: {treat: rate}"),
        (
            {"features": ["return_rate"], "returns": {"treat": "drop"}},
            "return_rate needs returns: {treat: rate}",
        ),
        ({"returns": {"when": "negative"}}, "treat: net treats all lines alike"),
        ({"returns": {"treat": "drop", "when": {"column": "order"}}}, "needs an operator"),
        ({"frequency": "lines", "features": ["monetary"]}, "neither frequency nor average_basket"),
        ({"features": ["trend"]}, "trend needs 'trend_days' or 'window_days'"),
        ({"features": ["trend"], "window_days": 1}, "window_days must be 2 or more"),
        ({"features": ["trend"], "window_days": 19, "trend_days": 10}, "'window_days' must be 20 or more"),
        ({"trend_days": 5}, "'trend_days' is said, but trend is not in 'features'"),
        ({"timezone": "Europe/Lodnon"}, "is not the IANA name of a time zone"),
        ({"timezone": ""}, "is not the IANA name of a time zone"),
        ({"timezone": "../etc/passwd"}, "is not the IANA name of a time zone"),
        ({"max_bad_times": -1}, "greater than or equal to 0"),
        ({"max_bad_times": 1.5}, "less than 1"),
        ({"window_days": 0}, "greater than or equal to 1"),
    ],
)
def test_what_means_nothing_is_refused(keys, said):
    with pytest.raises(ValidationError) as caught:
        config_of(**keys)
    assert said in str(caught.value)


def test_it_survives_json():
    config = config_of(
        category="c",
        category_shares=3,
        features=["trend", "monetary"],
        window_days=9,
        as_of=datetime.datetime(2024, 1, 1, 12),
        returns={"treat": "rate", "when": {"column": "o", "matches": "^C"}},
        timezone="Asia/Tokyo",
    )
    assert TransactionsConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config
    assert TransactionsConfig.model_validate_json(config_of().model_dump_json()) == config_of()


def test_what_is_made():
    assert tuple(config_of().columns_made()) == DEFAULT_FEATURES
    everything = config_of(
        category="c", product="p", category_shares=2, returns={"treat": "rate"}, trend_days=3,
        features=list(get_args(Feature)),
    )  # fmt: skip
    made = everything.columns_made(["x", "y"])
    assert {name for name, kind in made.items() if kind == "text"} == {"favourite_category"}
    assert {"share_x", "share_y", "trend", *(f"{day}_share" for day in WEEKDAYS)} < set(made)
    assert "share_x" not in everything.columns_made()
    assert list(config_of(category="c", category_shares=["y", "x"]).columns_made())[-2:] == [
        "share_y",
        "share_x",
    ]


@pytest.mark.parametrize(
    ("as_of", "timezone", "expected"),
    [
        (datetime.date(2024, 7, 1), None, "2024-07-01T00:00"),
        (datetime.date(2024, 7, 1), "Europe/London", "2024-06-30T23:00"),
        (datetime.datetime(2024, 7, 1, 12), "Europe/London", "2024-07-01T11:00"),
        (
            datetime.datetime(2024, 7, 1, 12, tzinfo=datetime.timezone.utc),
            "Europe/London",
            "2024-07-01T12:00",
        ),
    ],
)
def test_the_end_of_the_period_in_utc(as_of, timezone, expected):
    end = config_of(as_of=as_of, timezone=timezone).end
    assert end == (datetime.datetime.fromisoformat(expected) - datetime.datetime(1970, 1, 1)) // (
        datetime.timedelta(microseconds=1)
    )
    assert config_of().end is None
