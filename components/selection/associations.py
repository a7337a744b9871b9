"""How much one feature tells of another, from 0 to 1. NumPy and SciPy only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]


def correlations(values: Floats) -> tuple[Floats, Floats]:
    """Pearson's and Spearman's correlation of each pair of columns.

    Each pair is compared over the customers who have both values. Ranks are those among all customers who have a value
    of the column, so that Spearman's is exact where nothing is missing and close to it elsewhere.

    Args:
      values: float64 [n, d], NaN where missing.

    Returns:
      float64 [d, d] each; NaN where a pair is not comparable: less than half of the customers have both values, or one
      of the two does not vary among those.
    """
    ranks = rankdata(values, axis=0, nan_policy="omit")
    ranks[np.isnan(values)] = np.nan
    return _pearson(values), _pearson(ranks)


def _pearson(values: Floats) -> Floats:
    present = (~np.isnan(values)).astype(np.float64)
    spread = np.nanmax(np.abs(values), axis=0, initial=0.0)
    # Centred before they are squared, or large numbers that hardly vary lose their digits.
    middle = np.nansum(values, axis=0) / np.maximum(present.sum(axis=0), 1)
    filled = np.where(present > 0, values - middle, 0.0) / np.where(spread > 0, spread, 1.0)
    count = present.T @ present
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = filled.T @ present / count
        # [i, j]: the variance of i among those who have j, too.
        variance = (filled**2).T @ present / count - mean**2
        covariance = filled.T @ filled / count - mean * mean.T
        found = covariance / np.sqrt(variance * variance.T)
    negligible = 1e-12 * np.diagonal(variance)
    flat = ~(variance > negligible[:, np.newaxis]) | ~(negligible < variance.T)
    found[flat | (count < 0.5 * len(values))] = np.nan
    return np.clip(found, -1.0, 1.0)


def cramers_v(first: Codes, second: Codes) -> float:
    """Cramér's V with the bias correction of Bergsma (2013): 0 for independent columns, also with many categories.

    Args:
      first, second: [n], categories from 0.

    Returns:
      0 to 1; 1 where one column follows from the other. NaN where one of them has one category only.
    """
    n = len(first)
    table = np.bincount(first * (second.max() + 1) + second, minlength=(first.max() + 1) * (second.max() + 1))
    counts = table.reshape(first.max() + 1, second.max() + 1).astype(np.float64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    rows, columns = counts.shape
    if min(rows, columns) < 2:
        return float("nan")
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    phi = float(((counts - expected) ** 2 / expected).sum()) / n
    phi = max(0.0, phi - (rows - 1) * (columns - 1) / (n - 1))
    least = min(rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)) - 1
    return float(min(1.0, np.sqrt(phi / least))) if least > 0 else float("nan")


def correlation_ratio(categories: Codes, values: Floats) -> float:
    """How much of a number's variance lies between the categories: eta, with Kelley's (1935) correction for chance.

    Args:
      categories: [n], from 0.
      values: [n], NaN where missing; those are left out.

    Returns:
      0 to 1; 1 where the number follows from the category. NaN where less than half of the customers have a number, or
      where it does not vary.
    """
    there = ~np.isnan(values)
    n = int(there.sum())
    if n < 0.5 * len(values) or n < 3:
        return float("nan")
    codes, numbers = categories[there], values[there] - values[there].mean()
    counts = np.bincount(codes)
    groups = int((counts > 0).sum())
    total = float((numbers**2).sum())
    if not total > 0 or groups >= n:
        return float("nan")
    sums = np.bincount(codes, numbers)[counts > 0]
    between = float((sums**2 / counts[counts > 0]).sum())
    explained = 1.0 - (total - between) / total * (n - 1) / (n - groups)
    return float(np.sqrt(min(max(explained, 0.0), 1.0)))
