"""Populations that do not change, and samples of them that share a part of their customers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv

CREDIT = Path("../shared/data/credit_default/UCI_Credit_Card.csv.gz")

_DELAY_WEIGHT = 0.5  # as in configs/finance.yaml


@dataclass(frozen=True)
class Population:
    """Raw customers float64 [n, d]; sizes of a sample and of the part that every sample has.

    weights: float64 [d], of the standardized columns.
    """

    name: str
    rows: np.ndarray
    sample: int
    common: int
    weights: np.ndarray

    def samples(self, number: int, seed: int = 0) -> Iterator[np.ndarray]:
        """Rows int64 [sample] of the population, again and again; the first `common` are the same customers."""
        order = np.random.default_rng(seed).permutation(len(self.rows))
        common, others = order[: self.common], order[self.common :]
        for one in range(number):
            random = np.random.default_rng([seed, one])
            yield np.r_[common, random.choice(others, self.sample - self.common, replace=False)]


def clear(scale: float = 1.0) -> Population:
    """Six well separated kinds in eight columns of very different units; two and two are of a size."""
    random = np.random.default_rng(0)
    kinds = random.choice(6, round(200_000 * scale), p=[0.30, 0.20, 0.20, 0.14, 0.08, 0.08])
    centres = random.normal(0.0, 3.0, [6, 8])
    rows = (centres[kinds] + random.normal(0.0, 1.0, [len(kinds), 8])) * np.logspace(-1, 4, 8)
    return Population("clear", rows, round(50_000 * scale), round(20_000 * scale), np.ones(8))


def cloud(scale: float = 1.0) -> Population:
    """One kind, in which nothing but k-means sees segments: many fits are nearly as good as the best."""
    rows = np.random.default_rng(0).normal(size=[round(200_000 * scale), 4])
    return Population("cloud", rows, round(50_000 * scale), round(20_000 * scale), np.ones(4))


def credit(scale: float = 1.0) -> Population:
    """UCI Default of credit card clients, 30,000 of them: real and without gaps.

    Numbers as configs/finance.yaml has them: signed logarithms of amounts, months of delay at half weight.
    """
    table = pa_csv.read_csv(CREDIT)
    columns = [c for c in table.column_names if c not in ("ID", "default.payment.next.month")]
    values = np.stack([table[c].to_numpy().astype(np.float64) for c in columns], axis=1)
    amounts = [j for j, c in enumerate(columns) if c == "LIMIT_BAL" or "AMT" in c]
    values[:, amounts] = np.sign(values[:, amounts]) * np.log1p(np.abs(values[:, amounts]))
    weights = np.array([_DELAY_WEIGHT if c.startswith("PAY_") and "AMT" not in c else 1.0 for c in columns])
    return Population("credit card clients", values, round(20_000 * scale), round(8_000 * scale), weights)


POPULATIONS: dict[str, Callable[[float], Population]] = {"clear": clear, "cloud": cloud, "credit": credit}
