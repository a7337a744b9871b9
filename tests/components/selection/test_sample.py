"""The sample depends on no order, and is a fair one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from components.selection.sample import Sample, read_sample
from tests.components.selection.planted import Columns, write_table_files


def table(n: int, seed: int = 0) -> Columns:
    rng = np.random.default_rng(seed)
    return {
        "amount": pa.array(rng.normal(size=n).round(3), mask=rng.random(n) < 0.1),
        "visits": pa.array(rng.integers(0, 9, n), mask=rng.random(n) < 0.1),
        "city": pa.array(rng.choice(["Paris", "Lyon", "Nice"], n), mask=rng.random(n) < 0.1),
        "nothing": pa.nulls(n, pa.string()),
    }


def same(first: Sample, second: Sample) -> bool:
    return first.of == second.of and all(
        first.columns[name].equals(second.columns[name]) for name in first.columns
    )


@pytest.mark.parametrize("limit", [700, 5000])
def test_neither_rows_nor_columns_nor_files_have_an_order(tmp_path: Path, limit: int) -> None:
    columns = table(2000)
    found = read_sample(write_table_files(tmp_path / "a", columns), list(columns), limit)
    order = pa.array(np.random.default_rng(1).permutation(2000))
    moved = {name: columns[name].take(order) for name in reversed(columns)}
    again = read_sample(write_table_files(tmp_path / "b", moved, parts=3), list(moved), limit)
    assert found.customers == min(limit, 2000) and found.of == 2000
    assert same(found, again)


def test_all_customers_are_read_whole(tmp_path: Path) -> None:
    columns = table(500)
    found = read_sample(write_table_files(tmp_path, columns, parts=2), list(columns), 10_000)

    def rows(of: Columns) -> list[str]:
        as_text = {name: values.cast(pa.string()).to_pylist() for name, values in of.items()}
        return sorted(str(row) for row in zip(*(as_text[name] for name in sorted(columns)), strict=True))

    stored = {**columns, "amount": columns["amount"].cast(pa.float32())}
    assert rows(found.columns) == rows(stored)


def test_a_table_of_few_different_rows_is_sampled_evenly(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    columns = {"flag": pa.array(rng.choice(["yes", "no"], 20_000, p=[0.1, 0.9]))}
    found = read_sample(write_table_files(tmp_path, columns), ["flag"], 2000)
    share = np.mean([value == b"yes" for value in found.columns["flag"].to_pylist()])
    assert share == pytest.approx(0.1, abs=0.025), "four standard errors"


def test_the_sample_is_like_the_table(tmp_path: Path) -> None:
    columns = table(20_000)
    found = read_sample(write_table_files(tmp_path, columns), list(columns), 4000)
    amounts = found.columns["amount"].to_numpy(zero_copy_only=False)
    assert np.nanmean(amounts) == pytest.approx(0, abs=0.07)
    assert found.columns["amount"].null_count / 4000 == pytest.approx(0.1, abs=0.02)
