"""Real customer tables and their quirks, handled by the configuration alone."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from components.errors import DataError

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not there")

TELCO = DATA / "telco_churn" / "Telco-Customer-Churn.csv"
BANK = DATA / "bank_marketing" / "bank-full.csv.gz"
CREDIT = DATA / "credit_default" / "UCI_Credit_Card.csv.gz"
WHOLESALE = DATA / "wholesale" / "wholesale_customers.csv"


def test_telco_says_what_to_do_about_its_blanks(read):
    with pytest.raises(DataError) as caught:
        read(TELCO)
    assert "line 490 (row 489), column 'TotalCharges': ' ' is not a number" in str(caught.value)
    assert "data.missing: {TotalCharges: [' ']}" in str(caught.value)


def test_telco(read):
    reading = read(TELCO, missing={"TotalCharges": [" "]}, types={"SeniorCitizen": "text"})
    expected = pd.read_csv(TELCO, na_values={"TotalCharges": [" "]}, dtype={"SeniorCitizen": str})
    assert reading.source.id_column == "customerID"
    assert reading.table["TotalCharges"].null_count == 11
    pd.testing.assert_frame_equal(reading.table.to_pandas(), expected)


def test_bank_marketing(read):
    missing = {"*": ["unknown"], "pdays": [-1]}
    reading = read(BANK, delimiter=";", missing=missing)
    expected = pd.read_csv(BANK, sep=";", na_values=["unknown"])
    expected["pdays"] = expected.pdays.where(expected.pdays != -1)
    assert reading.source.id_column is None
    assert reading.column("row_number") == [str(number) for number in range(1, 45_212)]
    found = reading.table.drop(["row_number"]).to_pandas()
    for name in expected:
        assert found[name].isna().sum() == expected[name].isna().sum(), name
    assert found.pdays.isna().sum() > 36_000
    assert (found.balance < 0).sum() == (expected.balance < 0).sum() > 0
    assert (found.balance == expected.balance).all()


def test_credit_card_clients(read):
    reading = read(
        CREDIT, duplicate_rows="drop", types={"SEX": "text", "EDUCATION": "text", "MARRIAGE": "text"}
    )
    expected = pd.read_csv(CREDIT).drop_duplicates()
    assert reading.tally.rows_dropped == {"duplicate_rows": 35} == {"duplicate_rows": 30_000 - len(expected)}
    assert reading.column("row_number") == [str(row + 1) for row in expected.index]
    assert reading.column("BILL_AMT1") == expected.BILL_AMT1.tolist()
    assert reading.column("EDUCATION") == expected.EDUCATION.astype(str).tolist()


def test_wholesale(read):
    reading = read(WHOLESALE, types={"Channel": "text", "Region": "text"})
    expected = pd.read_csv(WHOLESALE, dtype={"Channel": str, "Region": str})
    pd.testing.assert_frame_equal(reading.table.drop(["row_number"]).to_pandas(), expected)
