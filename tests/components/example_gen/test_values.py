"""What values become, and what is dropped."""

from __future__ import annotations

import datetime
import decimal
import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.example_gen.customers import column_types
from components.example_gen.plan import make_plan
from components.example_gen.source import resolve_source


def kinds(reading, config, path, **data):
    settings = config(path, **data)
    return column_types(make_plan(settings.data, resolve_source(settings)), reading.tally)


def test_types_are_inferred(write, read, config):
    path = write("id,whole,real,text,flag,day\n007,1,1.5,a,True,2024-01-31\n8,-2,3,b,False,2024-02-01\n")
    reading = read(path)
    assert reading.table.to_pydict() == {
        "id": ["007", "8"],
        "whole": [1, -2],
        "real": [1.5, 3.0],
        "text": ["a", "b"],
        "flag": ["True", "False"],
        "day": ["2024-01-31", "2024-02-01"],
    }
    assert kinds(reading, config, path) == {
        "id": "text", "whole": "integer", "real": "number", "text": "text", "flag": "text", "day": "text",
    }  # fmt: skip


def test_types_are_said(write, read):
    path = write("id,zip,size,day\n17850.0,01234,5,2024-01-02\n007,99,6,1970-01-01T12:00:00Z\n")
    reading = read(path, types={"id": "integer", "zip": "text", "size": "number", "day": "time"})
    assert reading.table.to_pydict() == {
        "id": ["17850", "7"],
        "zip": ["01234", "99"],
        "size": [5.0, 6.0],
        "day": [19724.0, 0.5],
    }
    assert reading.table["size"].type == pa.float64()


def test_a_time_that_stands_for_never(write, read, tmp_path):
    last = (datetime.date(9999, 12, 31) - datetime.date(1970, 1, 1)).days
    path = write("id,d\n1,9999-12-31\n2,9999-12-31 23:59:59.999999\n3,1970-01-02\n4,0001-01-01\n")
    assert read(path, types={"d": "time"}).column("d") == pytest.approx(
        [last, last + 1, 1, -719162], abs=1e-9
    )
    # Seven digits of a second are beyond Arrow's parser; the others must not suffer from it.
    path = write("id,d\n1,9999-12-31\n2,1970-01-01 12:00:00.0000000\n")
    assert read(path, types={"d": "time"}).column("d") == [last, 0.5]
    path = tmp_path / "x.parquet"
    never = [datetime.datetime(9999, 12, 31, 23, 59, 59, 999_999)]
    pq.write_table(pa.table({"id": [1], "d": pa.array(never, pa.timestamp("us"))}), path)
    assert read(path).column("d") == pytest.approx([last + 1], abs=1e-9)


def test_whole_numbers_that_a_double_rounds_beside_a_fraction(write, read, monkeypatch):
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 1000)
    monkeypatch.setattr("components.example_gen.readers._CSV_BLOCK_BYTES", 1000)
    large = 2**53 + 1
    path = write("id,x\n" + "".join(f"{n},{large}\n" for n in range(500)) + "last,0.5\n")
    assert read(path).column("x") == [*[float(large)] * 500, 0.5]


@pytest.mark.parametrize("kind", ["number", "integer", "time"])
def test_a_column_of_nothing_is_text_unless_said(write, read, config, tmp_path, kind):
    csv = write("id,x,y\n1,,?\n2,,\n")
    parquet = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": [1, 2], "x": pa.nulls(2), "y": pa.nulls(2, pa.string())}), parquet)
    for path in (csv, parquet):
        said = {"missing": {"*": ["?"]}, "types": {"x": kind, "y": kind}}
        reading = read(path, **said)
        as_numbers = "integer" if kind == "integer" else "number"
        stored = pa.int64() if kind == "integer" else pa.float64()
        assert kinds(reading, config, path, **said) == {"id": "text", "x": as_numbers, "y": as_numbers}
        assert reading.column("x") == reading.column("y") == [None, None]
        assert reading.table["x"].type == reading.table["y"].type == stored
        unsaid = {"missing": {"*": ["?"]}}
        reading = read(path, **unsaid)
        assert kinds(reading, config, path, **unsaid) == {"id": "text", "x": "text", "y": "text"}


