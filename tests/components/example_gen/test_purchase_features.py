"""Every feature of transactions, held against a plain pandas computation customer by customer."""

from __future__ import annotations

import datetime
import itertools
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.example_gen import transactions
from components.example_gen.convert import TIMESTAMP
from components.example_gen.hashing import hash_text
from components.example_gen.period import RETURNED
from components.example_gen.purchase_features import customers, features
from components.example_gen.rows import HASH, ID
from configs.transactions import WEEKDAYS, Feature, TransactionsConfig

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
ALL: tuple[str, ...] = get_args(Feature)
DAY = pd.Timedelta(days=1)
EVERYTHING: dict[str, Any] = {
    "time": "when",
    "amount": "amount",
    "order": "order",
    "category": "category",
    "product": "product",
    "features": list(ALL),
    "category_shares": ["red", "blue"],
    "trend_days": 10,
    "returns": {"treat": "rate"},
}
TIMED = {"time": "when", "amount": "amount"}


def of_one(lines: pd.DataFrame, config: TransactionsConfig, as_of: pd.Timestamp) -> dict[str, Any]:
    """What the documentation says, of the lines of one customer: time, amount, order, category, product, returned."""
    bought = lines[~lines.returned]
    keyed = bought.order.where(bought.order.notna(), [f"line {n}" for n in range(len(bought))])
    starts = bought.time.groupby(keyed).min().sort_values()
    gaps = starts.diff().dropna() / DAY
    days = bought.amount.groupby(bought.time.dt.floor("D")).sum()
    value = bought.amount.clip(lower=0) if config.shares_of == "amount" else bought.amount * 0 + 1
    frequency = {"orders": len(starts), "lines": len(bought), "days": len(days)}[config.frequency]
    by_category = value.groupby(bought.category).sum()
    ago = as_of - bought.time
    span = DAY * config.trend_span
    recent, before = value[ago < span].sum(), value[(ago >= span) & (ago < 2 * span)].sum()
    weekday = [value[bought.time.dt.dayofweek == day].sum() for day in range(7)]

    def share(part: float) -> float | None:
        return part / value.sum() if value.sum() > 0 else None

    best = by_category[by_category > 0]
    return {
        "recency_days": (as_of - bought.time.max()) / DAY,
        "frequency": frequency,
        "monetary": bought.amount.sum(),
        "tenure_days": (as_of - bought.time.min()) / DAY,
        "average_basket": bought.amount.sum() / frequency,
        "interpurchase_days": gaps.mean() if len(starts) > 1 else None,
        "interpurchase_std_days": gaps.std() if len(starts) > 2 else None,
        "distinct_products": bought["product"].nunique(),
        "favourite_category": min(best[best == best.max()].index) if len(best) else None,
        **{f"share_{name}": share(by_category.get(name, 0.0)) for name in ("red", "blue")},
        **{f"{name}_share": share(part) for name, part in zip(WEEKDAYS, weekday, strict=True)},
        "weekend_share": share(weekday[5] + weekday[6]),
        "trend": (recent - before) / (recent + before) if recent + before else 0.0,
        "return_rate": lines.returned.mean(),
        "repeat_frequency": len(days) - 1,
        "repeat_recency_days": (days.index.max() - days.index.min()) / DAY,
        "age_days": (as_of.floor("D") - days.index.min()) / DAY,
        "mean_repeat_value": days.iloc[1:].mean() if len(days) > 1 else 0.0,
    }


