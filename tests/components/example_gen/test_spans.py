"""Snapshots and partitions: which files a run reads, and which row of a customer counts."""

from __future__ import annotations

import datetime

import pytest

from components.example_gen.source import (
    fingerprint_files,
    resolve_source,
    source_from_json,
    source_to_json,
)
from components.example_gen.spans import span_of
from configs.errors import ConfigError

HEADER = "CustomerID,age\n"


@pytest.mark.parametrize(
    ("path", "pattern", "span"),
    [
        ("/d/007/x.csv", "/d/{SPAN}/*.csv", 7),
        ("/d/7/x-7.csv", "/d/{SPAN}/x-{SPAN}.csv", 7),
        ("/d/7/x-8.csv", "/d/{SPAN}/x-{SPAN}.csv", None),
        ("/d/date=1970-01-03/x.csv", "/d/date={DATE}/*.csv", 2),
        ("/d/date=1970-02-30/x.csv", "/d/date={DATE}/*.csv", None),
        ("/d/1970/03/01/x.csv", "/d/{YYYY}/{MM}/{DD}/x.csv", 59),
        ("/d/19700301.csv", "/d/{YYYY}{MM}{DD}.csv", 59),
        ("/d/1970-03.csv", "/d/{YYYY}-{MM}.csv", 59),
        ("/d/1970-03-1970.csv", "/d/{YYYY}-{MM}-{YYYY}.csv", 59),
        ("/d/1970-13.csv", "/d/{YYYY}-{MM}.csv", None),
        ("/d/latest.csv", "/d/{YYYY}-{MM}.csv", None),
    ],
)
def test_the_span_in_a_path(path, pattern, span):
    assert span_of(path, pattern) == span


@pytest.fixture
def monthly(write, tmp_path):
    for month in ("2026-01", "2026-02", "2026-03", "2025-12"):
        write(f"{HEADER}1,{month[-2:]}\n{month[-1]}9,5\n", f"{month}.csv")
    write(HEADER + "1,1\n", "2026-99.csv")
    return str(tmp_path / "{YYYY}-{MM}.csv")


def names(source):
    return [path.rsplit("/", 1)[-1] for path in source.files]


def test_the_newest_date(config, monthly):
    source = resolve_source(config(monthly))
    assert names(source) == ["2026-03.csv"]
    assert source.span_name == "2026-03-01"
    assert source.span == (datetime.date(2026, 3, 1) - datetime.date(1970, 1, 1)).days


def test_a_window_is_read_oldest_first_and_ends_with_the_span_asked_for(config, monthly):
    source = resolve_source(config(monthly, window=3))
    assert names(source) == ["2026-01.csv", "2026-02.csv", "2026-03.csv"]
    assert source.span_names == ["2026-01-01", "2026-02-01", "2026-03-01"]
    earlier = resolve_source(config(monthly, window=3, span=datetime.date(2026, 1, 1)))
    assert names(earlier) == ["2025-12.csv", "2026-01.csv"], "as many as there are"
    assert earlier.span_name == "2026-01-01"


def test_the_files_of_a_window_are_part_of_the_fingerprint(config, monthly, write):
    def fingerprint():
        source = resolve_source(config(monthly, window=2))
        return source_to_json(source, fingerprint_files(source.files))

    first = fingerprint()
    assert source_from_json(first)[0] == resolve_source(config(monthly, window=2))
    write(HEADER + "1,44\n", "2026-02.csv")
    changed = fingerprint()
    assert changed != first
    write(HEADER + "1,44\n", "2025-12.csv")
    assert fingerprint() == changed, "not in the window"
    write(HEADER + "1,44\n", "2026-04.csv")
    assert fingerprint() != changed