def test_numbers_however_they_are_written(write, read):
    path = write('id,x\n1, 5\n2,+5.0\n3,5e0\n4,"5"\n5,.5e1\n6,nan\n7,\n8,-0\n')
    assert read(path).column("x") == [5.0, 5.0, 5.0, 5.0, 5.0, None, None, 0.0]


def test_a_fraction_far_down_a_column_of_whole_numbers(write, read, config, monkeypatch):
    path = write("id,x\n" + "".join(f"{n},{n}\n" for n in range(2000)) + "last,0.5\n")
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 1000)
    monkeypatch.setattr("components.example_gen.readers._CSV_BLOCK_BYTES", 1000)
    settings = config(path)
    plan = make_plan(settings.data, resolve_source(settings))
    assert plan.kinds == {"x": "integer"}
    reading = read(path)
    assert reading.column("x") == [*map(float, range(2000)), 0.5]
    assert column_types(plan, reading.tally)["x"] == "number"


def test_a_column_that_starts_with_nothing_is_what_comes_later(write, read, monkeypatch):
    rows = "".join(f"{n},,,\n" for n in range(2000))
    path = write("id,number,text,nothing\n" + rows + "a,5,x,\n")
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 1000)
    reading = read(path)
    assert reading.column("number")[-2:] == [None, 5]
    assert reading.column("text")[-2:] == [None, "x"]
    assert set(reading.column("nothing")) == {None}


def test_missing_markers_by_column_and_for_all(write, read):
    path = write('id,a,b,c,d\n1,-1,-1,unknown, \n2,5,?,known,2.5\n3,-1.0,3,"",?\n')
    reading = read(path, missing={"a": [-1], "c": ["unknown"], "d": [" "], "*": ["?"]})
    assert reading.column("a") == [None, 5.0, None]
    assert reading.column("b") == [-1, None, 3]
    assert reading.column("c") == [None, "known", None]
    assert reading.column("d") == [None, 2.5, None]


def test_a_marker_is_compared_as_text_in_text(write, read):
    path = write("id,code\n1,-1\n2,-1.0\n3,x\n")
    assert read(path, missing={"code": [-1]}).column("code") == [None, "-1.0", "x"]


def test_missing_ids_by_marker_are_dropped_and_counted(write, read):
    path = write("id,x\n1,1\n,2\nNA,3\n2,4\n")
    reading = read(path, missing={"id": ["NA"]}, missing_ids="drop")
    assert reading.column("id") == ["1", "2"]
    assert reading.tally.rows_dropped == {"missing_ids": 2}
    assert reading.tally.rows_read == 4


def test_encodings_marks_gzip_and_quotes(write, read):
    text = 'id;name;x\r\n1;"Müller; Söhne";1\r\n2;"two\nlines";2\r\n3;"say ""hi""";3'
    wanted = ["Müller; Söhne", "two\nlines", 'say "hi"']
    assert read(write(b"\xef\xbb\xbf" + text.encode()), delimiter=";").column("name") == wanted
    latin = write(gzip.compress(text.encode("latin-1")), "latin")
    assert read(latin, delimiter=";", encoding="latin-1").column("name") == wanted
    assert (
        read(write(text.encode("utf-16"), "wide"), delimiter=";", encoding="utf-16").column("name") == wanted
    )


def test_rows_without_an_id_are_numbered(write, read, tmp_path):
    path = write("age;plan\n1;a\n2;b\n", "north/a.csv")
    assert read(path, delimiter=";").column("row_number") == ["1", "2"]
    write("age;plan\n3;c\n", "south/a.csv")
    several = read(tmp_path / "*" / "a.csv", delimiter=";")
    assert several.column("row_number") == ["north/a.csv:1", "north/a.csv:2", "south/a.csv:1"]


