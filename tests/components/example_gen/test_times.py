"""The time zone that times are meant in, and rows whose time cannot be read."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import DataError

TIMED = {"time": "when", "amount": "amount"}
PARIS = {**TIMED, "timezone": "Europe/Paris"}


@pytest.mark.parametrize(
    ("when", "later"),
    [
        ("2024-01-15 12:00", "2024-01-15T11:00Z"),
        ("2024-07-15 12:00", "2024-07-15T10:00Z"),
        ("2024-07-15 12:00", "2024-07-15T12:00+02:00"),
        # The clock is put forward from 2 to 3, and back from 3 to 2.
        ("2024-03-31 02:30", "2024-03-31T01:00Z"),
        ("2024-10-27 02:30", "2024-10-27T00:30Z"),
    ],
)
def test_times_without_an_offset_are_those_of_the_zone(write, read, when, later):
    path = write(f"id,when,amount\na,{when},1\na,{later},1\n")
    assert read(path, transactions=PARIS).column("tenure_days") == [0.0]
    assert read(path, transactions=TIMED).column("tenure_days") != [0.0]


def test_a_day_on_which_the_clock_changes_has_23_hours(write, read):
    path = write("id,when,amount\na,2024-03-30 12:00,1\na,2024-03-31 12:00,1\n")
    assert read(path, transactions=PARIS).column("tenure_days") == [23 / 24]
    repeats = {**PARIS, "features": ["repeat_recency_days"]}
    assert read(path, transactions=repeats).column("repeat_recency_days") == [1.0]


def test_weekdays_and_days_are_those_of_the_zone(write, read):
    # A Friday evening in UTC is a Saturday in Tokyo.
    path = write("id,when,amount\na,2024-01-05T20:00Z,1\na,2024-01-06T10:00Z,1\n")
    made = {"features": ["weekend_share", "repeat_frequency"]}
    found = read(path, transactions={**TIMED, **made, "timezone": "Asia/Tokyo"})
    assert (found.column("weekend_share"), found.column("repeat_frequency")) == ([1.0], [0])
    found = read(path, transactions={**TIMED, **made})
    assert (found.column("weekend_share"), found.column("repeat_frequency")) == ([0.5], [1])


def test_as_of_is_the_midnight_of_the_zone(write, read):
    path = write("id,when,amount\na,2024-01-05 12:00,1\na,2024-01-06 00:00,1\na,2024-01-06 00:01,1\n")
    reading = read(path, transactions={**PARIS, "as_of": datetime.date(2024, 1, 6)})
    assert (reading.column("frequency"), reading.column("recency_days")) == ([2], [0.0])
    reading = read(path, transactions={**PARIS, "as_of": datetime.datetime(2024, 1, 5, 23, 30)})
    assert reading.column("recency_days") == [11.5 / 24]


def test_formats_and_stored_zones(write, read, tmp_path):
    path = write("id,when,amount\na,15.07.2024 12:00 +0200,1\na,15.07.2024 10:00 +0000,1\n")
    timed = {**PARIS, "time_format": "%d.%m.%Y %H:%M %z"}
    assert read(path, transactions=timed).column("tenure_days") == [0.0]
    path = write("id,when,amount\na,15.07.2024 12:00,1\n")
    timed = {**PARIS, "time_format": "%d.%m.%Y %H:%M", "as_of": datetime.datetime(2024, 7, 15, 13)}
    assert read(path, transactions=timed).column("recency_days") == [1 / 24]
    noon = datetime.datetime(2024, 7, 15, 12)
    for kind, passed in ((pa.timestamp("ms"), 1.0), (pa.timestamp("ms", "UTC"), -1.0)):
        pq.write_table(
            pa.table({"id": ["a"], "when": pa.array([noon], kind), "amount": [1.0]}), tmp_path / "t.parquet"
        )
        end = datetime.datetime(2024, 7, 15, 15, tzinfo=datetime.timezone.utc)
        reading = read(tmp_path / "t.parquet", transactions={**PARIS, "as_of": end})
        assert reading.column("recency_days") == [(4 + passed) / 24]


BAD = "id,when,amount\na,2024-01-01,1\na,soon,2\nb,2024-01-02,3\nb,13/01/2024,4\nb,soon,5\n"


def test_no_unreadable_time_is_let_pass_unless_it_is_said(write, read):
    with pytest.raises(DataError, match=r"line 3 \(row 2\), column 'when': 'soon' is not a time"):
        read(write(BAD), transactions=TIMED)


@pytest.mark.parametrize("most", [3, 4, 0.6, 0.9])
def test_unreadable_times_are_counted(write, read, most):
    reading = read(write(BAD), transactions={**TIMED, "max_bad_times": most})
    assert (reading.column("id"), reading.column("monetary")) == (["a", "b"], [1.0, 3.0])
    assert reading.tally.rows_dropped == {"bad_times": 3}


@pytest.mark.parametrize(("most", "said"), [(2, "2"), (1, "1"), (0.59, "0.59"), (0.01, "0.01")])
def test_more_unreadable_times_than_may_be(write, read, most, said):
    with pytest.raises(DataError) as caught:
        read(write(BAD), transactions={**TIMED, "max_bad_times": most})
    assert "line 3 (row 2), column 'when': 'soon' is not a time in ISO 8601" in str(caught.value)
    assert f"the first of 3 such rows of 5, more than data.transactions.max_bad_times: {said}" in str(
        caught.value
    )


def test_unreadable_times_in_a_format_of_many_batches(write, read, monkeypatch):
    monkeypatch.setattr("components.example_gen.readers._CSV_BLOCK_BYTES", 500)
    days = [f"{1 + n % 28:02}.01.2024" if n % 50 else f"{n}.xx" for n in range(400)]
    path = write("id,when,amount\n" + "".join(f"c{n % 7},{day},1\n" for n, day in enumerate(days)))
    timed = {**TIMED, "time_format": "%d.%m.%Y", "max_bad_times": 8}
    reading = read(path, transactions=timed)
    assert reading.tally.rows_dropped == {"bad_times": 8}
    assert sum(reading.column("frequency")) == 392
    with pytest.raises(DataError, match=r"row 1\), column 'when': '0.xx' is not a time in the format"):
        read(path, transactions={**timed, "max_bad_times": 7})


def test_a_missing_time_is_not_an_unreadable_one(write, read):
    path = write("id,when,amount\na,2024-01-01,1\na,,2\n")
    with pytest.raises(DataError, match=r"row 2\), column 'when': is missing in a transaction"):
        read(path, transactions={**TIMED, "max_bad_times": 5})
