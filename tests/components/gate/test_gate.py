"""The gate on real tables: TFDV's statistics, TFX's ExampleValidator, and what the gate makes of them."""

from __future__ import annotations

import json
import math

import pytest
import tensorflow_data_validation as tfdv
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components.example_validator import executor as example_validator
from tfx.dsl.io import fileio
from tfx.types import Channel, artifact_utils, standard_artifacts
from tfx.utils import io_utils
from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from components.artifacts import DataVerdict
from components.errors import DataError
from components.gate.component import DataGate
from components.gate.executor import Executor, too_few
from configs.validation import ValidationConfig

SCHEMA = """
feature { name: "age" type: FLOAT presence { min_fraction: 0.5 } float_domain { min: 18 max: 80 } }
feature { name: "visits" type: INT presence { min_fraction: 0.5 } int_domain { min: 0 max: 11 } }
feature { name: "city" type: BYTES presence { min_fraction: 0.5 } domain: "cities" }
string_domain { name: "cities" value: "Paris" value: "Lyon" value: "Nice" }
"""


class Gate:
    """One run of ExampleValidator and the gate on a table."""

    def __init__(self, serving, root):
        self.serving, self.root = serving, root

    def __call__(self, splits, schema=SCHEMA, k=3, columns=None, **config):
        examples = self.serving.write_examples(self.root / "examples", splits, columns=columns)
        inputs = {
            "examples": [examples],
            "statistics": [self._statistics(splits)],
            "schema": [self._artifact(standard_artifacts.Schema, "schema")],
        }
        io_utils.write_string_file(f"{inputs['schema'][0].uri}/schema.pbtxt", schema)
        anomalies = self._artifact(standard_artifacts.ExampleAnomalies, "anomalies")
        example_validator.Executor().Do(
            {key: inputs[key] for key in ("statistics", "schema")}, {"anomalies": [anomalies]}, {}
        )
        verdict = self._artifact(DataVerdict, "verdict")
        Executor().Do(
            {**inputs, "anomalies": [anomalies]},
            {"verdict": [verdict]},
            {
                "validation_config": ValidationConfig(**config).model_dump_json(by_alias=True),
                "min_customers": k,
                "code_version": "",
            },
        )
        return json.loads((self.root / "verdict" / "verdict.json").read_text())

    def _artifact(self, kind, name):
        artifact = kind()
        artifact.uri = str(self.root / name)
        fileio.makedirs(artifact.uri)
        return artifact

    def _statistics(self, splits):
        artifact = self._artifact(standard_artifacts.ExampleStatistics, "statistics")
        artifact.split_names = artifact_utils.encode_split_names(list(splits))
        columns = sorted({name for rows in splits.values() for row in rows for name in row} - {"customer_id"})
        options = tfdv.StatsOptions(feature_allowlist=columns)
        for split, rows in splits.items():
            statistics = statistics_pb2.DatasetFeatureStatisticsList()
            if rows:
                batch = ExamplesToRecordBatchDecoder().DecodeBatch(
                    [self.serving.example(row) for row in rows]
                )
                statistics = generate_statistics_in_memory(batch, options)
            else:
                statistics.datasets.add()
            path = f"{artifact.uri}/Split-{split}/FeatureStats.pb"
            io_utils.write_bytes_file(path, statistics.SerializeToString())
        return artifact


@pytest.fixture
def gate(serving, tmp_path):
    return Gate(serving, tmp_path)


@pytest.fixture
def splits(serving):
    return {"train": serving.table(80, seed=1), "eval": serving.table(20, seed=2, prefix="e")}


def _lines(gate, *args, **kwargs):
    with pytest.raises(DataError) as raised:
        gate(*args, **kwargs)
    return str(raised.value).splitlines()


def test_good_data_passes(gate, splits):
    assert gate(splits) == {"passed": True, "checked_features": 3, "customers": 100, "anomalies": []}


def test_numbers_out_of_range_are_counted_over_all_splits(gate, splits):
    for row in splits["train"][:4]:
        row["age"] = -5.5
    splits["eval"][0]["age"] = 17.0
    splits["eval"][1]["visits"] = 4000
    assert _lines(gate, splits) == [
        "age: expected values from 18 to 80; found values down to -5.5 in 5 of 100 customers",
        "visits: expected values from 0 to 11; found values up to 4,000 in 1 of 100 customers",
    ]


def test_infinities_are_out_of_range(gate, splits):
    splits["train"][0]["age"] = math.inf
    assert _lines(gate, splits) == [
        "age: expected values from 18 to 80; found values up to infinity in 1 of 100 customers"
    ]


def test_unseen_categories_are_named_and_counted(gate, splits):
    for row in splits["train"][:3]:
        row["city"] = "Rome"
    splits["eval"][0]["city"] = "Rome"
    splits["eval"][1]["city"] = 'Köln "am Rhein"'
    assert _lines(gate, splits) == [
        'city: expected one of "Paris", "Lyon", "Nice"; '
        'found "Rome" (4), "Köln "am Rhein"" (1) in 5 of 100 customers'
    ]


def test_many_unseen_categories_are_summed_up(gate, splits):
    for i, row in enumerate(splits["train"]):
        row["city"] = f"town {i:02d}"
    (line,) = _lines(gate, splits)
    assert '"town 07" (1) and 72 more values in 80 of 100 customers' in line