def test_a_window_over_several_paths_holds_spans_that_all_of_them_have(config, write, tmp_path):
    for name in ("a-1", "a-2", "a-3", "a-5", "b-1", "b-3", "b-4"):
        write(f"{HEADER}{name},1\n", f"{name}.csv")
    source = resolve_source(config([tmp_path / "a-{SPAN}.csv", tmp_path / "b-{SPAN}.csv"], window=2))
    assert names(source) == ["a-1.csv", "b-1.csv", "a-3.csv", "b-3.csv"]
    assert source.file_spans == (1, 1, 3, 3)
    with pytest.raises(ConfigError, match=r"no file of span 5 matches .*b-"):
        resolve_source(config([tmp_path / "a-{SPAN}.csv", tmp_path / "b-{SPAN}.csv"], span=5))


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("x.csv", {"window": 2}, r"data\.window: is 2, but data\.path has no \{SPAN\}"),
        ("{SPAN}-{DATE}.csv", {}, r"has both \{SPAN\} and \{DATE\}"),
        ("{YYYY}-{DD}.csv", {}, r"a date is \{DATE\}, or \{YYYY\} and \{MM\}"),
        (
            "{YYYY}-{MM}.csv",
            {"span": 3},
            "data.span: is 3, but in data.path spans are dates such as 2026-11-24",
        ),
        (
            "{SPAN}.csv",
            {"span": datetime.date(2026, 1, 1)},
            "is 2026-01-01, but in data.path spans are numbers",
        ),
        ("{DATE}.csv", {}, "no file matches .* with a date"),
    ],
)
def test_what_cannot_be_meant(config, write, tmp_path, name, settings, message):
    write(HEADER + "1,2\n", "x.csv")
    with pytest.raises(ConfigError, match=message):
        resolve_source(config(tmp_path / name, **settings))


def test_a_window_needs_ids(config, write, tmp_path):
    write("width,age\n1,2\n", "1.csv")
    assert resolve_source(config(tmp_path / "{SPAN}.csv")).id_column is None
    with pytest.raises(ConfigError, match=r"1\.csv is the customer id: with data\.window 2"):
        resolve_source(config(tmp_path / "{SPAN}.csv", window=2))


@pytest.fixture
def overlapping(write, tmp_path):
    """Customer a is in all spans, b in the first two, c in the last two."""
    write(HEADER + "a,1\nb,1\n", "1.csv")
    write(HEADER + "c,2\na,2\nb,2\n", "2.csv")
    write(HEADER + "a,3\nc,3\n", "10.csv")
    return tmp_path / "{SPAN}.csv"


def ages(reading):
    return dict(zip(reading.column("CustomerID"), reading.column("age"), strict=True))


def test_of_a_customer_in_several_spans_the_newest_row_counts(read, overlapping):
    reading = read(overlapping, window=3)
    assert ages(reading) == {"a": 3, "b": 2, "c": 3}
    assert reading.tally.rows_dropped == {"older_spans": 4}
    assert ages(read(overlapping, window=2)) == {"a": 3, "b": 2, "c": 3}
    assert ages(read(overlapping, window=2, span=2)) == {"a": 2, "b": 2, "c": 2}
    assert ages(read(overlapping)) == {"a": 3, "c": 3}


@pytest.mark.parametrize(("rule", "age"), [("first", 7), ("last", 8)])
def test_repeats_within_the_newest_span_are_what_duplicate_ids_is_about(read, write, overlapping, rule, age):
    write(HEADER + "a,7\na,8\n", "11.csv")
    reading = read(overlapping, window=2, duplicate_ids=rule)
    assert ages(reading) == {"a": age, "c": 3}
    assert reading.tally.rows_dropped == {"older_spans": 1, "duplicate_ids": 1}
    with pytest.raises(Exception, match="the customer id 'a' is there already"):
        read(overlapping, window=2)


def test_a_row_that_comes_back_is_the_newest_row(read, write, tmp_path):
    # Whole rows of spans 1 and 3 are equal: as copies, that of span 3 would go and leave span 2 to win.
    for span, age in (("1", 1), ("2", 2), ("3", 1)):
        write(f"{HEADER}a,{age}\n", f"{span}.csv")
    assert ages(read(tmp_path / "{SPAN}.csv", window=3, duplicate_rows="drop")) == {"a": 1}


def test_transactions_of_a_window_are_added_up(read, write, tmp_path):
    for month, amount in (("2026-01", 5), ("2026-02", 7), ("2026-03", 9)):
        write(f"id,when,amount\na,{month}-15,{amount}\n", f"date={month}-01/log.csv")
    timed = {"time": "when", "amount": "amount"}
    pattern = tmp_path / "date={DATE}" / "*.csv"
    assert read(pattern, window=2, transactions=timed).column("monetary") == [16]
    assert read(pattern, transactions=timed).column("monetary") == [9]


def test_a_table_without_spans_beside_one_with_them_is_of_the_newest(read, write, tmp_path):
    write(HEADER + "a,1\n", "1.csv")
    write(HEADER + "a,2\n", "2.csv")
    write(HEADER + "z,9\na,9\n", "extra/all.csv")
    paths = [tmp_path / "{SPAN}.csv", tmp_path / "extra" / "all.csv"]
    assert ages(read(paths, window=2, duplicate_ids="last")) == {"a": 9, "z": 9}
