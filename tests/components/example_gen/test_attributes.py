"""A second table joined to the customers by their id."""

from __future__ import annotations

import dataclasses

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen.source import (
    fingerprint_files,
    resolve_source,
    source_from_json,
    source_to_json,
)
from configs.errors import ConfigError
from pipeline.columns import planned_features

LINES = "id,when,amount\n01,2024-01-01,1\n2,2024-01-02,2\n3,2024-01-03,3\n"
TIMED = {"time": "when", "amount": "amount", "features": ["monetary"]}
PEOPLE = "customer,age,plan,since\n2,40,basic,2020-01-01\n01,30.5,,2021-01-01\n99,1,plus,\n"


@pytest.fixture
def joined(write, read):
    def read_both(people=PEOPLE, lines=LINES, name="people.csv", transactions=TIMED, **keys):
        where = str(write(people, name))
        attributes = {"path": where, "id": "customer", **keys}
        return read(write(lines), transactions=transactions, attributes=attributes)

    return read_both


def test_customers_get_what_the_table_says_of_them(joined):
    reading = joined()
    assert reading.table.to_pydict() == {
        "id": ["01", "2", "3"],
        "monetary": [1.0, 2.0, 3.0],
        "age": [30.5, 40.0, None],
        "plan": [None, "basic", None],
        "since": ["2021-01-01", "2020-01-01", None],
    }
    assert reading.tally.joined == 2
    assert reading.tally.rows_read == 3
    assert not reading.tally.rows_dropped


def test_only_some_columns_their_types_and_what_stands_for_missing(joined):
    assert joined(columns=["plan"]).table.column_names == ["id", "monetary", "plan"]
    reading = joined(types={"since": "time", "age": "text"}, missing={"plan": ["basic"]})
    assert reading.column("since") == [18_628.0, 18_262.0, None]
    assert reading.column("age") == ["30.5", "40", None]
    assert reading.column("plan") == [None, None, None]


def test_delimiter_encoding_and_parquet(joined, write, read, tmp_path):
    people = "customer;name\n2;Zoë\n".encode("latin-1")
    assert joined(people, delimiter=";", encoding="latin-1").column("name") == [None, "Zoë", None]
    pq.write_table(pa.table({"customer": [2, 3], "age": [40, 50]}), tmp_path / "p.parquet")
    attributes = {"path": str(tmp_path / "p.parquet"), "id": "customer"}
    reading = read(write(LINES), transactions=TIMED, attributes=attributes)
    assert reading.column("age") == [None, 40, 50]


def test_ids_written_as_numbers(joined):
    people = "customer,age\n2.0,40\n3.0,50\n"
    with pytest.raises(DataError, match="no customer's id is in its column 'customer'"):
        joined(people)
    assert joined(people, types={"customer": "integer"}).column("age") == [None, 40, 50]


def test_a_table_of_customers_is_joined_too(joined):
    reading = joined(lines="id,income\n01,5\n2,6\n", transactions=None, columns=["age"])
    assert reading.table.to_pydict() == {"id": ["01", "2"], "income": [5, 6], "age": [30.5, 40.0]}


def test_an_id_that_is_there_twice(joined, tmp_path):
    people = PEOPLE + "01,31,plus,\n2,41,,\n"
    with pytest.raises(DataError) as caught:
        joined(people)
    assert str(caught.value) == (
        f"{tmp_path / 'people.csv'}: line 5 (row 4): the customer id '01' is there already; a table of attributes"
        " (data.attributes) has one row per customer: mend it"
    )


def test_errors_name_the_file_and_the_key(joined, tmp_path, write, read):
    with pytest.raises(
        ConfigError, match=r"^data.attributes.columns: there is no column 'agee' in .*people.csv"
    ):
        joined(columns=["agee"])
    with pytest.raises(ConfigError, match=r"^data.attributes.id: there is no column 'customer' in"):
        joined("id,age\n1,2\n")
    with pytest.raises(ConfigError, match=r"^data.attributes.path: there is no file"):
        attributes = {"path": str(tmp_path / "none.csv"), "id": "customer"}
        read(write(LINES), transactions=TIMED, attributes=attributes)
    with pytest.raises(DataError) as caught:
        joined("customer,age\n" + "".join(f"{n},{n}\n" for n in range(30)) + "31,old\n")
    assert f"{tmp_path / 'people.csv'}: line 32 (row 31), column 'age': 'old' is not a number" in str(
        caught.value
    )
    assert "data.attributes.missing: {age: ['old']}" in str(caught.value)


def test_names_that_are_taken(joined):
    with pytest.raises(
        ConfigError, match=r"data.attributes: 'monetary' is a column of the customer table and"
    ):
        joined("customer,monetary\n2,1\n")
    lines = "id,when,amount,kind\n2,2024-01-02,2,x\n"
    shares = {**TIMED, "category": "kind", "category_shares": ["x"]}
    with pytest.raises(ConfigError, match=r"data.attributes: 'share_price' reads as the share of a category"):
        joined("customer,share_price\n2,1\n", lines, transactions=shares)


def test_the_digest_and_the_columns_are_known_before_a_run(write, config):
    people = write(PEOPLE, "people.csv")
    attributes = {"path": str(people), "id": "customer"}
    settings = config(write(LINES), transactions=TIMED, attributes=attributes)
    source = resolve_source(settings)
    assert source.all_files == (*source.files, str(people))
    plan = planned_features(settings, source)
    assert sorted(plan.names) == ["age", "monetary", "plan", "since"]
    assert {text.name for text in plan.texts} == {"plan", "since"}
    before = source_to_json(source, fingerprint_files(source.all_files))
    assert source_from_json(before) == (source, fingerprint_files(source.all_files))
    people.write_text(PEOPLE.replace("30.5", "31.5"))
    assert source_to_json(source, fingerprint_files(source.all_files)) != before
    assert dataclasses.replace(source, attributes=None).all_files == source.files
