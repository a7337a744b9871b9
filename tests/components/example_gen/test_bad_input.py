"""What people read when their data is wrong: where, what, and what to do."""

from __future__ import annotations

import gzip

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError
from components.example_gen import quotes
from configs.errors import ConfigError

GOOD = "".join(f"{n},{n}.5\n" for n in range(1, 31))
TIMED = {"time": "when", "amount": "amount"}


def refused(read, path, **data):
    with pytest.raises(DataError) as caught:
        read(path, **data)
    return str(caught.value).replace(f"{path}: ", "")


def test_text_in_a_column_of_numbers(write, read):
    path = write(f"id,income\n{GOOD}31,n/a\n")
    assert refused(read, path) == (
        "line 32 (row 31), column 'income': 'n/a' is not a number, but 96.8% of the values are; set"
        " data.missing: {income: ['n/a']} if it stands for missing, or data.types: {income: text}"
    )
    assert read(path, missing={"income": ["n/a"]}).column("income")[-1] is None
    assert read(path, types={"income": "text"}).column("income")[-1] == "n/a"


def test_mostly_text_is_text(write, read):
    path = write("id,code\n1,5\n2,6\n3,x\n")
    assert read(path).column("code") == ["5", "6", "x"]


def test_text_below_what_types_are_inferred_from(write, read, monkeypatch):
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 100)
    monkeypatch.setattr("components.example_gen.readers._CSV_BLOCK_BYTES", 100)
    path = write(
        gzip.compress(
            f"id,x\n{GOOD}31,\n\n32,1,\n".replace("1,\n", "1\n").replace("31\n", "31,oops\n").encode()
        )
    )
    assert refused(read, path).startswith(
        "line 32 (row 31), column 'x': 'oops' is not a number; set data.missing"
    )


def test_lines_are_counted_over_quoted_newlines_and_blank_lines(write, read):
    path = write('id,name,x\n1,"one\ntwo\nthree",1\n\n2,b,2\n3,c,inf\n')
    assert refused(read, path).startswith("line 7 (row 3), column 'x': 'inf' is infinite")


@pytest.mark.parametrize("value", ["inf", "-Infinity", "1e999"])
def test_infinities(write, read, value):
    message = refused(read, write(f"id,x\n1,2\n2,{value}\n"))
    assert message.startswith(f"line 3 (row 2), column 'x': '{value}' is infinite")


def test_infinities_in_parquet(tmp_path, read):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": [1, 2], "x": [1.0, float("inf")]}), path)
    assert refused(read, path).startswith(
        "row 2, column 'x': inf is infinite; set data.missing: {x: ['inf']}"
    )


def test_an_infinity_that_stands_for_missing(write, read, tmp_path):
    assert read(write("id,x\n1,2\n2,inf\n"), missing={"x": ["inf"]}).column("x") == [2.0, None]
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": [1, 2], "x": [1.0, float("inf")]}), path)
    assert read(path, missing={"x": ["inf"]}).column("x") == [1.0, None]


@pytest.mark.parametrize(("row", "found"), [("3", 1), ("3,4,5", 3)])
def test_a_ragged_row(write, read, row, found):
    path = write(gzip.compress(f"id,x\n{GOOD}{row}\n4,5\n".encode()))
    assert refused(read, path) == f"line 32 (row 31): has {found} columns, the header has 2"


def test_a_quote_that_is_never_closed(write, read):
    message = refused(read, write('id,x,y\n1,2,3\n2,"3,4\n5,6,7\n'))
    assert (
        message
        == "line 3 (row 2): has 2 columns, the header has 3; is a quote opened there and never closed?"
    )


def lines_with_open_quotes(rows, *unclosed):
    return "id,x\n" + "".join(f'{n},"v{n}\n' if n in unclosed else f"{n},v{n}\n" for n in range(1, rows + 1))


NOT_CLOSED = "a quote is opened there and not closed, so a value runs on to {}; close it"


