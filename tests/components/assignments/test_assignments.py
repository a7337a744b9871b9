"""The table of who is in which segment, against NumPy's own assignment."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import tensorflow as tf
from tfx.types import Channel, standard_artifacts

from components import atomic
from components.artifacts import SegmentAssignments
from components.assignments import table
from components.assignments.component import Assignments
from components.assignments.executor import Executor
from components.errors import ServingError
from configs.outputs import AssignmentsConfig


class Run:
    """Calls of the executor; the pushed version 4 is made at the first."""

    def __init__(self, serving, root):
        self.serving, self.root = serving, root
        self.model = serving.export(root / "serving" / "4")

    def __call__(self, examples, pushed=1, id_column="", **config):
        pushed_model = standard_artifacts.PushedModel()
        pushed_model.set_int_custom_property("pushed", pushed)
        if pushed:
            pushed_model.set_string_custom_property("pushed_version", "4")
            pushed_model.set_string_custom_property("pushed_destination", str(self.model))
        output = SegmentAssignments()
        Executor().Do(
            {"examples": [examples], "pushed_model": [pushed_model]},
            {"assignments": [output]},
            {
                "assignments_config": AssignmentsConfig(**config).model_dump_json(by_alias=True),
                "assignments_dir": str(self.root / "assignments"),
                "id_column": id_column,
                "code_version": "",
            },
        )
        return output


@pytest.fixture
def run(serving, tmp_path):
    return Run(serving, tmp_path)


@pytest.fixture
def splits(serving):
    return {"train": serving.table(300, seed=1), "eval": serving.table(100, seed=2, prefix="é")}


def _by_id(columns):
    order = np.argsort(columns["customer_id"])
    return {name: np.asarray(values)[order] for name, values in columns.items()}


def _assert_equal(found, rows, serving):
    found, expected = _by_id(found), _by_id(serving.reference(rows))
    assert list(found) == list(expected)
    np.testing.assert_allclose(found.pop("distance"), expected.pop("distance"), rtol=1e-5, atol=1e-6)
    for name, values in expected.items():
        assert found[name].tolist() == values.tolist(), name


@pytest.mark.parametrize(("shards", "compressed"), [(1, True), (3, False), (7, True)])
def test_every_customer_of_every_split_is_in_the_table(run, splits, serving, tmp_path, shards, compressed):
    examples = serving.write_examples(tmp_path / "examples", splits, shards, compressed)
    output = run(examples)
    assert output.get_int_custom_property("written") == 1
    assert output.get_int_custom_property("customers") == 400
    path = tmp_path / "assignments" / "4"
    assert output.get_string_custom_property("path") == str(path / "assignments.parquet")
    assert [file.name for file in path.iterdir()] == ["assignments.parquet"]
    found = pyarrow.parquet.read_table(path / "assignments.parquet")
    assert found.schema.equals(
        pa.schema(
            [
                ("customer_id", pa.string()),
                ("segment_id", pa.int64()),
                ("segment_name", pa.string()),
                ("distance", pa.float32()),
                ("is_outlier", pa.bool_()),
            ]
        )
    )
    columns = {name: found[name].to_numpy() for name in found.column_names}
    assert 0 < columns["is_outlier"].sum() < 400
    _assert_equal(columns, splits["train"] + splits["eval"], serving)


def test_csv_says_the_same(run, splits, serving, tmp_path):
    splits["train"][0]["customer_id"] = 'a, "quoted" id'
    path = run(serving.write_examples(tmp_path / "examples", splits), csv=True).get_string_custom_property(
        "path"
    )
    with open(path.replace(".parquet", ".csv"), newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    types = {"segment_id": int, "distance": float, "is_outlier": {"true": True, "false": False}.get}
    columns = {name: [types.get(name, str)(row[name]) for row in rows] for name in rows[0]}
    columns = {
        name: np.array(values, object if name.endswith(("name", "customer_id")) else None)
        for name, values in columns.items()
    }
    _assert_equal(columns, splits["train"] + splits["eval"], serving)


def test_more_rows_than_a_batch_and_a_row_group(run, splits, serving, tmp_path, monkeypatch):
    monkeypatch.setattr(table, "BATCH", 7)
    monkeypatch.setattr(table, "ROW_GROUP", 21)
    path = run(serving.write_examples(tmp_path / "examples", splits)).get_string_custom_property("path")
    file = pyarrow.parquet.ParquetFile(path)
    sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert sum(sizes) == 400 and max(sizes) <= 21 and len(sizes) == 20
    found = file.read()
    columns = {name: found[name].to_numpy() for name in found.column_names}
    _assert_equal(columns, splits["train"] + splits["eval"], serving)


def test_the_order_is_the_same_at_every_run(run, splits, serving, tmp_path):
    examples = serving.write_examples(tmp_path / "examples", splits, shards=3)
    tables = []
    for _ in range(2):
        path = run(examples).get_string_custom_property("path")
        tables.append(pyarrow.parquet.read_table(path))
    assert tables[0].equals(tables[1])


def test_without_a_push_nothing_is_written(run, splits, serving, tmp_path):
    output = run(serving.write_examples(tmp_path / "examples", splits), pushed=0)
    assert output.get_int_custom_property("written") == 0
    assert not output.has_custom_property("path")
    assert not (tmp_path / "assignments").exists()


def test_an_error_in_the_middle_leaves_the_table_before(run, splits, serving, tmp_path, monkeypatch):
    examples = serving.write_examples(tmp_path / "examples", splits)
    path = run(examples).get_string_custom_property("path")
    before = pyarrow.parquet.read_table(path)

    monkeypatch.setattr(table, "BATCH", 50)
    array = table._array
    calls = []

    def fail_late(values, kind):
        calls.append(kind)
        if len(calls) > 12:
            raise OSError("no space left on the device")
        return array(values, kind)

    monkeypatch.setattr(table, "_array", fail_late)
    with pytest.raises(OSError, match="no space left"):
        run(examples)
    assert pyarrow.parquet.read_table(path).equals(before)
    assert [file.name for file in (tmp_path / "assignments").iterdir()] == ["4"]


def test_leftovers_of_a_killed_run_are_removed(run, splits, serving, tmp_path):
    (tmp_path / "assignments" / f"{atomic.STAGING_PREFIX}4-abc").mkdir(parents=True)
    (tmp_path / "assignments" / "3").mkdir()
    run(serving.write_examples(tmp_path / "examples", splits))
    assert sorted(file.name for file in (tmp_path / "assignments").iterdir()) == ["3", "4"]


def test_an_id_column_that_the_table_does_not_have(run, splits, serving, tmp_path):
    examples = serving.write_examples(tmp_path / "examples", splits)
    with pytest.raises(tf.errors.InvalidArgumentError, match="passport"):
        run(examples, id_column="passport")
    with pytest.raises(ValueError, match="the id column is called 'distance'"):
        run(examples, id_column="distance")
    assert list((tmp_path / "assignments").iterdir()) == []


def test_a_version_that_is_gone(run, splits, serving, tmp_path):
    examples = serving.write_examples(tmp_path / "examples", splits)
    (run.model / "saved_model.pb").unlink()
    with pytest.raises(ServingError, match=r"version 4 was pushed .* not there any more"):
        run(examples)


def test_the_component_has_its_parameters_in_the_cache_key():
    assignments = Assignments(
        examples=Channel(standard_artifacts.Examples),
        pushed_model=Channel(standard_artifacts.PushedModel),
        assignments_config="{}",
        assignments_dir="assignments",
        code_version="abc",
    )
    assert assignments.exec_properties == {
        "assignments_config": "{}",
        "assignments_dir": "assignments",
        "id_column": "",
        "code_version": "abc",
    }
    assert assignments.outputs["assignments"].type is SegmentAssignments