def assert_as_documented(
    found: pa.Table, lines: pd.DataFrame, config: TransactionsConfig, as_of: Any
) -> None:
    expected = {
        name: of_one(group, config, as_of) for name, group in lines.groupby("id") if not group.returned.all()
    }
    assert found[ID].to_pylist() == sorted(expected)
    columns = features(found, config, as_of.value // 1000)
    for name, kind in config.columns_made().items():
        values, wanted = columns[name].to_pylist(), [expected[key][name] for key in sorted(expected)]
        assert [value is None for value in values] == [value is None for value in wanted], name
        if kind == "number":
            is_there = [value is not None for value in wanted]
            given = np.array(values, float)[is_there]
            assert np.isfinite(given).all()
            np.testing.assert_allclose(
                given, np.array(wanted, float)[is_there], rtol=1e-12, atol=1e-9, err_msg=name
            )
        else:
            assert values == wanted, name


def rows_of(lines: pd.DataFrame) -> pa.Table:
    names = pa.array(lines.id, pa.string())
    return pa.table({
        ID: names, HASH: hash_text(names), RETURNED: pa.array(lines.returned, pa.bool_()),
        "when": pa.array(lines.time.to_numpy("datetime64[us]"), TIMESTAMP),
        "amount": pa.array(lines.amount, pa.float64()),
        **{name: pa.array(lines[name], pa.string()) for name in ("order", "category", "product")},
    })  # fmt: skip


LINE = st.tuples(
    st.sampled_from("abcd"),
    st.integers(0, 40 * 24).map(lambda hour: pd.Timestamp("2024-01-01") + pd.Timedelta(hours=hour)),
    st.integers(-300, 1000).map(float),
    st.sampled_from(["1", "2", "3", None]),
    st.sampled_from(["red", "blue", "green", None]),
    st.sampled_from(["p", "q", "r", None]),
    st.booleans(),
)
NAMES = ["id", "time", "amount", "order", "category", "product", "returned"]


@settings(deadline=None, max_examples=30)
@given(
    st.lists(LINE, min_size=1, max_size=60),
    st.lists(st.integers(0, 59), max_size=5),
    st.randoms(),
    st.sampled_from([
        {}, {"frequency": "lines"}, {"frequency": "days"}, {"shares_of": "lines"}, {"order": None}, {"trend_days": 3},
    ]),
)  # fmt: skip
def test_all_features_of_any_partition_in_any_order(lines, cuts, random, options):
    config = TransactionsConfig.model_validate({**EVERYTHING, **options})
    frame = pd.DataFrame(lines, columns=NAMES)
    if config.order is None:
        frame["order"] = None
    shuffled = frame.iloc[random.sample(range(len(frame)), len(frame))]
    edges = sorted({0, len(lines), *(cut for cut in cuts if cut < len(lines))})
    as_of = frame.time.max()
    parts = [
        transactions.partial_sums(rows_of(shuffled.iloc[start:end]), config, as_of.value // 1000)
        for start, end in itertools.pairwise(edges)
    ]
    # And adding sums of sums is adding them all.
    whole = transactions.add_partial_sums([transactions.add_partial_sums(parts[:2]), *parts[2:]])
    assert_as_documented(customers(whole, config), frame, config, as_of)


HAND = """id,when,amount,order,category,product
ann,2024-01-01 12:00,10,o1,tea,p1
ann,2024-01-01 12:30,5,o1,mugs,p2
ann,2024-01-06 12:00,20,o2,tea,p1
ann,2024-01-08 12:00,5,o3,mugs,p3
ann,2024-01-08 13:00,-5,c1,tea,p1
bob,2024-01-09 12:00,8,o4,,p1
"""


def hand(write, read, **keys: Any):
    timed = {**TIMED, "order": "order", **keys}
    return read(write(HAND), transactions=timed).table.drop(["id"]).to_pydict()


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        # Orders at 1, 6, 8 and 8 + 1/24: three gaps of 5, 2 and 1/24 days.
        ({"features": ["interpurchase_days"]}, {"interpurchase_days": [(7 + 1 / 24) / 3, None]}),
        (
            {"features": ["interpurchase_std_days"]},
            {"interpurchase_std_days": [np.std([5, 2, 1 / 24], ddof=1), None]},
        ),
        ({"features": ["distinct_products"], "product": "product"}, {"distinct_products": [3, 1]}),
        (
            {"features": ["favourite_category"], "category": "category"},
            {"favourite_category": ["tea", None]},
        ),
        # By lines tea has three of five.
        (
            {"features": ["monetary"], "category": "category", "category_shares": ["tea"]},
            {"monetary": [35.0, 8.0], "share_tea": [0.75, 0.0]},
        ),
        (
            {
                "features": ["monetary"],
                "category": "category",
                "category_shares": ["tea"],
                "shares_of": "lines",
            },
            {"monetary": [35.0, 8.0], "share_tea": [0.6, 0.0]},
        ),
        # 2024-01-06 was a Saturday, the 1st and the 8th were Mondays, the 9th a Tuesday.
        ({"features": ["weekend_share"]}, {"weekend_share": [0.5, 0.0]}),
        (
            {"features": ["weekday_shares"]},
            {f"{day}_share": [{0: 0.5, 5: 0.5}.get(n, 0.0), float(n == 1)] for n, day in enumerate(WEEKDAYS)},
        ),
        # Up to the 9th at 12:00: the last four days hold 25, the four before 5, and not the 1st at 12:00.
        ({"features": ["trend"], "trend_days": 4}, {"trend": [(25 - 5) / 30, 1.0]}),
        ({"features": ["trend"], "window_days": 8}, {"trend": [(25 - 5) / 30, 1.0]}),
        ({"features": ["trend"], "trend_days": 1}, {"trend": [-1.0, 1.0]}),
        ({"features": ["frequency"]}, {"frequency": [4, 1]}),
        ({"features": ["frequency"], "frequency": "lines"}, {"frequency": [5, 1]}),
        ({"features": ["frequency"], "frequency": "days"}, {"frequency": [3, 1]}),
        (
            {"features": ["average_basket"], "frequency": "days"},
            {"average_basket": [35 / 3, 8.0]},
        ),
        # Daily: 15, 20 and 0; two repeats.
        (
            {"features": ["repeat_frequency", "repeat_recency_days", "age_days", "mean_repeat_value"]},
            {
                "repeat_frequency": [2, 0],
                "repeat_recency_days": [7.0, 0.0],
                "age_days": [8.0, 0.0],
                "mean_repeat_value": [10.0, 0.0],
            },
        ),
        ({"features": ["frequency"], "returns": {"treat": "drop"}}, {"frequency": [3, 1]}),
        (
            {"features": ["monetary"], "returns": {"treat": "rate"}},
            {"monetary": [40.0, 8.0], "return_rate": [0.2, 0.0]},
        ),
        (
            {
                "features": ["monetary"],
                "returns": {"treat": "rate", "when": {"column": "order", "matches": "^o1"}},
            },
            {"monetary": [20.0, 8.0], "return_rate": [0.4, 0.0]},
        ),
    ],
)
def test_by_hand(write, read, keys, expected):
    found = hand(write, read, **keys)
    assert list(found) == list(expected)
    for name, values in expected.items():
        assert found[name] == [pytest.approx(value) if value is not None else None for value in values], name


