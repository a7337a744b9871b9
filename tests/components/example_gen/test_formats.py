"""JSON Lines and TFRecords: the same customers as from CSV, and where a file is wrong."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys

import pytest
import tensorflow as tf

from components.errors import DataError
from configs.errors import ConfigError

CSV = "id,age,income,plan\n007,30,1.5,basic\n8,,2.0,\n9,50,3.25,2024-01-31\n"
ROWS = [
    {"id": "007", "age": 30, "income": 1.5, "plan": "basic"},
    {"id": "8", "age": None, "income": 2.0},
    {"id": "9", "age": 50, "income": 3.25, "plan": "2024-01-31"},
]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def example(row):
    features = {}
    for name, value in row.items():
        if isinstance(value, (str, bytes)):
            value = value.encode() if isinstance(value, str) else value
            features[name] = tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        elif isinstance(value, int):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        elif isinstance(value, float):
            features[name] = tf.train.Feature(float_list=tf.train.FloatList(value=[value]))
        elif isinstance(value, list):
            features[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        else:
            features[name] = tf.train.Feature()
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


@pytest.fixture
def write_records(tmp_path):
    def write(rows, name="customers.tfrecord", compression=""):
        path = tmp_path / name
        with tf.io.TFRecordWriter(str(path), compression) as writer:
            for row in rows:
                writer.write(row if isinstance(row, bytes) else example(row))
        return path

    return write


def refused(read, path, error=DataError, **data):
    with pytest.raises(error) as caught:
        read(path, **data)
    return str(caught.value).replace(f"{path}: ", "")


class TestJsonLines:
    @pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.jsonl.gz", "data"])
    def test_the_same_customers_as_from_csv(self, write, read, name):
        expected = read(write(CSV)).table
        content = ("\n" + lines(ROWS) + "  \n\n").encode()
        reading = read(write(gzip.compress(content) if name.endswith("gz") else content, name))
        assert reading.source.format == "jsonl"
        assert reading.table.equals(expected)
        assert reading.tally.rows_read == 3

    def test_blocks_of_lines(self, write, read, monkeypatch):
        rows = [{"id": f"{n:05}", "x": n, "day": f"2024-01-{n % 28 + 1:02}"} for n in range(500)]
        rows[400]["x"] = 0.5
        path = write(b"\xef\xbb\xbf" + lines(rows).rstrip().encode(), "a.jsonl")
        monkeypatch.setattr("components.example_gen.json_lines._BLOCK_BYTES", 1000)
        reading = read(path)
        assert reading.column("id") == [row["id"] for row in rows]
        assert reading.column("x") == [float(row["x"]) for row in rows]
        assert reading.column("day") == [row["day"] for row in rows]

    def test_a_column_that_is_null_at_first(self, write, read, monkeypatch):
        monkeypatch.setattr("components.example_gen.json_lines._BLOCK_BYTES", 500)
        rows = [{"id": str(n), "x": None if n < 90 else n, "y": n} for n in range(100)]
        assert read(write(lines(rows), "a.jsonl")).column("x") == [None] * 90 + list(range(90, 100))

    def test_files_need_not_have_all_columns(self, write, read):
        paths = [write(lines([{"id": str(n), f"x{n}": n}]), f"{n}.jsonl") for n in (1, 2)]
        assert read(paths).table.to_pydict() == {"id": ["1", "2"], "x1": [1, None], "x2": [None, 2]}

    def test_a_column_that_comes_late(self, write, read, monkeypatch):
        monkeypatch.setattr("components.example_gen.json_lines._BLOCK_BYTES", 500)
        rows = [{"id": str(n), "x": n} for n in range(100)]
        rows[70]["late"] = 1
        path = write(lines(rows), "a.jsonl")
        assert refused(read, path).startswith("row 71: has a column 'late' that the first rows do not have;")
        assert read(path, columns=["x"]).column("x") == list(range(100))

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ('{"id": "x", "age": 3', "line 4 (row 3): is not JSON: Expecting ',' delimiter"),
            ("id,age", "line 4 (row 3): is not JSON: "),
            ("[1, 2]", "line 4 (row 3): is a list, where one object is expected"),
            ('{"id": "x", "age": "old"}', 'line 4 (row 3), column \'age\': "old" is text, but line 1 has a number'),
            ('{"id": 7, "age": 3}', "line 4 (row 3), column 'id': 7 is a number, but line 1 has text there"),
            ('{"id": "x", "id": "y"}', "row 3: cannot be read as JSON Lines: JSON parse error: Column(/id) was"),
        ],
    )  # fmt: skip
    def test_a_broken_line(self, write, read, line, message):
        path = write(lines([{"id": "a", "age": 1}, {"id": "b", "age": 2}]) + "\n" + line + "\n", "a.jsonl")
        assert refused(read, path).startswith(message)

    def test_a_broken_line_far_down(self, write, read, monkeypatch):
        monkeypatch.setattr("components.example_gen.json_lines._BLOCK_BYTES", 500)
        content = lines([{"id": str(n), "x": n} for n in range(300)]) + "\n{]\n"
        assert refused(read, write(content, "a.jsonl")).startswith("line 302 (row 301): is not JSON")

    def test_bytes_that_are_no_text(self, write, read):
        path = write('{"id": "a"}\n{"id": "Köln"}\n'.encode("latin-1"), "a.jsonl")
        assert refused(read, path).startswith("line 2 (row 2): b'\\xf6ln")

    def test_nested_values_are_refused_or_left_out(self, write, read):
        path = write('{"id": "a", "x": 1, "tags": ["t"], "at": {"city": "Paris"}}\n', "a.jsonl")
        message = refused(read, path)
        assert message.startswith(("column 'tags' is list<", "column 'at' is struct<"))
        assert message.endswith("not text or numbers; list the others in data.columns")
        assert read(path, columns=["x"]).column("x") == [1]

    def test_an_array_is_no_lines(self, write, read):
        message = refused(read, write('[{"id": 1}]', "a.json"), ConfigError)
        assert message.endswith("a.json is one JSON array; write its objects on lines of their own")

    def test_values_that_are_wrong_are_placed_and_rules_apply(self, write, read):
        path = write('{"id": "a", "price": "$1,200"}\n\n{"id": "b", "price": "?"}\n', "a.jsonl")
        said = {"numbers": {"price": {"thousands": ",", "strip": "$"}}}
        assert refused(read, path, **said).startswith("line 3 (row 2), column 'price': '?' is not a number")
        reading = read(path, missing={"price": ["?"]}, **said)
        assert reading.column("price") == [1200.0, None]

    def test_without_rows(self, write, read):
        with pytest.raises(DataError, match="no rows"):
            read(write("\n\n", "a.jsonl"))


class TestRecords:
    @pytest.mark.parametrize(
        ("name", "compression"),
        [("a.tfrecord", ""), ("a.tfrecord.gz", "GZIP"), ("data_tfrecord-00000-of-00001", ""), ("b", "GZIP")],
    )
    def test_the_same_customers_as_from_csv(self, write, read, write_records, name, compression):
        expected = read(write(CSV)).table
        reading = read(write_records(ROWS, name, compression))
        assert reading.source.format == "tfrecord"
        assert reading.table.select(expected.column_names).equals(expected)

    def test_batches_and_what_some_lack(self, read, write_records, monkeypatch):
        monkeypatch.setattr("components.example_gen.records._BATCH", 64)
        rows = [
            {"id": str(n), **({"x": n} if n % 3 else {}), **({"y": n} if n > 10 else {})} for n in range(200)
        ]
        reading = read(write_records(rows))
        assert reading.column("id") == [str(n) for n in range(200)]
        assert reading.column("x") == [n if n % 3 else None for n in range(200)]
        assert reading.column("y") == [n if n > 10 else None for n in range(200)]

    def test_a_feature_that_comes_late(self, read, write_records, monkeypatch):
        monkeypatch.setattr("components.example_gen.records._BATCH", 64)
        rows = [{"id": str(n), "x": n, **({"late": 1} if n > 150 else {})} for n in range(200)]
        path = write_records(rows)
        assert refused(read, path).startswith("row 152: has a column 'late'")
        assert read(path, columns=["x"]).column("x") == list(range(200))

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            (
                {"id": "x", "age": [1, 2]},
                "column 'age' is large_list<item: int64>, not text or numbers; list the",
            ),
            ({"id": "x", "age": 1.5}, "row 3, column 'age': is float, but rows before have int64 there"),
            ({"id": b"\xff", "age": 1}, "row 3, column 'id': b'\\xff' is not UTF-8, so no text"),
            (b"\x0a\xff\xff", "row 3: is no tf.Example"),
        ],
    )
    def test_a_wrong_example(self, read, write_records, row, message):
        path = write_records([{"id": "a", "age": 1}, {"id": "b", "age": 2}, row])
        assert refused(read, path).startswith(message)

    def test_several_values_are_refused_or_left_out(self, read, write_records, monkeypatch):
        monkeypatch.setattr("components.example_gen.records._HEAD_BYTES", 500)
        rows = [{"id": str(n), "x": n, "tags": 1} for n in range(100)]
        rows[70]["tags"] = [1, 2, 3]
        path = write_records(rows)
        message = refused(read, path)
        assert message.startswith(
            "row 71, column 'tags': holds 3 values, where one is expected; list the other"
        )
        assert read(path, columns=["x"]).column("x") == list(range(100))

    def test_damage(self, read, write_records):
        path = write_records([{"id": str(n), "x": n} for n in range(100)])
        content = bytearray(path.read_bytes())
        content[-1] ^= 1  # of the last record's checksum
        path.write_bytes(content)
        assert refused(read, path).startswith("cannot be read as TFRecord beyond about row 0")
        path.write_bytes(content[:-30])
        assert "cannot be read as TFRecord" in refused(read, path)
        path.write_bytes(struct.pack("<Q", 1 << 20) + b"1234567890")
        assert refused(read, path).startswith("is no TFRecord file")

    def test_a_header_needs_no_tensorflow(self, write_records):
        path = write_records(ROWS)
        code = (
            "import sys\n"
            "from components.example_gen.plan import make_plan\n"
            "from components.example_gen.source import resolve_source\n"
            "from configs.pipeline import PipelineConfig\n"
            f"config = PipelineConfig.model_validate({{'name': 't', 'data': {{'path': {str(path)!r}}}}})\n"
            "print(make_plan(config.data, resolve_source(config)).kinds)\n"
            "assert 'tensorflow' not in sys.modules and 'apache_beam' not in sys.modules\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "'age': 'integer'" in done.stdout


def test_formats_do_not_mix_and_must_be_what_is_said(write, read, write_records):
    one, other = write(lines(ROWS), "a.jsonl"), write(CSV)
    with pytest.raises(ConfigError, match=r"customers\.csv is CSV, .*a\.jsonl is JSON Lines; read one kind"):
        read([one, other])
    with pytest.raises(ConfigError, match=r"data\.format: is tfrecord, but .* it looks like jsonl"):
        read(one, format="tfrecord")
    assert read(write_records(ROWS), format="tfrecord").column("age") == [30, None, 50]
