"""Whether there is anything to do, and what a run goes on from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.plan import begin, up_to_date, with_killed
from pipeline.records import read_records
from tests.pipeline.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_fingerprint_follows_data_schema_and_config(place: Place) -> None:
    first = place.plan().fingerprint
    assert place.plan().fingerprint == first
    assert place.plan("model.k=2").fingerprint != first
    place.schema.write_text("# changed")
    changed_schema = place.plan().fingerprint
    assert changed_schema != first
    place.data.write_text("customer_id,income\n1,5\n2,7\n")
    assert place.plan().fingerprint not in (first, changed_schema)


def test_touching_a_file_is_no_change(place: Place) -> None:
    first = place.plan().fingerprint
    content = place.data.read_text()
    place.data.unlink()
    place.data.write_text(content)
    assert place.plan().fingerprint == first


def test_up_to_date_means_pushed_and_still_served(place: Place) -> None:
    plan = place.plan()
    assert up_to_date(plan, place.workspace) is None
    record = begin(plan, place.workspace, "c.yaml")
    assert record.parent is None
    place.end(record, "pushed", "1")
    assert up_to_date(plan, place.workspace) is None, "what was pushed is gone"
    place.serve("1")
    assert up_to_date(plan, place.workspace) is not None
    assert up_to_date(place.plan("model.k=2"), place.workspace) is None
    place.serve("2")
    assert up_to_date(plan, place.workspace) is None, "something else is served"


@pytest.mark.parametrize("status", ["running", "failed"])
def test_a_run_that_ended_early_is_continued_by_the_same_inputs(place: Place, status: str) -> None:
    first = begin(place.plan(), place.workspace, "c.yaml")
    place.end(first, status)
    place.serve("1")  # it may have pushed before it was killed: the parent it began with stays
    again = begin(place.plan(), place.workspace, "c.yaml")
    assert (again.run_id, again.parent, again.attempts) == (first.run_id, None, 2)
    other = begin(place.plan("model.k=2"), place.workspace, "c.yaml")
    assert other.run_id != first.run_id
    assert other.parent == "1"


@pytest.mark.parametrize("status", ["rejected", "not_blessed"])
def test_a_refused_run_is_continued_only_while_the_same_model_is_served(place: Place, status: str) -> None:
    place.serve("1")
    first = begin(place.plan(), place.workspace, "c.yaml")
    place.end(first, status)
    assert begin(place.plan(), place.workspace, "c.yaml").run_id == first.run_id
    place.serve("2")
    again = begin(place.plan(), place.workspace, "c.yaml")
    assert (again.run_id == first.run_id, again.parent) == (False, "2")


def test_a_run_whose_parent_is_gone_begins_anew(place: Place) -> None:
    place.serve("1")
    first = begin(place.plan(), place.workspace, "c.yaml")
    place.end(first, "failed")
    Path(place.workspace.serving, "1", "saved_model.pb").unlink()
    assert begin(place.plan(), place.workspace, "c.yaml").parent is None


def test_force_and_a_finished_run_begin_anew(place: Place) -> None:
    first = begin(place.plan(), place.workspace, "c.yaml")
    place.end(first, "failed")
    assert begin(place.plan(), place.workspace, "c.yaml", force=True).run_id != first.run_id
    place.end(first, "pushed", "1")
    assert begin(place.plan(), place.workspace, "c.yaml").run_id != first.run_id


def test_a_dead_run_is_shown_as_killed(place: Place) -> None:
    place.end(begin(place.plan(), place.workspace, "c.yaml"), "running")
    with place.workspace.lock():
        assert with_killed(read_records(place.workspace.runs), place.workspace)[0].status == "running"
    assert with_killed(read_records(place.workspace.runs), place.workspace)[0].status == "killed"


def test_a_damaged_record_hides_no_other(place: Place) -> None:
    place.end(begin(place.plan(), place.workspace, "c.yaml"), "failed")
    Path(place.workspace.runs, "0.json").write_text("{")
    Path(place.workspace.runs, "1.json").write_text("[]")
    assert [record.status for record in read_records(place.workspace.runs)] == ["failed"]


def test_a_run_that_makes_the_served_model_again_has_its_parent(place: Place) -> None:
    place.serve("1")
    first = begin(place.plan(), place.workspace, "c.yaml")
    place.serve("2")
    place.end(first, "pushed", "2")
    # Titles and thresholds are not what a model is made of.
    again = begin(place.plan("report.title=Who"), place.workspace, "c.yaml")
    assert (again.parent, again.same_model_as) == ("1", first.run_id)
    place.end(again, "pushed", "2")
    third = begin(place.plan("evaluation.thresholds.silhouette=null"), place.workspace, "c.yaml")
    assert (third.parent, third.same_model_as) == ("1", first.run_id)
    for other in (
        "model.k=2",
        "features.numeric.log1p=true",
        "training.workers=2",
        "identity.min_overlap=0.6",
    ):
        new = begin(place.plan(other), place.workspace, "c.yaml")
        assert (new.parent, new.same_model_as) == ("2", None), other
    forced = begin(place.plan("report.title=Who"), place.workspace, "c.yaml", force=True)
    assert (forced.parent, forced.same_model_as) == ("2", None)
    # A search for k tries what the evaluation lets through.
    auto = begin(place.plan("model.k=auto"), place.workspace, "c.yaml")
    place.serve("3")
    place.end(auto, "pushed", "3")
    stricter = place.plan("model.k=auto", "evaluation.thresholds.stability.min=0.5")
    assert begin(stricter, place.workspace, "c.yaml").parent == "3"
    assert begin(place.plan("model.k=auto", "report.title=Who"), place.workspace, "c.yaml").parent == "2"
    # Nothing to compare with any more.
    Path(place.workspace.serving, "2", "saved_model.pb").unlink()
    assert begin(place.plan("model.k=auto", "report.title=Who"), place.workspace, "c.yaml").parent == "3"


def test_a_kept_model_is_up_to_date(place: Place) -> None:
    place.serve("1")
    record = begin(place.plan(), place.workspace, "c.yaml")
    place.end(record, "kept", "1")
    assert up_to_date(place.plan(), place.workspace) is not None
    assert begin(place.plan(), place.workspace, "c.yaml").run_id != record.run_id