def test_the_order_of_columns_is_that_of_the_documentation_and_not_of_the_config(write, read):
    found = hand(write, read, features=["tenure_days", "recency_days"])
    assert list(found) == ["recency_days", "tenure_days"]


def test_equal_categories_are_told_apart_by_name(write, read):
    lines = ["a,2024-01-01,5,zinc", "a,2024-01-01,5,iron", "b,2024-01-01,0,iron"]
    timed = {**TIMED, "category": "c", "features": ["favourite_category"], "category_shares": ["iron"]}
    for ordered in (lines, lines[::-1]):
        reading = read(write("id,when,amount,c\n" + "\n".join(ordered) + "\n"), transactions=timed)
        assert reading.column("favourite_category") == ["iron", None]
        # Who paid nothing has nothing to share out.
        assert reading.column("share_iron") == [0.5, None]


def test_a_customer_with_one_transaction(write, read):
    path = write("id,when,amount,order,category,product\na,2024-01-06 10:00,4,1,red,p\n")
    timed = {**EVERYTHING, "category_shares": ["red", "blue"]}
    row = read(path, transactions=timed).table.to_pylist()[0]
    assert row == {
        "id": "a", "recency_days": 0.0, "frequency": 1, "monetary": 4.0, "tenure_days": 0.0, "average_basket": 4.0,
        "interpurchase_days": None, "interpurchase_std_days": None, "distinct_products": 1,
        "favourite_category": "red", "share_red": 1.0, "share_blue": 0.0,
        **{f"{day}_share": float(day == "saturday") for day in WEEKDAYS},
        "weekend_share": 1.0, "trend": 1.0, "return_rate": 0.0,
        "repeat_frequency": 0, "repeat_recency_days": 0.0, "age_days": 0.0, "mean_repeat_value": 0.0,
    }  # fmt: skip


@pytest.fixture(scope="module")
def online_retail() -> tuple[Path, pd.DataFrame]:
    path = DATA / "online_retail" / "online_retail.csv.gz"
    if not path.exists():
        pytest.skip("the shared test data is not there")
    frame = pd.read_csv(
        path, dtype={"InvoiceNo": str, "StockCode": str, "CustomerID": str}, parse_dates=["InvoiceDate"]
    )
    frame = frame[(frame.Country == "United Kingdom") & frame.CustomerID.notna()]
    return path, frame.assign(
        id=frame.CustomerID.str.removesuffix(".0"),
        time=frame.InvoiceDate,
        amount=frame.Quantity * frame.UnitPrice,
    )