def test_columns_that_are_not_listed_are_not_read(write, read):
    path = write("id,a,bad\n1,5,x\n2,6,1\n3,7,2\n4,7,2\n5,7,2\n6,7,2\n7,7,2\n8,7,2\n9,7,2\n10,7,2\n")
    keep = [{"column": "bad", "ne": "x"}]
    reading = read(path, columns=["a"], keep=keep)
    assert reading.table.column_names == ["id", "a"]
    assert len(reading.table) == 9


class TestDuplicates:
    ROWS = "id,x,y\n1,5,a\n2,6,b\n1,5,a\n3,7,\n1,5,a\n"

    def test_exact_copies_are_dropped(self, write, read):
        reading = read(write(self.ROWS), duplicate_rows="drop")
        assert reading.column("id") == ["1", "2", "3"]
        assert reading.tally.rows_dropped == {"duplicate_rows": 2}

    def test_rows_that_differ_in_a_column_that_is_not_read_are_no_copies(self, write, read):
        path = write("id,x,y\n1,5,a\n1,5,b\n1,5,b\n")
        reading = read(path, duplicate_rows="drop", columns=["x"], duplicate_ids="first")
        assert reading.tally.rows_dropped == {"duplicate_rows": 1, "duplicate_ids": 1}

    def test_missing_and_empty_neighbours_are_not_confused(self, write, read):
        path = write("a,b\nx,\n,x\nx,\n")
        assert read(path, duplicate_rows="drop").column("row_number") == ["1", "2"]

    @pytest.mark.parametrize(("which", "wanted"), [("first", ["a", "b"]), ("last", ["c", "b"])])
    def test_first_and_last_by_the_order_of_files(self, write, read, which, wanted):
        files = [write("id,x\n1,a\n2,b\n", "z.csv"), write("id,x\n1,c\n", "a.csv")]
        reading = read(files, duplicate_ids=which)
        assert dict(zip(reading.column("id"), reading.column("x"), strict=True)) == dict(
            zip("12", wanted, strict=True)
        )
        assert reading.tally.rows_dropped == {"duplicate_ids": 1}


class TestParquet:
    def test_every_stored_type(self, tmp_path, read):
        day = datetime.date(1970, 1, 3)
        table = pa.table(
            {
                "id": pa.array([123, None, -1], pa.int32()),
                "small": pa.array([1, 2, None], pa.uint8()),
                "half": pa.array([0.5, float("nan"), 1], pa.float32()),
                "money": pa.array([decimal.Decimal("1.25"), None, None], pa.decimal128(9, 2)),
                "flag": [True, False, None],
                "word": pa.array(["a", "", None]).dictionary_encode(),
                "day": [day, None, None],
                "moment": pa.array([43_200_000_000_000, None, None], pa.timestamp("ns", "Europe/Berlin")),
                "nothing": pa.nulls(3),
            }
        )
        path = tmp_path / "customers.parquet"
        pq.write_table(table, path)
        reading = read(path, missing_ids="drop", missing={"id": [-1]})
        assert reading.table.to_pydict() == {
            "id": ["123"], "small": [1], "half": [0.5], "money": [1.25], "flag": ["true"], "word": ["a"],
            "day": [2.0], "moment": [0.5], "nothing": [None],
        }  # fmt: skip
        assert reading.tally.rows_dropped == {"missing_ids": 2}

    def test_a_float_id_is_written_without_a_fraction(self, tmp_path, read):
        path = tmp_path / "customers.parquet"
        pq.write_table(pa.table({"id": [17850.0, 2.0], "x": [1, 2]}), path)
        assert read(path).column("id") == ["17850", "2"]

    def test_integer_in_one_file_and_float_in_the_next(self, tmp_path, read):
        for name, values in (("a", [1]), ("b", [2.5])):
            pq.write_table(pa.table({"id": [name], "x": values}), tmp_path / f"{name}.parquet")
        assert read(tmp_path / "*.parquet").column("x") == [1.0, 2.5]

    def test_whole_numbers_beyond_64_bits_with_a_sign(self, tmp_path, read):
        path = tmp_path / "customers.parquet"
        pq.write_table(pa.table({"id": [1, 2], "x": pa.array([2**63, 5], pa.uint64())}), path)
        assert read(path).column("x") == [2.0**63, 5.0]

    def test_row_groups_and_copies_across_them(self, tmp_path, read):
        path = tmp_path / "customers.parquet"
        pq.write_table(pa.table({"id": [1, 2, 1, 3], "x": [1.0, 2.0, 1.0, None]}), path, row_group_size=1)
        assert read(path, duplicate_rows="drop").column("id") == ["1", "2", "3"]