@pytest.mark.parametrize(
    ("unclosed", "place", "end"),
    [
        # Without a check all of these are read without an error, with fewer customers or a broken value.
        ([51], "line 52 (row 51)", "line 101"),
        ([1], "line 2 (row 1)", "line 101"),
        ([100], "line 101 (row 100)", "the end of the file"),
        # The second closes the first: their number is even.
        ([51, 80], "line 52 (row 51)", "line 81"),
    ],
)
def test_a_quote_that_is_never_closed_in_the_last_column(write, read, unclosed, place, end):
    path = write(lines_with_open_quotes(100, *unclosed))
    assert refused(read, path).startswith(f"{place}: {NOT_CLOSED.format(end)}")
    assert len(read(write(lines_with_open_quotes(100))).table) == 100


def test_a_quote_that_the_next_row_closes(write, read):
    rows = "".join(f'{n},"v{n}"\n' for n in range(1, 101)).replace('"v51"', '"v51')
    message = refused(read, write(f"id,x\n{rows}"))
    assert message.startswith(f"line 52 (row 51): {NOT_CLOSED.format('line 53')}")


def test_a_quote_that_is_never_closed_in_a_column_of_numbers(write, read):
    path = write("id,x\n" + GOOD + '31,"5\n' + "".join(f"{n},{n}\n" for n in range(32, 41)))
    assert refused(read, path).startswith(f"line 32 (row 31): {NOT_CLOSED.format('line 41')}")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_a_quote_that_is_never_closed_far_down_whatever_the_file(
    write, read, encoding, compress, monkeypatch
):
    monkeypatch.setattr("components.example_gen.quotes._BLOCK_BYTES", 1001)
    path = write(compress(lines_with_open_quotes(20_000, 15_000).encode(encoding)))
    assert refused(read, path, encoding=encoding).startswith(
        "line 15001 (row 15000): a quote is opened there"
    )


@pytest.mark.parametrize("block_bytes", [1, 2, 3, 7, 1 << 20])
def test_quotes_in_order_are_known_without_parsing(block_bytes):
    def in_order(text):
        content = text.encode()
        blocks = [content[at : at + block_bytes] for at in range(0, len(content), block_bytes)]
        return quotes.are_in_order(blocks, ";")

    for good in ['"a";"b"\n1;2', 'a;b\n"";"x ""y"" z"\r\n"two\n;lines";""""', "a;b\n", '"a"']:
        assert in_order(good), good
    for bad in ['a;b\n1;"x', 'a;b\n1;"x\n2;"y\n', 'a;12" pipe', 'a;"x" y', 'a;"', '"a","b"', 'a;"""']:
        assert not in_order(bad), bad


def test_quotes_out_of_place_that_swallow_no_line(write, read):
    path = write('id,x\n1,12" pipe\n2,"Bob" Smith\n3,"two\nlines"\n\n4,"""hi"""\n')
    assert read(path).column("x") == ['12" pipe', "Bob Smith", "two\nlines", '"hi"']


def test_good_files_are_not_parsed_for_their_quotes(write, read, monkeypatch):
    monkeypatch.setattr("components.example_gen.diagnosis.refuse_open_quotes", lambda *_: pytest.fail("slow"))
    path = write(b'\xef\xbb\xbf"id","x"\r\n1,"a, ""b"""\r\n2,"two\r\nlines"')
    assert read(path).column("x") == ['a, "b"', "two\r\nlines"]


def test_bytes_of_another_encoding(write, read):
    path = write("id,x,name\n1,2,a\n2,3,Müller\n".encode("latin-1"))
    assert refused(read, path) == (
        "line 3 (row 2), column 'name': b'M\\xfcller' is not utf-8; if the file is in another encoding,"
        " name it, such as data.encoding: latin-1"
    )
    assert read(path, encoding="latin-1").column("name") == ["a", "Müller"]


def test_a_damaged_gzip(write, read):
    rows = "".join(f"{n * 7919 % 100003},{n * 104729 % 99991}\n" for n in range(20_000))
    whole = gzip.compress(f"id,x\n{rows}".encode())
    assert "cannot be read" in refused(read, write(whole[:-5000]))


def test_a_column_that_is_declared_a_number(write, read):
    path = write("id,x,y\n1,a,1.5\n2,b,2\n")
    assert "line 2 (row 1), column 'x': 'a' is not a number" in refused(read, path, types={"x": "number"})
    assert "line 2 (row 1), column 'y': '1.5' is not a whole number" in refused(
        read, path, types={"y": "integer"}
    )
    assert "line 2 (row 1), column 'x': 'a' is not a time" in refused(read, path, types={"x": "time"})


