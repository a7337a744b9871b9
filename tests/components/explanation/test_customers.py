"""Finding a customer among real records, ranges from real Parquet, ranks in a real table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tensorflow as tf

from components.example_gen.encode import as_features, write_examples, write_table
from components.explanation.customers import find_customer, not_found, similar_ids
from components.explanation.ranges import column_ranges, known_categories, profile_range
from components.explanation.typical import rank_in_segment
from components.served_model.loaded import read_example


def columns(start: int, rows: int) -> dict[str, pa.Array]:
    numbers = np.arange(start, start + rows)
    return {
        "id": pa.array([f"c{n:05d}" for n in numbers]),
        "visits": pa.array(numbers, pa.int64()),
        "spend": pa.array([None if n % 7 == 0 else n + 0.1 for n in numbers], pa.float64()),
        "plan": pa.array(["basic", "plus"][n % 2] for n in numbers),
        "nothing": pa.nulls(rows, pa.float64()),
    }


@pytest.fixture
def files(tmp_path: Path) -> tuple[list[str], list[str]]:
    """Records and tables of 20,000 customers in two files each, as ExampleGen writes them."""
    records, tables = [], []
    for shard in range(2):
        batch = as_features(columns(shard * 10_000, 10_000))
        records.append(str(tmp_path / "examples" / str(shard)))
        tables.append(str(tmp_path / "table" / str(shard)))
        write_examples(batch, records[-1], str(tmp_path / "staging"))
        write_table(batch, "id", tables[-1], str(tmp_path / "staging"))
    return records, tables


def test_a_customer_is_found_with_its_values(files: tuple[list[str], list[str]]) -> None:
    search = find_customer(files[0], "id", "c12345")
    assert search.found is not None
    # Not 12345.1 as float32 prints in double precision: 12345.099609375.
    assert read_example(search.found) == {
        "id": "c12345", "visits": 12345, "spend": 12345.1, "plan": "plus", "nothing": None,
    }  # fmt: skip


def test_an_unknown_customer_is_said_with_how_many_were_searched(files: tuple[list[str], list[str]]) -> None:
    search = find_customer(files[0], "id", "C45")
    assert search.found is None
    message = str(not_found("C45", search))
    assert "no customer 'C45' among the 20,000" in message
    assert "did you mean 'c00045'?" in message


def test_what_may_have_been_meant() -> None:
    ids = pa.array([b"17850", b"178501", b"A-7", b"xyz9", b"\xff"], pa.binary())
    assert similar_ids(ids, "17850.0") == ["17850"]
    assert similar_ids(ids, " a-7") == ["A-7"]
    assert similar_ids(ids, "17859") == ["17850", "178501"]
    assert similar_ids(ids, "yz9") == ["xyz9"]
    assert similar_ids(ids, "nobody") == []


def test_ranges_are_those_of_the_data(files: tuple[list[str], list[str]]) -> None:
    ranges = column_ranges(files[1])
    assert set(ranges) == {"visits", "spend"}
    assert ranges["visits"] == (0.0, 19_999.0)
    assert ranges["spend"] == (pytest.approx(1.1), pytest.approx(19_998.1))


def test_ranges_and_categories_of_profiles() -> None:
    profiles = [
        {"numeric": {"a": {"p25": 3.0, "p75": 5.0}}, "categorical": {"s": {"values": {"x": 1.0}}}},
        {"numeric": {"a": {"p25": None, "p75": None}}, "categorical": {"s": {"values": {}}}},
        {"numeric": {"a": {"p25": 1.0, "p75": 4.0}}, "categorical": {"s": {"values": {"y": 0.5}}}},
    ]
    assert profile_range("a", profiles) == (1.0, 5.0)
    assert profile_range("b", profiles) is None
    coordinates = ["s=z", "s=(other)", "s=(missing)"]
    assert known_categories("s", coordinates, profiles) == ["x", "y", "z"]


def test_a_distance_is_ranked_among_its_segments(tmp_path: Path) -> None:
    path = str(tmp_path / "assignments.parquet")
    distances = np.array([0.1, 0.2, 0.3, 0.4, 9.0], np.float32)
    pq.write_table(pa.table({"segment_id": [1, 1, 1, 1, 2], "distance": distances}), path)
    rank = rank_in_segment(path, 1, float(distances[2]))
    assert rank is not None
    assert (rank.customers, rank.farther) == (4, 0.25)
    assert rank_in_segment(path, 3, 0.1) is None
    assert rank_in_segment(str(tmp_path / "none"), 1, 0.1) is None


def test_an_empty_split(tmp_path: Path) -> None:
    path = str(tmp_path / "none")
    with tf.io.TFRecordWriter(path):
        pass
    assert find_customer([path], "id", "c1").searched == 0
