"""Which categories get a share."""

from __future__ import annotations

import itertools

import pytest

from components.errors import DataError
from components.example_gen.source import resolve_source, source_from_json, source_to_json
from configs.errors import ConfigError
from pipeline.columns import planned_features

TIMED = {"time": "when", "amount": "amount", "category": "c", "features": ["favourite_category"]}
LINES = [
    *("a,2024-01-01,5,tea", "a,2024-01-02,5,tea", "b,2024-01-03,1,mugs", "b,2024-01-04,3,mugs"),
    *(
        "b,2024-01-05,1,jam",
        "c,2024-01-06,1,jam",
        "c,2024-01-07,1,",
        "c,2024-01-08,1,oil",
        ",2024-01-08,1,oil",
    ),
    ",2024-01-08,1,oil",
]


def text_of(lines):
    return "id,when,amount,c\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("shares", "columns"),
    [
        (1, ["share_jam"]),
        (2, ["share_jam", "share_mugs"]),
        (3, ["share_jam", "share_mugs", "share_tea"]),
        (9, ["share_jam", "share_mugs", "share_oil", "share_tea"]),
        (["tea", "gold"], ["share_tea", "share_gold"]),
    ],
)
def test_the_most_frequent_in_any_order_of_rows(write, read, shares, columns):
    for lines in itertools.islice(itertools.permutations(LINES), 0, 3_000_000, 700_001):
        reading = read(
            write(text_of(lines)), missing_ids="drop", transactions={**TIMED, "category_shares": shares}
        )
        assert reading.table.column_names[2:] == columns
    found = zip(*(reading.column(name) for name in columns), strict=True)
    by_id = dict(zip(reading.column("id"), found, strict=True))
    if columns == ["share_jam", "share_mugs"]:
        # What has no category counts in the whole.
        assert by_id == {"a": (0.0, 0.0), "b": (0.2, 0.8), "c": (pytest.approx(1 / 3), 0.0)}
    if "share_gold" in columns:
        assert by_id["a"] == (1.0, 0.0)


def test_what_is_not_kept_or_returned_is_not_counted(write, read):
    timed = {**TIMED, "category_shares": 1}
    keep = [{"column": "c", "ne": "jam"}]
    reading = read(write(text_of(LINES)), missing_ids="drop", keep=keep, transactions=timed)
    assert reading.table.column_names[2:] == ["share_mugs"]
    returns = {"treat": "rate", "when": {"column": "c", "is_in": ["jam", "mugs"]}}
    reading = read(write(text_of(LINES)), missing_ids="drop", transactions={**timed, "returns": returns})
    assert reading.table.column_names[2:] == ["share_tea", "return_rate"]


def test_a_category_of_a_later_span_only(write, read, config):
    """Its own share is not asked for; it counts in the whole, and as a favourite."""
    timed = {**TIMED, "category_shares": ["tea"]}
    reading = read(write(text_of([*LINES[:4], "a,2024-02-01,30,new"])), transactions=timed)
    assert reading.table.to_pydict() == {
        "id": ["a", "b"], "favourite_category": ["new", "mugs"], "share_tea": [0.25, 0.0]
    }  # fmt: skip


def test_they_are_known_before_a_run(write, config):
    settings = config(write(text_of(LINES)), missing_ids="drop", transactions={**TIMED, "category_shares": 2})
    source = resolve_source(settings)
    assert source.categories == ("jam", "mugs")
    plan = planned_features(settings, source)
    assert sorted(plan.names) == ["favourite_category", "share_jam", "share_mugs"]
    assert [text.name for text in plan.texts] == ["favourite_category"]
    prints = [[path, 1, "x"] for path in source.files]
    assert source_from_json(source_to_json(source, prints)) == (source, prints)
    wrong = config(
        write(text_of(LINES)), {"exclude": ["share_oil"]}, missing_ids="drop",
        transactions={**TIMED, "category_shares": 2},
    )  # fmt: skip
    with pytest.raises(ConfigError, match=r"features.exclude: there is no column 'share_oil'"):
        resolve_source(wrong)


def test_no_categories_at_all(write, config):
    path = write("id,when,amount,c\na,2024-01-01,1,\n")
    with pytest.raises(DataError, match="category_shares: no line has a value in 'c'"):
        resolve_source(config(path, transactions={**TIMED, "category_shares": 2}))
