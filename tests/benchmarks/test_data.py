"""The benchmark's customers: the same for the same arguments, and shaped as the stock DAG can read them."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from benchmarks import data


def test_the_same_arguments_give_the_same_table_and_another_seed_another():
    assert data.make_customers(500, seed=3).equals(data.make_customers(500, seed=3))
    assert not data.make_customers(500, seed=3).equals(data.make_customers(500, seed=4))


def test_columns_are_as_described():
    table = data.make_customers(5_000)
    assert table.column_names == [data.ID, *data.NUMERIC, *data.CATEGORIES]
    assert len(data.NUMERIC) == 8 and len(data.CATEGORIES) == 2
    assert pc.count_distinct(table[data.ID]).as_py() == 5_000
    assert sum(column.null_count for column in table.columns) == 0
    for name, values in data.CATEGORIES.items():
        assert set(table[name].unique().to_pylist()) == set(values)
    for name in data.NUMERIC:
        assert pa.types.is_integer(table[name].type) or pa.types.is_floating(table[name].type)
        assert np.isfinite(table[name].to_numpy()).all() and pc.min(table[name]).as_py() >= 0


def test_money_is_skewed_and_bounded_columns_stay_in_bounds():
    table = data.make_customers(20_000)
    spend = table["total_spend"].to_numpy()
    assert spend.mean() > 1.5 * np.median(spend)
    assert pc.max(table["discount_share"]).as_py() <= 1
    assert (table["returns"].to_numpy() <= table["orders"].to_numpy()).all()
    assert (pc.min(table["age"]).as_py(), pc.max(table["age"]).as_py()) >= (18, 99 - 40)


def test_the_file_is_plain_csv_that_reads_back(tmp_path):
    path = tmp_path / "new" / "customers.csv"
    data.write_customers(path, 300, seed=1)
    assert b'"' not in path.read_bytes()
    assert pa_csv.read_csv(path).equals(data.make_customers(300, seed=1))


@pytest.mark.parametrize("rows", [0, -5])
def test_no_rows_are_refused(rows):
    with pytest.raises(ValueError, match=f"at least 1, not {rows}"):
        data.make_customers(rows)
