"""Which transactions count: the end of the period, its window, future dates, returns."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from components.errors import DataError
from configs.errors import ConfigError

TIMED = {"time": "when", "amount": "amount"}
LINES = """id,when,amount,order
ann,2024-01-01 12:00,10,o1
ann,2024-01-05 12:00,7,o2
ann,2024-01-07 12:00,-3,c3
bob,2024-01-08 12:00,5,o4
ann,2031-01-01 00:00,99,o5
"""


def test_window_and_future_dates(write, read):
    timed = {**TIMED, "as_of": datetime.date(2024, 1, 9), "window_days": 4}
    reading = read(write(LINES), transactions=timed)
    assert reading.column("monetary") == [4.0, 5.0]
    assert reading.column("recency_days") == [1.5, 0.5]
    assert reading.tally.rows_dropped == {"after_as_of": 1, "before_window": 1}


@pytest.mark.parametrize(
    ("as_of", "days", "frequency"),
    [
        # The end belongs to the window, its begin does not.
        (datetime.datetime(2024, 1, 5, 12), 4, 1),
        (datetime.datetime(2024, 1, 5, 12), 5, 2),
        (datetime.datetime(2024, 1, 5, 11, 59, 59), 5, 1),
        (datetime.datetime(2024, 1, 5, 13, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), 4, 1),
        (datetime.datetime(2024, 1, 5, 12, 59, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), 5, 1),
    ],
)
def test_the_edges_of_the_window(write, read, as_of, days, frequency):
    reading = read(write(LINES), transactions={**TIMED, "as_of": as_of, "window_days": days})
    assert reading.column("frequency") == [frequency]


def test_the_window_ends_with_the_latest_purchase_of_all_files(write, read):
    lines = LINES.splitlines()
    head = lines[0] + "\n"
    paths = [write(head + "\n".join(lines[1:4]), "a.csv"), write(head + lines[4], "b.csv")]
    for order in (paths, paths[::-1]):
        reading = read(order, transactions={**TIMED, "window_days": 2})
        assert reading.table.to_pydict() == {
            "id": ["ann", "bob"], "recency_days": [1.0, 0.0], "frequency": [1, 1], "monetary": [-3.0, 5.0],
            "tenure_days": [1.0, 0.0], "average_basket": [-3.0, 5.0],
        }  # fmt: skip
        assert reading.tally.rows_dropped == {"before_window": 2}


def test_the_latest_purchase_is_one_that_is_kept_and_no_return(write, read):
    keep = [{"column": "when", "lt": "2031-01-01"}, {"column": "id", "eq": "ann"}]
    for treat, latest in (("net", 2.0), ("drop", 0.0), ("rate", 0.0)):
        timed = {**TIMED, "window_days": 3, "returns": {"treat": treat}}
        reading = read(write(LINES), keep=keep, transactions=timed)
        assert reading.column("tenure_days") == [latest]


RETURNS: list[tuple[dict[str, Any], dict[str, Any], dict[str, int]]] = [
    ({}, {"monetary": [113.0, 5.0], "frequency": [4, 1]}, {}),
    ({"treat": "net"}, {"monetary": [113.0, 5.0], "frequency": [4, 1]}, {}),
    ({"treat": "drop"}, {"monetary": [116.0, 5.0], "frequency": [3, 1]}, {"returns": 1}),
    (
        {"treat": "drop", "when": {"column": "order", "matches": "^o[14]"}},
        {"monetary": [103.0], "frequency": [3]},
        {"returns": 2},
    ),
    (
        {"treat": "rate"},
        {"monetary": [116.0, 5.0], "frequency": [3, 1], "return_rate": [0.25, 0.0]},
        {},
    ),
    # Bob has nothing but a return then.
    (
        {"treat": "rate", "when": {"column": "order", "matches": "^o[14]"}},
        {"monetary": [103.0], "return_rate": [0.25]},
        {"only_returns": 1},
    ),
]


@pytest.mark.parametrize(("returns", "expected", "dropped"), RETURNS)
def test_returns(write, read, returns, expected, dropped):
    reading = read(write(LINES), transactions={**TIMED, "order": "order", "returns": returns})
    assert {name: reading.column(name) for name in expected} == expected
    assert reading.tally.rows_dropped == dropped
    assert ("return_rate" in reading.table.column_names) == (returns.get("treat") == "rate")


def test_returns_by_quantity(write, read):
    path = write("id,when,q,p\na,2024-01-01,2,5\na,2024-01-02,-1,5\na,2024-01-03,1,-4\n")
    timed = {"time": "when", "quantity": "q", "price": "p", "returns": {"treat": "drop"}}
    # A price below zero is an adjustment and no return.
    assert read(path, transactions=timed).column("monetary") == [6.0]


def test_copies_of_returns_are_dropped_before_they_are_counted(write, read):
    path = write("id,when,amount\na,2024-01-01,1\na,2024-01-02,-1\na,2024-01-02,-1\na,2024-01-03,2\n")
    timed = {**TIMED, "returns": {"treat": "rate"}}
    reading = read(path, duplicate_rows="drop", transactions=timed)
    assert reading.column("return_rate") == [pytest.approx(1 / 3)]
    assert reading.tally.rows_dropped == {"duplicate_rows": 1}


def test_keep_by_quantity_and_by_the_begin_of_the_order(write, read):
    path = write(
        "id,when,q,p,order\na,2024-01-01,2,5,536\na,2024-01-02,-2,5,C536\na,2024-01-03,0,9,537\n"
        "a,2024-01-04,-1,5,538\na,2024-01-05,1,1,C9\n"
    )
    timed = {"time": "when", "quantity": "q", "price": "p", "order": "order"}
    keep = [{"column": "q", "gt": 0}, {"column": "order", "not_matches": "^C"}]
    reading = read(path, keep=keep, transactions=timed)
    assert (reading.column("monetary"), reading.column("frequency")) == ([10.0], [1])
    assert reading.tally.rows_dropped == {"q gt 0": 3, "order not_matches ^C": 1}


@pytest.mark.parametrize("treat", ["drop", "rate"])
def test_nothing_but_returns(write, read, treat):
    path = write("id,when,amount,c,p\na,2024-01-01,-1,x,y\nb,2024-01-02,-2,x,y\n")
    timed = {
        **TIMED, "returns": {"treat": treat}, "trend_days": 3, "category": "c", "product": "p",
        "features": ["trend", "favourite_category", "distinct_products", "weekend_share", "interpurchase_std_days",
                     "mean_repeat_value"],
    }  # fmt: skip
    with pytest.raises(DataError, match="no customers are left of 2 rows"):
        read(path, transactions=timed)
    with pytest.raises(DataError, match=r"no customers are left of 2 rows: dropped 2 by 'amount gt 5'"):
        read(path, transactions=timed, keep=[{"column": "amount", "gt": 5}])


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (
            {"column": "amount", "lt": "zero"},
            "data.transactions.returns.when: amount lt: 'zero' is not a number",
        ),
        (
            {"column": "order", "matches": "(?=C)"},
            "data.transactions.returns.when: order: '(?=C)' is not RE2",
        ),
        ({"column": "ordr", "eq": "C"}, "data.transactions.returns.when: there is no column 'ordr'"),
        ({"column": "id", "eq": "ann"}, "data.transactions.returns.when: 'id' is the customer id"),
    ],
)
def test_a_condition_on_returns_that_means_nothing(write, read, when, said):
    with pytest.raises(ConfigError) as caught:
        read(write(LINES), transactions={**TIMED, "returns": {"treat": "drop", "when": when}})
    assert str(caught.value).startswith(said)
