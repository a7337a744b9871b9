"""Made-up customers for the benchmarks: the same table for the same arguments, on every machine.

Six kinds of customers with skewed, correlated amounts, as a shop's table has them: counts with long tails,
log-normal money, a few heavy buyers, two text columns whose frequencies depend on the kind.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

ID = "customer_id"
NUMERIC = (
    "age",
    "tenure_months",
    "recency_days",
    "orders",
    "total_spend",
    "average_basket",
    "discount_share",
    "returns",
)
CATEGORIES = {
    "region": ("north", "south", "east", "west", "centre", "coast", "islands", "abroad"),
    "channel": ("store", "web", "app", "phone"),
}

# One row per kind of customer: share, mean age, mean tenure (months), mean recency (days), mean orders,
# median basket (currency), mean share bought at a discount, returns per order.
_KINDS = np.array(
    [
        (0.34, 44, 30, 120, 4, 25, 0.30, 0.02),
        (0.24, 33, 14, 40, 9, 38, 0.55, 0.08),
        (0.18, 58, 80, 60, 14, 31, 0.15, 0.01),
        (0.12, 29, 5, 20, 3, 52, 0.40, 0.15),
        (0.09, 47, 60, 25, 30, 64, 0.10, 0.03),
        (0.03, 51, 95, 10, 70, 140, 0.05, 0.02),
    ]
)


def make_customers(rows: int, seed: int = 0) -> pa.Table:
    """Draws `rows` customers.

    Args:
        rows: How many customers, at least 1.
        seed: Of the random generator; the same seed and number of rows give the same table.

    Returns:
        A table [rows, 11]: `customer_id` (string, unique), the columns of `NUMERIC` (int64 counts and ages,
        float64 money and shares) and those of `CATEGORIES` (string). Nothing is missing.

    Raises:
        ValueError: if `rows` is less than 1.
    """
    if rows < 1:
        raise ValueError(f"rows must be at least 1, not {rows}")
    random = np.random.default_rng(seed)
    kind = random.choice(len(_KINDS), size=rows, p=_KINDS[:, 0])
    _, age, tenure, recency, orders, basket, discount, returns = _KINDS[kind].T

    bought = 1 + random.poisson(random.gamma(2.0, orders / 2.0))
    average_basket = random.lognormal(np.log(basket), 0.45)
    columns = {
        ID: np.char.add("C", np.char.zfill(random.permutation(rows).astype(str), 9)),
        "age": np.clip(random.normal(age, 9.0), 18, 99).astype(np.int64),
        "tenure_months": np.minimum(random.gamma(2.0, tenure / 2.0), 240).astype(np.int64),
        "recency_days": np.minimum(random.exponential(recency), 730).astype(np.int64),
        "orders": bought,
        "total_spend": np.round(bought * average_basket * random.lognormal(0.0, 0.1, rows), 2),
        "average_basket": np.round(average_basket, 2),
        "discount_share": np.round(random.beta(8 * discount, 8 * (1 - discount)), 4),
        "returns": random.binomial(bought, returns),
    }
    for name, values in CATEGORIES.items():
        shares = random.dirichlet(np.full(len(values), 2.0), size=len(_KINDS))
        drawn = (random.random((rows, 1)) > np.cumsum(shares, axis=1)[kind]).sum(axis=1)
        columns[name] = np.array(values)[np.minimum(drawn, len(values) - 1)]
    return pa.table(columns)


def write_customers(path: Path, rows: int, seed: int = 0) -> None:
    """Writes `make_customers(rows, seed)` as CSV with a header to `path`, whose folder is made if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = pa.BufferOutputStream()
    pa_csv.write_csv(make_customers(rows, seed), buffer)
    # This Arrow quotes all text, and CsvExampleGen takes the quotes of a header for a part of the names.
    path.write_bytes(buffer.getvalue().to_pybytes().replace(b'"', b""))
