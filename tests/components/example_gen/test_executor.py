"""`Do` on real files, and what TensorFlow and TFX read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import apache_beam as beam
import numpy as np
import pyarrow.parquet as pq
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tfx.components.statistics_gen import executor as statistics_gen
from tfx.components.util import examples_utils, tfxio_utils
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils, standard_artifacts

from components.errors import DataError
from components.example_gen import beam_steps
from components.example_gen.component import CustomerExampleGen
from components.example_gen.executor import Executor
from components.example_gen.source import fingerprint_files, resolve_source, source_to_json
from configs.transactions import Feature

DATA = Path(__file__).parents[3] / ".." / "shared" / "data"
BEAM = ["--runner=DirectRunner", "--direct_running_mode=in_memory", "--direct_num_workers=1"]
TIMED = {"time": "when", "amount": "amount", "order": "order"}

Row = dict[str, list[Any]]


@pytest.fixture
def do(tmp_path, config) -> Callable[..., standard_artifacts.Examples]:
    """Runs the executor on `path` with the keys of `data`."""
    runs = iter(range(100))

    def run(path: Any, **data: Any) -> standard_artifacts.Examples:
        settings = config(path, **data)
        source = resolve_source(settings)
        examples = standard_artifacts.Examples()
        examples.uri = str(tmp_path / f"examples-{next(runs)}")
        table = standard_artifacts.Examples()
        table.uri = f"{examples.uri}-table"
        context = Executor.Context(beam_pipeline_args=BEAM, tmp_dir=str(tmp_path / "tmp"), unique_id="1")
        Executor(context).Do(
            {},
            {"examples": [examples], "table": [table]},
            {
                "data_config": settings.data.model_dump_json(by_alias=True),
                "source": source_to_json(source, fingerprint_files(source.all_files)),
                "code_version": "",
            },
        )
        return examples

    return run


@pytest.fixture
def many_buckets(monkeypatch):
    """Small blocks and small buckets: what a large source goes through."""
    monkeypatch.setattr(beam_steps, "_BUCKET_BYTES", 2000)
    monkeypatch.setattr("components.example_gen.readers._CSV_BLOCK_BYTES", 1000)


def row_of(record: bytes) -> Row:
    features = tf.train.Example.FromString(record).features.feature.items()
    kinds = ((name, feature, feature.WhichOneof("kind")) for name, feature in features)
    return {name: list(getattr(feature, kind).value) if kind else [] for name, feature, kind in kinds}


def rows_of(examples: standard_artifacts.Examples, split: str) -> list[Row]:
    files = sorted(map(str, Path(examples.uri, f"Split-{split}").iterdir()))
    return [row_of(record) for record in tf.data.TFRecordDataset(files).as_numpy_iterator()]


def ingest_of(examples: standard_artifacts.Examples) -> dict[str, Any]:
    return json.loads(Path(examples.uri, "ingest.json").read_text())


def customers_of(examples: standard_artifacts.Examples, name: str = "id") -> dict[str, dict[bytes, Row]]:
    return {split: {row[name][0]: row for row in rows_of(examples, split)} for split in ("train", "eval")}


def content_of(examples: standard_artifacts.Examples) -> dict[str, Any]:
    """Every file: records as their values, since protobuf writes the entries of a map in any order."""
    root = Path(examples.uri)
    files = sorted(file for file in root.rglob("*") if file.is_file())
    return {str(file.relative_to(root)): _records_of(file) for file in files}


def _records_of(file: Path) -> Any:
    if file.suffix == ".json":
        return file.read_bytes()
    return [row_of(record) for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator()]


def table_of(count: int, start: int = 0) -> str:
    rows = (f"c{n},{n},{n / 4},{'abc'[n % 3]}\n" for n in range(start, start + count))
    return "id,whole,real,plan\n" + "".join(rows)


def test_values_kinds_and_what_is_told_about_them(write, do):
    path = write("id,age,income,plan,empty\n01,30,1.25,basic,\n02,,2.5,,\n03,50,,plus,\n04,1,1,plus,\n")
    examples = do(path, keep=[{"column": "age", "ne": 1}], types={"age": "integer"}, eval_share=0.5)
    rows = sorted(rows_of(examples, "train") + rows_of(examples, "eval"), key=lambda row: row["id"])
    assert rows == [
        {"id": [b"01"], "age": [30], "income": [1.25], "plan": [b"basic"], "empty": []},
        {"id": [b"03"], "age": [50], "income": [], "plan": [b"plus"], "empty": []},
    ]
    ingest = ingest_of(examples)
    assert ingest.pop("digests").keys() == {str(path)}
    assert ingest == {
        "files": [str(path)],
        "rows_read": 4,
        "rows_dropped": {"age ne 1": 2},
        "values_changed": {},
        "query": None,
        "customers": {"train": 1, "eval": 1},
        "id_column": "id",
        "as_of": None,
        "span": None,
        "spans": [],
        "columns": {"id": "text", "age": "integer", "income": "number", "plan": "text", "empty": "text"},
        "all_missing": ["empty"],
    }


def test_splits_hold_every_customer_once(write, do):
    examples = do(write(table_of(500)))
    customers = customers_of(examples)
    assert not customers["train"].keys() & customers["eval"].keys()
    found = customers["train"] | customers["eval"]
    assert found == {
        b"c%d" % n: {"id": [b"c%d" % n], "whole": [n], "real": [n / 4], "plan": [b"%c" % b"abc"[n % 3]]}
        for n in range(500)
    }
    assert 60 <= len(customers["eval"]) <= 140
    assert artifact_utils.decode_split_names(examples.split_names) == ["train", "eval"]
    assert ingest_of(examples)["customers"] == {split: len(rows) for split, rows in customers.items()}


@pytest.mark.slow
def test_a_customer_in_eval_stays_there_when_the_share_grows(write, do):
    path = write(table_of(300))
    small, large = (set(customers_of(do(path, eval_share=share))["eval"]) for share in (0.1, 0.4))
    assert small < large
    more = write(table_of(600), "more.csv")
    same_share = set(customers_of(do(more, eval_share=0.1))["eval"])
    assert small <= same_share


@pytest.mark.slow
@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_neither_split_is_empty(write, do, share):
    customers = ingest_of(do(write(table_of(2)), eval_share=share))["customers"]
    assert customers == {"train": 1, "eval": 1}


@pytest.mark.slow
def test_two_runs_write_the_same(write, do, many_buckets, tmp_path):
    for part in range(4):
        write(table_of(200, part * 200), f"part-{part}.csv")
    one, other = (do(tmp_path / "part-*.csv") for _ in range(2))
    assert len(list(Path(one.uri, "Split-train").iterdir())) > 4
    assert content_of(one) == content_of(other)
    assert not Path(one.uri, beam_steps.STAGING).exists()


@pytest.mark.slow
def test_the_order_of_files_does_not_change_customers(write, do, many_buckets):
    files = [write(table_of(200, part * 200), f"part-{part}.csv") for part in range(4)]
    assert customers_of(do(files)) == customers_of(do(files[::-1]))


@pytest.mark.slow
@pytest.mark.parametrize(
    "data",
    [
        {"duplicate_ids": "last"},
        {"duplicate_ids": "first", "duplicate_rows": "drop"},
        {"transactions": TIMED},
        {"transactions": TIMED, "duplicate_rows": "drop"},
        {"columns": ["amount", "order"], "duplicate_rows": "drop", "id": None},
    ],
)
def test_beam_and_many_buckets_give_what_one_process_does(write, do, read, many_buckets, data):
    random = np.random.default_rng(0)
    header = "buyer" if data.get("id", "id") is None else "id"
    lines = [
        f"{buyer},2024-01-{day:02d},{amount},{order}\n"
        for buyer, day, amount, order in random.integers([0, 1, 0, 0], [40, 29, 9, 99], [600, 4])
    ]
    path = write(f"{header},when,amount,order\n" + "".join(lines) * 2)
    examples, reading = do(path, **data), read(path, **data)
    name = reading.source.id_name
    wanted = {row[name]: row for row in reading.table.to_pylist()}
    found = {key: row for split in customers_of(examples, name).values() for key, row in split.items()}
    assert len(found) == len(wanted) == reading.tally.customers
    for key, row in found.items():
        for column, value in row.items():
            expected = wanted[key.decode()][column]
            assert value == [
                expected.encode() if isinstance(expected, str) else pytest.approx(expected, rel=1e-6)
            ]
    assert ingest_of(examples)["rows_dropped"] == dict(reading.tally.rows_dropped)


def test_a_fraction_in_one_bucket_makes_the_column_numbers_in_all(write, do, many_buckets, monkeypatch):
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 1000)
    examples = do(write(table_of(400).replace("c399,399,", "c399,399.5,")))
    rows = rows_of(examples, "train") + rows_of(examples, "eval")
    assert {type(row["whole"][0]) for row in rows} == {float}
    assert max(row["whole"][0] for row in rows) == 399.5
    assert ingest_of(examples)["columns"]["whole"] == "number"


def test_problems_of_all_files_reach_the_caller(write, do, many_buckets, monkeypatch, tmp_path):
    monkeypatch.setattr("components.example_gen.plan._SAMPLED_BYTES", 1000)
    write(table_of(50) + "c99,1\n", "a.csv"), write(table_of(50, 50), "b.csv")
    write(table_of(50, 100) + "x,y,1,a\n", "c.csv")
    with pytest.raises(DataError) as caught:
        do(tmp_path / "?.csv", types={"whole": "integer"})
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path / 'a.csv'}: line 52 (row 51): has 2 columns, the header has 4"
    assert lines[1].startswith(f"{tmp_path / 'c.csv'}: line 52 (row 51), column 'whole': 'y' is not a number")
    assert len(lines) == 2
    assert not (tmp_path / "examples-0" / "Split-train").exists()


@pytest.mark.slow
def test_repeated_and_missing_ids_reach_the_caller(write, do):
    with pytest.raises(DataError, match=r"line 4 \(row 3\): the customer id 'c0' is there already"):
        do(write(table_of(2) + "c0,1,1,a\n"))
    with pytest.raises(DataError, match=r"line 4 \(row 3\): has no customer id"):
        do(write(table_of(2) + ",1,1,a\n"))


def test_span_digest_and_end_of_period(write, do, tmp_path):
    write("id,when,amount,order\na,2024-01-01,1,1\nb,2024-01-03 06:00,2,2\n", "day-012.csv")
    examples = do(tmp_path / "day-{SPAN}.csv", transactions=TIMED)
    ingest = ingest_of(examples)
    assert (examples.span, ingest["span"], ingest["as_of"]) == (12, 12, "2024-01-03T06:00:00")
    assert list(ingest["digests"]) == ingest["files"] == [str(tmp_path / "day-012.csv")]
    assert ingest["columns"] == {
        "id": "text", "recency_days": "number", "frequency": "integer", "monetary": "number",
        "tenure_days": "number", "average_basket": "number",
    }  # fmt: skip


def test_all_of_transactions_through_beam(write, do, read, many_buckets, tmp_path):
    """Several files, buckets, a second table, and a window whose end is found first: the same as in one process."""
    random = np.random.default_rng(0)
    head = "id,when,amount,order,kind,product\n"
    for part in range(3):
        days = random.integers(1, 29, 200)
        write(
            head
            + "".join(
                f"c{random.integers(40)},2024-{random.integers(1, 4):02}-{day:02} {day % 24:02}:00,"
                f"{random.integers(-5, 50)},o{day},{'xyz'[day % 3]},p{day % 7}\n"
                for day in days
            )
            + ("c1,never,1,o,x,p\n" if part == 1 else ""),
            f"part-{part}.csv",
        )
    people = write("id,age,plan\n" + "".join(f"c{n},{n},{'ab'[n % 2]}\n" for n in range(5, 60)), "people.csv")
    keys = {
        "transactions": {
            "time": "when", "amount": "amount", "order": "order", "category": "kind", "product": "product",
            "features": list(get_args(Feature)), "category_shares": 2, "window_days": 60, "timezone": "Asia/Tokyo",
            "returns": {"treat": "rate"}, "max_bad_times": 1,
        },
        "attributes": {"path": str(people), "id": "id"},
    }  # fmt: skip
    examples = do(tmp_path / "part-*.csv", **keys)
    expected = read(tmp_path / "part-*.csv", **keys)
    rows = {row["id"][0].decode(): row for split in ("train", "eval") for row in rows_of(examples, split)}
    assert sorted(rows) == expected.column("id")
    for wanted in expected.table.to_pylist():
        for name, value in wanted.items():
            found = rows[wanted["id"]].get(name, [])
            if value is None:
                assert found == [], name
            elif isinstance(value, str):
                assert found == [value.encode()], name
            else:
                assert found == [pytest.approx(value, rel=1e-6)], name
    ingest = ingest_of(examples)
    assert ingest["rows_dropped"] == dict(expected.tally.rows_dropped)
    assert {"bad_times", "before_window"} == set(ingest["rows_dropped"])
    assert ingest["with_attributes"] == expected.tally.joined > 30
    assert ingest["as_of"].endswith("+09:00")
    assert list(ingest["columns"]) == expected.table.column_names
    assert set(ingest["digests"]) == {*map(str, tmp_path.glob("part-*.csv")), str(people)}


def test_tfx_reads_what_is_written(write, do, tmp_path):
    examples = do(write(table_of(300)))
    factory = tfxio_utils.get_tfxio_factory_from_artifact([examples], ["test"])
    tfxio = factory(str(Path(examples.uri, "Split-train", "*")))
    counts = tmp_path / "counts"
    with beam.Pipeline() as pipeline:
        rows = (
            pipeline | tfxio.BeamSource() | beam.Map(lambda batch: batch.num_rows) | beam.CombineGlobally(sum)
        )
        _ = rows | beam.Map(lambda count: counts.write_text(str(count)))
    assert int(counts.read_text()) == ingest_of(examples)["customers"]["train"]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["examples", "table"])
def test_stock_statistics_gen_reads_it(write, do, tmp_path, encoding):
    examples = do(write(table_of(300)))
    read = examples if encoding == "examples" else standard_artifacts.Examples()
    if encoding == "table":
        read.uri = f"{examples.uri}-table"
        read.split_names = examples.split_names
        examples_utils.set_payload_format(read, example_gen_pb2.PayloadFormat.FORMAT_PARQUET)
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    context = statistics_gen.Executor.Context(beam_pipeline_args=BEAM, tmp_dir=str(tmp_path), unique_id="2")
    statistics_gen.Executor(context).Do(
        {"examples": [read]}, {"statistics": [statistics]}, {"exclude_splits": "[]"}
    )
    loaded = tfdv.load_stats_binary(
        str(tmp_path / "statistics" / "Split-train" / "FeatureStats.pb")
    ).datasets[0]
    assert loaded.num_examples == ingest_of(examples)["customers"]["train"]
    assert {feature.path.step[0] for feature in loaded.features} - {"id"} == {"whole", "real", "plan"}
    whole = next(feature for feature in loaded.features if feature.path.step[0] == "whole")
    values = [row["whole"][0] for row in rows_of(examples, "train")]
    assert (whole.num_stats.mean, whole.num_stats.max) == (pytest.approx(np.mean(values)), max(values))


def test_the_table_holds_the_same_customers_without_their_id(write, do, many_buckets):
    examples = do(write(table_of(300) + "x,,,\n"))
    for split in ("train", "eval"):
        table = pq.read_table(Path(f"{examples.uri}-table", f"Split-{split}"))
        assert table.column_names == ["whole", "real", "plan"]
        expected = [
            {name: row.get(name) or None for name in table.column_names} for row in rows_of(examples, split)
        ]
        key = lambda row: (row["whole"] or [], row["real"] or [])  # noqa: E731
        assert sorted(table.to_pylist(), key=key) == sorted(expected, key=key)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="the shared test data is not there")
def test_online_retail(do, read):
    data = {
        "types": {"CustomerID": "integer"},
        "missing_ids": "drop",
        "keep": [{"column": "Quantity", "gt": 0}],
        "transactions": {
            "time": "InvoiceDate", "quantity": "Quantity", "price": "UnitPrice", "order": "InvoiceNo",
        },
    }  # fmt: skip
    path = DATA / "online_retail" / "online_retail.csv.gz"
    examples, reading = do(path, **data), read(path, **data)
    found = {
        key: row for split in customers_of(examples, "CustomerID").values() for key, row in split.items()
    }
    wanted = {row["CustomerID"].encode(): row for row in reading.table.to_pylist()}
    assert found.keys() == wanted.keys()
    for name in ("recency_days", "frequency", "monetary", "tenure_days", "average_basket"):
        assert [found[key][name][0] for key in wanted] == pytest.approx(
            [row[name] for row in wanted.values()], rel=1e-6
        )


def test_the_component_is_wired(write, config):
    settings = config(write(table_of(3)))
    source = resolve_source(settings)
    component = CustomerExampleGen(
        data_config=settings.data.model_dump_json(),
        source=source_to_json(source, fingerprint_files(source.files)),
    )
    assert component.outputs["examples"].type is standard_artifacts.Examples
    assert component.exec_properties["code_version"] == ""
    assert json.loads(component.exec_properties["source"])["files"][0][0] == source.files[0]
