"""Real rows for the k-means benchmark: the customers of the UCI Online Retail shop, resampled.

The shop has some 4,300 customers, so they are drawn with replacement, and jittered by 5 % of each column's
standard deviation so that no two rows are the same.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

_JITTER = 0.05
_DAY = pd.Timedelta(days=1)


def customer_features(path: Path) -> np.ndarray:
    """Turns the transactions of Online Retail into one row per customer.

    Only sales count: positive quantity and price, a known customer, not a cancellation.

    Args:
        path: The data set as CSV, gzipped or not.

    Returns:
        float64 [customers, 6], by customer id: recency in days, orders, money spent, tenure in days, average
        basket, distinct products; log(1 + x) of each, standardized.
    """
    used = ["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]
    text = {"InvoiceNo": str, "StockCode": str}
    lines = pd.read_csv(path, usecols=used, dtype=text, parse_dates=["InvoiceDate"])
    sold = (lines["Quantity"] > 0) & (lines["UnitPrice"] > 0) & lines["CustomerID"].notna()
    lines = lines[sold & ~lines["InvoiceNo"].str.startswith("C")]
    lines = lines.assign(money=lines["Quantity"] * lines["UnitPrice"])

    customers = lines.groupby("CustomerID")
    dates, money, orders = (
        customers["InvoiceDate"],
        customers["money"].sum(),
        customers["InvoiceNo"].nunique(),
    )
    last_day = lines["InvoiceDate"].max()
    features = np.column_stack(
        [
            (last_day - dates.max()) / _DAY,
            orders,
            money,
            (last_day - dates.min()) / _DAY,
            money / orders,
            customers["StockCode"].nunique(),
        ]
    )
    features = np.log1p(features)
    return (features - features.mean(axis=0)) / features.std(axis=0)


def resample(features: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """Draws `rows` of the features with replacement and jitters them; float32 [rows, d]."""
    random = np.random.default_rng(seed)
    drawn = features[random.integers(len(features), size=rows)]
    noise = random.standard_normal(drawn.shape) * (_JITTER * features.std(axis=0))
    return (drawn + noise).astype(np.float32)
