"""A history of spans in which things happen, and whether each is reported for what it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments, write_csv

pytestmark = pytest.mark.slow

# Kind of customer -> where it is, and its spread, in two features. D is long in one of them.
PLACES = {
    "A": ((0, 0), (0.5, 0.5)),
    "B": ((20, 0), (0.5, 0.5)),
    "C": ((0, 20), (0.5, 0.5)),
    "D": ((20, 20), (0.5, 2.5)),
    "D1": ((20, 15.5), (0.5, 0.5)),
    "D2": ((20, 24.5), (0.5, 0.5)),
    "E": ((45, 5), (0.5, 0.5)),
}
PLANS = ["basic", "gold"]


def write_span(
    segments: Segments, span: int, sizes: dict[str, int], unit: float = 1.0, plans: Sequence[str] = PLANS
) -> None:
    """So many customers of each kind. unit: of the first feature. plans: of which each customer has one."""
    random = np.random.default_rng(span)
    points = np.concatenate([random.normal(*PLACES[kind], size=(count, 2)) for kind, count in sizes.items()])
    ids = [f"{kind}-{number}" for kind, count in sizes.items() for number in range(count)]
    table = {
        "customer_id": ids,
        "visits": points[:, 0] * unit,
        "spend": points[:, 1],
        "plan": random.choice(plans, len(ids)),
    }
    path = segments.folder / f"span-{span}" / "customers.csv"
    path.parent.mkdir()
    write_csv(path, table)


def ids_of_kinds(result: dict[str, Any]) -> dict[str, int]:
    """Kind of customer -> the id of the segment that has them, nearly all."""
    table = pq.read_table(result["assignments"])
    kinds = np.array([customer.split("-")[0] for customer in table["customer_id"].to_pylist()])
    ids = table["segment_id"].to_numpy()
    found = {}
    for kind in np.unique(kinds):
        values, counts = np.unique(ids[kinds == kind], return_counts=True)
        assert counts.max() > 0.98 * counts.sum(), (
            f"{kind} is divided: {dict(zip(values, counts, strict=True))}"
        )
        found[str(kind)] = int(values[counts.argmax()])
    return found


def events(result: dict[str, Any]) -> dict[int, str]:
    return {each["id"]: each["kind"] for each in result["migration"]["segments"]}


def test_each_event_is_reported_for_what_it_is(segments: Segments) -> None:
    segments.config = {
        "name": "customers",
        "data": {"path": "span-{SPAN}/customers.csv"},
        "features": {"columns": {"plan": {"weight": 0.05}}},
        "model": {"k": "auto"},
        "tuner": {"max_k": 7},
    }
    sizes = dict.fromkeys("ABCD", 600)
    write_span(segments, 1, sizes)
    first = segments.json("run")
    assert first["migration"]["parent_version"] is None
    kinds = ids_of_kinds(first)
    assert sorted(kinds.values()) == [1, 2, 3, 4]
    names = {segment["id"]: segment["name"] for segment in first["segments"]}

    # A grows.
    sizes["A"] = 1200
    write_span(segments, 2, sizes)
    grown = segments.json("run")
    assert ids_of_kinds(grown) == kinds
    assert set(events(grown).values()) == {"kept"}
    (segment,) = [each for each in grown["segments"] if each["id"] == kinds["A"]]
    assert (segment["share_before"], segment["share"]) == pytest.approx((0.25, 0.4), abs=0.01)

    # B dies.
    del sizes["B"]
    write_span(segments, 3, sizes)
    died = segments.json("run")
    assert died["k"] == 3
    assert [each["id"] for each in died["migration"]["retired"]] == [kinds["B"]]
    gone = kinds.pop("B")
    assert ids_of_kinds(died) == kinds
    assert any("segment" in sentence for sentence in died["drift"]["sentences"]), "a share went to nothing"

    # E is born.
    sizes["E"] = 500
    write_span(segments, 4, sizes)
    born = segments.json("run")
    kinds["E"] = 5
    assert ids_of_kinds(born) == kinds
    assert events(born) == {**dict.fromkeys(kinds.values(), "kept"), 5: "new"}
    assert gone not in kinds.values()

    # D splits.
    sizes["D1"] = sizes["D2"] = sizes.pop("D") // 2
    write_span(segments, 5, sizes)
    split = segments.json("run")
    after = ids_of_kinds(split)
    parts = {after["D1"], after["D2"]}
    assert {kind: after[kind] for kind in "ACE"} == {kind: kinds[kind] for kind in "ACE"}
    assert parts <= {kinds["D"], 6, 7}
    assert {id_ for id_, kind in events(split).items() if kind == "split"} == parts
    for each in split["segments"]:
        assert each["name"] == names.get(each["id"], each["name"]), "a segment keeps its name for life"

    # Visits arrive in hundredths.
    write_span(segments, 6, sizes, unit=100.0)
    scaled = segments.json("run", "--set", "drift.action=stop", code=4)
    assert scaled["component"] == "DriftCheck"
    assert "visits" in scaled["message"]
    assert segments.versions()[-1] == split["version"]

    # A plan appears.
    write_span(segments, 7, sizes, plans=[*PLANS, "platinum"])
    appeared = segments.json("run")
    assert ids_of_kinds(appeared) == after
    assert any("plan" in sentence and "platinum" in sentence for sentence in appeared["drift"]["sentences"])
    history = [run["status"] for run in segments.json("runs")["runs"]]
    assert sorted(history) == ["pushed"] * (len(history) - 1) + ["rejected"]