def test_hexadecimal_is_no_number(write, read):
    assert "'0x10' is not a number" in refused(read, write("id,x\n1,0x10\n2,3\n"), types={"x": "integer"})


def test_missing_ids(write, read):
    message = refused(read, write("id,x\n1,2\n,3\n3,4\n,5\n"))
    assert message == (
        "line 3 (row 2): has no customer id, the first of 2 such rows; mend them or set"
        " data.missing_ids: drop"
    )


def test_duplicate_ids(write, read):
    message = refused(read, write("id,x\n1,2\n7,3\n7,4\n1,5\n7,3\n"))
    assert message.startswith("line 4 (row 3): the customer id '7' is there already; ids on several rows: 2;")
    assert "data.duplicate_ids: first (or last)" in message


def test_an_id_that_is_no_whole_number(write, read):
    message = refused(read, write("id,x\n17850.0,1\nA5,2\n"), types={"id": "integer"})
    assert message == "line 3 (row 2), column 'id': 'A5' is not a number"


def test_nothing_left(write, read):
    with pytest.raises(DataError, match="no customers are left of 2 rows: dropped 2 by 'x gt 5'"):
        read(write("id,x\n1,2\n2,3\n"), keep=[{"column": "x", "gt": 5}])


def test_a_condition_on_numbers_that_is_none(write, read):
    with pytest.raises(ConfigError, match=r"data\.keep: x gt: 'many' is not a number"):
        read(write("id,x\n1,2\n"), keep=[{"column": "x", "gt": "many"}])


def test_a_row_that_never_ends(write, read):
    path = write("id,x\n1,a\n2," + "b" * (17 << 20) + "\n")
    assert refused(read, path) == "line 3 (row 2): is longer than 8 MiB; is a quote never closed?"


def test_another_encoding_in_the_header(write, read):
    path = write("id,x\n1,2\n".encode("utf-16"))
    assert refused(read, path).endswith("the header is not utf-8; try data.encoding: utf-16")


def test_a_nested_column_with_a_part_in_transactions(tmp_path, read):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": [1], "when": [["2024-01-01"]], "amount": [1]}), path)
    assert refused(read, path, transactions=TIMED).startswith("column 'when' cannot be read as time: list<")


def test_parquet_that_is_cut_off(tmp_path, read):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": list(range(1000)), "x": list(range(1000))}), path)
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be read as Parquet" in refused(read, path)


def test_a_nested_parquet_column(tmp_path, read):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"id": [1], "tags": [["a"]], "x": [1]}), path)
    message = refused(read, path)
    assert message.startswith("column 'tags' is list<") and message.endswith(
        "list the others in data.columns"
    )
    assert read(path, columns=["x"]).column("x") == [1]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a,,5", "column 'when': is missing in a transaction; mend it, or drop such rows with data.keep: "
                 "[{column: when, missing: false}]"),
        ("a,2024-01-01,", "column 'amount': is missing in a transaction"),
        ("a,31.12.2024,5", "column 'when': '31.12.2024' is not a time in ISO 8601"),
        ("a,2024-02-30,5", "column 'when': '2024-02-30' is not a time in ISO 8601"),
        ("a,12/01/2010 08:26,5", "is not a time in ISO 8601"),
        ("a,2024-01-01,five", "column 'amount': 'five' is not a number"),
    ],
)  # fmt: skip
def test_transactions_that_cannot_be_placed(write, read, row, message):
    path = write(f"id,when,amount\nb,2024-01-01,1\n{row}\n")
    found = refused(read, path, transactions=TIMED)
    assert found.startswith("line 3 (row 2), ") and message in found


def test_a_time_in_another_format_than_said(write, read):
    path = write("id,when,amount\nb,31.12.2024,1\nc,2024-12-31,1\n")
    message = refused(read, path, transactions={**TIMED, "time_format": "%d.%m.%Y"})
    assert message == "line 3 (row 2), column 'when': '2024-12-31' is not a time in the format %d.%m.%Y"