class TestConditions:
    TABLE = """id,n,x,t,day
1,1,0.5,apple,2024-01-01
2,2,1.5,banana,2024-02-01
3,3,,cherry,2024-03-01
4,4,3.5,,
"""

    @pytest.mark.parametrize(
        ("condition", "kept"),
        [
            ({"column": "n", "gt": 2}, "34"),
            ({"column": "n", "ge": 2, "lt": 4}, "23"),
            ({"column": "n", "le": 1.5}, "1"),
            ({"column": "n", "eq": "3"}, "3"),
            ({"column": "x", "ne": 0.5}, "24"),
            ({"column": "x", "is_in": [0.5, 3.5]}, "14"),
            ({"column": "x", "not_in": [0.5]}, "24"),
            ({"column": "x", "missing": True}, "3"),
            ({"column": "x", "missing": False}, "124"),
            ({"column": "t", "eq": "banana"}, "2"),
            ({"column": "t", "gt": "apple"}, "23"),
            ({"column": "t", "matches": "^(a|.*rr)"}, "13"),
            ({"column": "t", "not_matches": "an"}, "13"),
            ({"column": "t", "not_in": ["apple"]}, "23"),
            ({"column": "day", "ge": "2024-02-01"}, "23"),
            ({"column": "day", "lt": "2024-01-01 00:00:01"}, "1"),
            ({"column": "id", "not_in": [1, 2]}, "34"),
        ],
    )
    def test_operators(self, write, read, condition, kept):
        reading = read(write(self.TABLE), keep=[condition], types={"day": "time"})
        assert "".join(reading.column("id")) == kept

    def test_a_row_counts_for_the_first_condition_it_fails(self, write, read):
        keep = [{"column": "n", "gt": 1}, {"column": "x", "gt": 1, "lt": 3}, {"column": "t", "matches": "a"}]
        reading = read(write(self.TABLE), keep=keep)
        assert reading.column("id") == ["2"]
        assert reading.tally.rows_dropped == {"n gt 1": 1, "x gt 1 and lt 3": 2}

    def test_a_column_that_is_only_a_condition_is_read_as_the_condition_means(self, write, read):
        rows = "".join(f"{n},{n},x\n" for n in range(1, 20))
        path = write("id,code,plan\n" + rows + "99,C99,x\n")
        keep = [{"column": "code", "not_matches": "^C"}]
        assert read(path, columns=["plan"], keep=keep).tally.rows_dropped == {"code not_matches ^C": 1}


def test_columns_in_another_order_and_a_file_without_rows(write, read):
    files = [
        write("id,x,t\n1,5,a\n", "a.csv"),
        write("t,id,x\n", "b.csv"),
        write("t,x,id\nb,6,2\n", "c.csv"),
    ]
    assert read(files).table.to_pydict() == {"id": ["1", "2"], "x": [5, 6], "t": ["a", "b"]}


def test_blank_lines_before_the_header_and_quoted_names(write, read):
    path = write(b'\xef\xbb\xbf\n"id","a, b"\n"1","2"\n')
    assert read(path).table.to_pydict() == {"id": ["1"], "a, b": [2]}


def test_one_column_that_is_no_id(write, read):
    assert read(write("x\n1\n2.5\n")).table.to_pydict() == {"row_number": ["1", "2"], "x": [1.0, 2.5]}


def test_numbers_that_do_not_fit_whole_numbers(write, read):
    path = write("id,x\n1,99999999999999999999\n2,3\n")
    assert read(path).column("x") == [1e20, 3.0]
