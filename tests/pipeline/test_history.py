"""What `segments runs` tells."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.cli.runs import duration
from pipeline.history import describe, history
from pipeline.plan import begin, new_run_id
from pipeline.records import RunRecord, read_records
from pipeline.rollback import roll_back
from tests.end_to_end.command import Segments
from tests.pipeline.place import Place

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def record(**fields: object) -> RunRecord:
    given = {"run_id": "r", "fingerprint": "f", "config": "c", "parent": None, "started": NOON.isoformat()}
    return RunRecord(**{**given, **fields})  # type: ignore[arg-type]


def test_how_long_a_run_took_is_how_long_its_last_attempt_took() -> None:
    ended = (NOON + timedelta(hours=5)).isoformat()
    assert describe(record(status="pushed", finished=ended), NOON)["seconds"] == 5 * 3600
    again = (NOON + timedelta(hours=4, minutes=59)).isoformat()
    assert describe(record(status="pushed", resumed=again, finished=ended), NOON)["seconds"] == 60


def test_running_killed_and_a_clock_that_went_back() -> None:
    assert describe(record(), NOON + timedelta(seconds=90))["seconds"] == 90
    assert describe(record(status="killed"), NOON)["seconds"] is None
    earlier = (NOON - timedelta(hours=1)).isoformat()
    assert describe(record(status="failed", finished=earlier), NOON)["seconds"] == 0
    assert describe(record(started="?"), NOON)["seconds"] is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.4, "0 s"), (59.6, "1 min 00 s"), (200, "3 min 20 s"), (7500, "2 h 05 min")],
)
def test_durations_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_runs_refusals_kills_and_rollbacks_have_a_line_each(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.pushed("1", "model.k=1")
    place.pushed("2", "model.k=2")
    refused = begin(place.plan("model.k=3"), place.workspace, "c.yaml")
    refused.message, refused.result = "silhouette 0.1 is below 0.2", {"reasons": ["silhouette"], "k": 3}
    place.end(refused, "not_blessed")
    place.end(begin(place.plan("model.k=4"), place.workspace, "c.yaml"), "running")
    roll_back(place.workspace, "c.yaml", "1")
    content = history(place.workspace)
    assert content["served"] == "3"
    assert [(run["status"], run["version"], run["k"]) for run in content["runs"]] == [
        ("rolled_back", "3", 2),
        ("killed", None, None),
        ("not_blessed", None, 3),
        ("pushed", "2", 2),
        ("pushed", "1", 2),
    ]
    assert content["runs"][0]["restored"] == "1"
    assert content["runs"][2]["reasons"] == ["silhouette"]


def test_the_table(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.pushed("1", "model.k=1")
    place.pushed("2", "model.k=2")
    roll_back(place.workspace, "c.yaml", "1")
    segments = Segments(tmp_path, {"data": {"path": "customers.csv"}})
    newest, *_ = segments("runs", "--workspace", "w").stdout.splitlines()[1:]
    for words in ("rolled back", "0.100", "3 (served)", "0 s", "version 1 in place of version 2"):
        assert words in newest


def test_names_of_runs_sort_as_the_runs_began_whatever_the_clock_says(tmp_path: Path) -> None:
    records: list[RunRecord] = []
    place = Place(tmp_path)
    for at in (NOON, *[NOON - timedelta(hours=1)] * 10, NOON + timedelta(seconds=1)):
        made = record(run_id=new_run_id(records, at))
        records.append(made)
        place.end(made, "failed")
    names = [made.run_id for made in records]
    assert len(set(names)) == 12
    assert names[:2] == ["20260301-120000", "20260301-120000-2"]
    assert names[-2:] == ["20260301-120000-11", "20260301-120001"]
    assert [read.run_id for read in read_records(place.workspace.runs)] == names