def test_missing_values_beyond_what_is_allowed(gate, splits):
    for row in splits["train"]:
        row.pop("age", None)
    present = sum("age" in row for row in splits["eval"])
    assert _lines(gate, splits) == [
        "age: expected a value for at least 50 % of the customers; "
        f"found no value in {100 - present} of 100 customers"
    ]


def test_a_column_without_a_value_is_no_missing_column(gate, splits):
    for rows in splits.values():
        for row in rows:
            row.pop("age", None)
    assert _lines(gate, splits, columns={"age": "number"}) == [
        "age: expected a value for at least 50 % of the customers; found no value in 100 of 100 customers"
    ]


def test_a_value_that_every_customer_must_have(gate, splits):
    for rows in splits.values():
        for row in rows:
            row["visits"] = 3
    del splits["train"][7]["visits"]
    schema = SCHEMA.replace(
        '"visits" type: INT presence { min_fraction: 0.5 }', '"visits" type: INT shape { dim { size: 1 } }'
    )
    assert _lines(gate, splits, schema) == [
        "visits: expected a value for every customer; found no value in 1 of 100 customers"
    ]


def test_a_missing_column_and_a_new_one(gate, splits):
    for rows in splits.values():
        for row in rows:
            row.pop("city", None)
            row["shoe_size"] = 40.5
    assert _lines(gate, splits) == [
        "city: expected a column of text; found no such column",
        "shoe_size: expected no such column (the schema does not have it); found a column of numbers",
    ]


def test_another_type(gate, splits):
    for rows in splits.values():
        for row in rows:
            row["visits"] = "7 times"
            row["city"] = 4
    assert _lines(gate, splits) == [
        "city: expected text; found whole numbers in 100 of 100 customers",
        'visits: expected whole numbers; found text such as "7 times" in 100 of 100 customers',
    ]


def test_warn_only_lets_through_what_it_names_and_nothing_else(gate, splits, tmp_path, serving):
    splits["train"][0]["age"] = 200.0
    verdict = gate(splits, warn_only=["age"])
    assert verdict["passed"] is True
    assert verdict["anomalies"] == [
        {
            "feature": "age",
            "expected": "values from 18 to 80",
            "seen": "values up to 200",
            "count": 1,
            "severity": "warn",
        }
    ]
    splits["train"][1]["visits"] = 99
    lines = _lines(Gate(serving, tmp_path / "second"), splits, warn_only=["age"])
    assert lines == ["visits: expected values from 0 to 11; found values up to 99 in 1 of 100 customers"]


def test_a_refused_table_leaves_no_verdict(gate, splits, tmp_path):
    splits["train"][0]["age"] = 200.0
    _lines(gate, splits)
    assert not (tmp_path / "verdict" / "verdict.json").exists()


def test_fewer_customers_than_segments(gate, serving):
    rows = [{"customer_id": f"c{i}", "age": 30.0, "visits": 1, "city": "Nice"} for i in range(4)]
    assert _lines(gate, {"train": rows[:3], "eval": rows[3:]}, k=5) == [
        "4 customers, 1 of them held out for evaluation, for k = 5 segments: "
        "give more customers, or a smaller model.k (tuner.min_k where it is auto)"
    ]


def test_an_empty_table(gate):
    (line,) = [each for each in _lines(gate, {"train": [], "eval": []}) if "no customer" in each]
    assert line.startswith("no customer at all")


@pytest.mark.parametrize(
    ("customers", "k", "least", "problem"),
    [
        ({"train": 5, "eval": 1}, 5, None, None),
        ({"train": 5, "eval": 1}, 6, None, "for k = 6 segments"),
        ({"train": 5, "eval": 1}, 2, 6, None),
        ({"train": 5, "eval": 1}, 2, 7, "6 customers where validation.min_customers asks for at least 7"),
        ({"train": 5, "eval": 0}, 5, None, "none of them held out"),
        ({"train": 1, "eval": 0}, 2, None, "1 customer for k = 2 segments"),
        ({"train": 0, "eval": 0}, 2, None, "no customer at all"),
    ],
)
def test_the_number_of_customers(customers, k, least, problem):
    problems = too_few(customers, k, least)
    assert (problems == []) if problem is None else (len(problems) == 1 and problem in problems[0])


def test_the_component_has_its_parameters_in_the_cache_key():
    gate = DataGate(
        anomalies=Channel(standard_artifacts.ExampleAnomalies),
        statistics=Channel(standard_artifacts.ExampleStatistics),
        schema=Channel(standard_artifacts.Schema),
        examples=Channel(standard_artifacts.Examples),
        validation_config="{}",
        min_customers=5,
        code_version="abc",
    )
    assert gate.exec_properties == {"validation_config": "{}", "min_customers": 5, "code_version": "abc"}
    assert gate.outputs["verdict"].type is DataVerdict


def test_no_segment_at_all_is_a_wrong_use():
    channel = Channel(standard_artifacts.Examples)
    with pytest.raises(ValueError, match="min_customers is 0"):
        DataGate(channel, channel, channel, channel, validation_config="{}", min_customers=0)
