"""Finding files and refusing what a configuration cannot mean."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen.contradictions import ASSIGNMENT_COLUMNS
from components.example_gen.source import (
    fingerprint_files,
    resolve_source,
    source_from_json,
    source_to_json,
)
from configs.errors import ConfigError
from configs.evaluation import EvaluationConfig

TABLE = "CustomerID,age,plan\n1,30,basic\n2,40,plus\n"
TIMED = {"time": "when", "amount": "amount"}


def refused(config, *args, **kwargs):
    with pytest.raises(ConfigError) as caught:
        resolve_source(config(*args, **kwargs))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_reads_the_header(write, config):
    path = write(TABLE)
    source = resolve_source(config(path))
    assert source.files == (str(path),)
    assert (source.format, source.span, source.id_column) == ("csv", None, "CustomerID")
    assert source.columns == source.customer_columns == ("CustomerID", "age", "plan")


def test_byte_order_mark_gzip_delimiter_and_encoding(write, config):
    assert resolve_source(config(write(b"\xef\xbb\xbf" + TABLE.encode()))).columns[0] == "CustomerID"
    zipped = write(gzip.compress(TABLE.encode()), "customers.csv.gz")
    assert resolve_source(config(zipped)).columns == ("CustomerID", "age", "plan")
    latin = write("id;größe\n1;2\n".encode("latin-1"), "latin.csv")
    assert resolve_source(config(latin, delimiter=";", encoding="latin-1")).columns == ("id", "größe")


@pytest.mark.parametrize(
    ("header", "found"),
    [("Customer ID", "Customer ID"), ("HOUSEHOLD_ID", "HOUSEHOLD_ID"), ("id,client_id", "client_id"),
     ("age,ID", "ID"), ("width,paid", None)],
)  # fmt: skip
def test_finds_the_id_by_its_name(write, config, header, found):
    columns = header.count(",") + 1
    path = write(f"{header}\n{','.join('1' * columns)}\n")
    source = resolve_source(config(path))
    assert source.id_column == found
    assert source.id_name == (found or "row_number")


def test_columns_narrow_the_customer_table(write, config):
    source = resolve_source(config(write(TABLE), columns=["plan"]))
    assert source.customer_columns == ("CustomerID", "plan")


def test_transactions_make_their_own_columns(write, config):
    path = write("id,when,amount\n1,2024-01-01,5\n")
    source = resolve_source(config(path, transactions=TIMED))
    assert source.customer_columns == (
        "id", "recency_days", "frequency", "monetary", "tenure_days", "average_basket",
    )  # fmt: skip


def test_globs_are_sorted_lists_keep_their_order_and_nothing_is_read_twice(write, config, tmp_path):
    paths = [write(TABLE, f"part-{number}.csv") for number in (2, 1)]
    pattern = str(tmp_path / "part-*.csv")
    assert resolve_source(config(pattern)).files == tuple(map(str, sorted(paths)))
    assert resolve_source(config(paths)).files == tuple(map(str, paths))
    assert len(resolve_source(config([paths[0], pattern])).files) == 2


def test_a_path_that_exists_is_no_glob(write, config):
    path = write(TABLE, "customers[1].csv")
    assert resolve_source(config(path)).files == (str(path),)


def test_span_is_the_newest_by_number_or_the_one_asked_for(write, config, tmp_path):
    for span in ("007", "9", "10"):
        write(TABLE, f"day-{span}/customers.csv")
    write(TABLE, "day-99x/customers.csv")
    pattern = str(tmp_path / "day-{SPAN}" / "*.csv")
    newest = resolve_source(config(pattern))
    assert (newest.span, newest.files) == (10, (str(tmp_path / "day-10" / "customers.csv"),))
    assert resolve_source(config(pattern, span=7)).files == (str(tmp_path / "day-007" / "customers.csv"),)
    assert "no file of span 8 matches" in refused(config, pattern, span=8)


def test_span_of_several_paths_is_complete_in_all(write, config, tmp_path):
    for name in ("a-1.csv", "b-1.csv", "a-2.csv"):
        write(TABLE, name)
    source = resolve_source(config([tmp_path / "a-{SPAN}.csv", tmp_path / "b-{SPAN}.csv"]))
    assert source.span == 1
    assert len(source.files) == 2


def test_parquet(tmp_path, config):
    path = tmp_path / "customers.pq"
    pq.write_table(pa.table({"household_id": [1], "x": [2.0]}), path)
    source = resolve_source(config(path))
    assert (source.format, source.columns, source.id_column) == (
        "parquet", ("household_id", "x"), "household_id",
    )  # fmt: skip


class TestRefuses:
    def test_a_missing_file_a_glob_without_files_and_a_folder(self, config, tmp_path):
        assert refused(config, tmp_path / "no.csv") == f"data.path: there is no file {tmp_path / 'no.csv'}"
        assert "no file matches" in refused(config, tmp_path / "*.csv")
        assert "is a folder; name its files" in refused(config, tmp_path)

    def test_a_duplicated_column(self, write, config):
        assert "has the column 'age' 2 times" in refused(config, write("id,age,age\n1,2,3\n"))

    def test_a_column_without_a_name_unless_columns_are_chosen(self, write, config):
        path = write(",id,age\n0,1,2\n")
        assert "column 1 of" in refused(config, path)
        assert resolve_source(config(path, columns=["age"])).customer_columns == ("id", "age")

    @pytest.mark.parametrize("delimiter", [";", "\t", "|"])
    def test_the_wrong_delimiter(self, write, config, delimiter):
        message = refused(config, write(f"id{delimiter}age\n1{delimiter}2\n"))
        assert f"set data.delimiter to {delimiter!r}" in message

    @pytest.mark.parametrize(
        ("data", "key"),
        [
            ({"id": "CustmerID"}, "data.id"),
            ({"columns": ["aeg"]}, "data.columns"),
            ({"types": {"Age": "text"}}, "data.types"),
            ({"missing": {"plann": ["?"]}}, "data.missing"),
            ({"keep": [{"column": "agee", "gt": 3}]}, "data.keep"),
            ({"transactions": {"time": "age", "amount": "amont"}}, "data.transactions"),
        ],
    )
    def test_a_column_that_is_not_there(self, write, config, data, key):
        message = refused(config, write(TABLE), **data)
        assert message.startswith(f"{key}: there is no column")
        assert "did you mean" in message or "there are 'CustomerID', 'age', 'plan'" in message

    def test_a_feature_that_is_not_in_the_customer_table(self, write, config):
        features = {"include": ["age", "plans"]}
        assert (
            refused(config, write(TABLE), features=features)
            == "features.include: there is no column 'plans' in the customer table; did you mean 'plan'?"
        )
        path = write("id,when,amount\n1,2024-01-01,5\n", "t.csv")
        assert "features.include" in refused(
            config, path, features={"include": ["amount"]}, transactions=TIMED
        )

    def test_a_slice_that_is_not_in_the_customer_table(self, write, config):
        settings = config(write(TABLE))
        sliced = settings.model_copy(update={"evaluation": EvaluationConfig(slices=["Plan"])})
        with pytest.raises(ConfigError, match=r"evaluation\.slices: .* did you mean 'plan'"):
            resolve_source(sliced)

    def test_files_with_different_columns(self, write, config, tmp_path):
        write(TABLE, "a.csv"), write("CustomerID,age\n1,2\n", "b.csv")
        assert "only one has 'plan'" in refused(config, tmp_path / "*.csv")

    def test_formats_that_are_not_what_is_said(self, write, config, tmp_path):
        parquet = tmp_path / "x.parquet"
        pq.write_table(pa.table({"id": [1]}), parquet)
        assert "looks like parquet" in refused(config, parquet, format="csv")
        assert "looks like csv" in refused(config, write(TABLE), format="parquet")
        assert "is CSV" in refused(config, [write(TABLE), parquet])
        assert "Excel" in refused(config, write(b"PK\x03\x04....", "x.xlsx"))

    def test_transactions_without_a_customer(self, write, config):
        path = write("buyer,when,amount\n1,2024-01-01,5\n")
        assert "data.id: say which column" in refused(config, path, transactions=TIMED)

    def test_types_that_contradict_what_a_column_is_for(self, write, config):
        path = write("id,when,amount\n1,2024-01-01,5\n")
        assert "data.types.amount" in refused(config, path, transactions=TIMED, types={"amount": "text"})
        assert "data.types.when" in refused(config, path, transactions=TIMED, types={"when": "number"})
        assert "data.types.id" in refused(config, path, types={"id": "time"})

    def test_a_span_without_a_place_for_it(self, write, config):
        assert "data.span: is 3, but data.path has no {SPAN}" in refused(config, write(TABLE), span=3)

    def test_an_id_named_as_a_feature(self, write, config):
        path = write("frequency,when,amount\n1,2024-01-01,5\n")
        assert refused(config, path, id="frequency", transactions=TIMED).startswith("data.id: 'frequency'")

    @pytest.mark.parametrize("name", ASSIGNMENT_COLUMNS)
    def test_an_id_named_as_a_column_of_the_assignments(self, write, config, name):
        path = write(f"{name},age\n1,2\n")
        assert refused(config, path, id=name) == (
            f"data.id: '{name}' is also a column of the assignments (segment_id, segment_name, distance,"
            " is_outlier); rename it in the source"
        )
        # As a feature it does no harm.
        assert resolve_source(config(path)).customer_columns == (name, "age")

    @pytest.mark.parametrize(("operator", "operand"), [("gt", 5), ("ge", 5.5), ("lt", 5), ("le", 0)])
    def test_a_customer_id_compared_with_a_number(self, write, config, operator, operand):
        keep = [{"column": "CustomerID", operator: operand}]
        for types in ({}, {"CustomerID": "integer"}):
            assert refused(config, write(TABLE), keep=keep, types=types).startswith(
                f"data.keep: CustomerID {operator} {operand}: customer ids are text, where '10' comes before '5'"
            )

    def test_a_slice_of_customer_ids(self, write, config):
        settings = config(write(TABLE))
        sliced = settings.model_copy(update={"evaluation": EvaluationConfig(slices=["plan", "CustomerID"])})
        with pytest.raises(ConfigError, match=r"evaluation\.slices: 'CustomerID' is the customer id"):
            resolve_source(sliced)

    @pytest.mark.parametrize("part", ["time", "amount", "order"])
    def test_a_part_of_transactions_that_is_the_customer_id(self, write, config, part):
        path = write("id,when,amount\n1,2024-01-01,5\n")
        message = refused(config, path, transactions={**TIMED, part: "id"})
        assert message.startswith("data.transactions: 'id' is the customer id")

    def test_an_expression_that_is_not_re2(self, write, config):
        keep = [{"column": "plan", "matches": "(?=basic)"}]
        assert "is not RE2" in refused(config, write(TABLE), keep=keep)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "customers.csv: is empty"),
        (b"\n\n", "customers.csv: is empty"),
        (b"id,age\n", "customers.csv: no rows after the header"),
        (gzip.compress(b"id,age\n1,2\n" * 99)[:-20], "compressed file is damaged"),
        ("id,größe\n1,2\n".encode("latin-1"), "line 1: the header is not utf-8; try data.encoding: latin-1"),
        (b"PAR1 and nothing else", "cannot be read as Parquet"),
    ],
)
def test_data_without_a_table_is_a_data_error(write, config, content, message):
    with pytest.raises(DataError, match=message):
        resolve_source(config(write(content)))


def test_json_round_trip_and_digests(write, config):
    path = write(TABLE)
    source = resolve_source(config(path))
    cache: dict = {}
    prints = fingerprint_files(source.files, cache)
    text = source_to_json(source, prints)
    assert source_from_json(text) == (source, prints)
    assert prints[0][:2] == [str(path), len(TABLE)]
    cache = json.loads(json.dumps(cache))
    assert fingerprint_files(source.files, cache) == prints
    write(TABLE.replace("30", "31"))
    assert fingerprint_files(source.files, cache)[0][2] != prints[0][2]


def test_an_unchanged_file_is_not_read_again(write):
    path = str(write(TABLE))
    cache: dict = {}
    fingerprint_files([path], cache)
    cache[path][2] = "remembered"
    assert fingerprint_files([path], cache)[0][2] == "remembered"
    assert fingerprint_files([path])[0][2] != "remembered"


def test_the_columns_of_the_assignments_are_those_that_are_written():
    table = pytest.importorskip("components.assignments.table")
    assert tuple(table.table_schema("id").names) == ("id", *ASSIGNMENT_COLUMNS)


def test_is_light():
    code = (
        "import sys, components.example_gen.source; heavy = {'tensorflow', 'tfx', 'apache_beam', 'pandas'};"
        "sys.exit(str(heavy & set(sys.modules)) if heavy & set(sys.modules) else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