UK = {
    "id": "CustomerID",
    "types": {"CustomerID": "integer"},
    "missing_ids": "drop",
    "keep": [{"column": "Country", "eq": "United Kingdom"}],
}
RETAIL = {"time": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice", "order": "InvoiceNo"}


def test_uk_customers_of_online_retail_as_the_publications_did_it(read, online_retail):
    """Chen, Sain & Guo (2012): UK customers of a calendar year, cancellations out; recency to the day after it."""
    path, frame = online_retail
    as_of = datetime.date(2011, 12, 10)
    returns = {"treat": "drop", "when": {"column": "InvoiceNo", "matches": "^C"}}
    reading = read(path, **UK, transactions={**RETAIL, "as_of": as_of, "returns": returns})
    sold = frame[~frame.InvoiceNo.str.startswith("C")]
    grouped = sold.groupby("id")
    found = reading.table.to_pandas().set_index("CustomerID").loc[sorted(sold.id.unique())]
    assert (found.recency_days == (pd.Timestamp(as_of) - grouped.time.max()) / DAY).all()
    assert (found.tenure_days == (pd.Timestamp(as_of) - grouped.time.min()) / DAY).all()
    assert (found.frequency == grouped.InvoiceNo.nunique()).all()
    # To the last cent: the order of additions leaves some units of the sixteenth digit.
    np.testing.assert_allclose(found.monetary, grouped.amount.sum(), rtol=1e-13)
    assert (found.monetary.round(2) == grouped.amount.sum().round(2)).all()
    assert reading.tally.rows_dropped["returns"] == frame.InvoiceNo.str.startswith("C").sum() > 7_000
    assert len(found) == 3921


def test_calibration_summary_of_online_retail(read, online_retail):
    """The repeats by day up to a date, as the buy-till-you-die models want them (Fader, Hardie & Lee 2005)."""
    path, frame = online_retail
    end = pd.Timestamp("2011-06-30")
    reading = read(
        path,
        **{**UK, "keep": [*UK["keep"], {"column": "Quantity", "gt": 0}]},
        transactions={
            **RETAIL,
            "as_of": datetime.datetime(2011, 6, 30, 23, 59, 59),
            "features": ["repeat_frequency", "repeat_recency_days", "age_days", "mean_repeat_value"],
        },
    )
    daily = frame[(frame.Quantity > 0) & (frame.time < end + DAY)]
    daily = daily.assign(day=daily.time.dt.floor("D")).groupby(["id", "day"]).amount.sum().reset_index()
    grouped = daily.groupby("id")
    first = grouped.day.min()
    repeats = daily[daily.day > daily.id.map(first)].groupby("id").amount.mean()
    found = reading.table.to_pandas().set_index("CustomerID").loc[first.index]
    assert (found.repeat_frequency == grouped.day.nunique() - 1).all()
    assert (found.repeat_recency_days == (grouped.day.max() - first) / DAY).all()
    assert (found.age_days == (end - first) / DAY).all()
    np.testing.assert_allclose(found.mean_repeat_value, repeats.reindex(first.index).fillna(0.0), rtol=1e-13)


def test_more_features_of_online_retail_equal_pandas(read, online_retail):
    path, frame = online_retail
    wanted = ["interpurchase_days", "interpurchase_std_days", "distinct_products", "weekend_share"]
    keep = [*UK["keep"], {"column": "Quantity", "gt": 0}]
    timed = {**RETAIL, "product": "StockCode", "features": wanted}
    found = read(path, **{**UK, "keep": keep}, transactions=timed).table.to_pandas().set_index("CustomerID")
    sold = frame[frame.Quantity > 0]
    starts = sold.groupby(["id", "InvoiceNo"]).time.min().reset_index().sort_values(["id", "time"])
    gaps = starts.groupby("id").time.diff() / DAY
    found = found.loc[sorted(sold.id.unique())]
    by_gap = gaps.groupby(starts.id)
    np.testing.assert_allclose(found.interpurchase_days, by_gap.mean(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.interpurchase_std_days, by_gap.std(), rtol=1e-11, atol=1e-12)
    assert (found.distinct_products == sold.groupby("id").StockCode.nunique()).all()
    weekend = sold.amount.where(sold.time.dt.dayofweek >= 5, 0.0).groupby(sold.id).sum()
    share = (weekend / sold.groupby("id").amount.sum()).to_numpy()
    np.testing.assert_allclose(found.weekend_share, share, rtol=1e-11, atol=1e-12)
