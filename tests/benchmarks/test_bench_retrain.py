"""The spans of the retrain benchmark."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.csv as pa_csv

from benchmarks import data, retrain


def test_a_tenth_of_the_customers_change_and_the_population_does_not() -> None:
    before = data.make_customers(5_000)
    after = retrain.next_span(before)
    assert after[data.ID].equals(before[data.ID])
    changed = np.array(before["total_spend"]) != np.array(after["total_spend"])
    assert 0.08 < changed.mean() < 0.12
    for name in before.column_names:
        assert sorted(after[name].to_pylist()) == sorted(before[name].to_pylist())
    # Whole customers were exchanged, not single values.
    rows = set(zip(*(before[name].to_pylist() for name in before.column_names[1:]), strict=True))
    assert rows == set(zip(*(after[name].to_pylist() for name in after.column_names[1:]), strict=True))


def test_what_is_prepared_is_a_pipeline_of_two_spans(tmp_path: Path) -> None:
    from configs.loader import load_config

    config = load_config(str(retrain.prepare(tmp_path / "case", 100)))
    assert config.data.span == 1
    tables = [pa_csv.read_csv(tmp_path / "case" / f"span-{n}" / "customers.csv") for n in (1, 2)]
    assert [table.num_rows for table in tables] == [100, 100]
    assert not tables[0].equals(tables[1])
