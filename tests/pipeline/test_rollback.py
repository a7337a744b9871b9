"""An older model becomes the served one, and the next run knows it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from components import atomic
from components.segments_file import read_segments
from components.served_model.ledger import known_segments
from components.served_model.versions import list_versions, read_mark, served_version
from configs.errors import ConfigError
from pipeline import rollback
from pipeline.plan import begin, up_to_date, with_killed
from pipeline.records import read_records, write_record
from pipeline.rollback import roll_back
from pipeline.workspace import WorkspaceBusyError
from tests.end_to_end.command import PROJECT
from tests.pipeline.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Three versions are served, each of another k."""
    made = Place(tmp_path)
    for number in (1, 2, 3):
        made.pushed(str(number), f"model.k={number}", ids=range(1, 2 * number))
    return made


def model(place: Place, version: str) -> str:
    return Path(place.workspace.serving, version, "saved_model.pb").read_text()


def test_the_older_model_is_served_under_a_new_number(place: Place) -> None:
    record = roll_back(place.workspace, "c.yaml", "1")
    assert served_version(place.workspace.serving) == record.version == "4"
    assert list_versions(place.workspace.serving) == ["1", "2", "3", "4"], "nothing is taken away"
    assert model(place, "4") == model(place, "1")
    assert Path(place.workspace.serving, ".last_version").read_text() == "4\n"
    mark = read_mark(os.path.join(place.workspace.serving, "4"))
    assert mark["digest"] == "digest-1", "a Pusher that is given this model recognizes it"
    assert mark["restored"]["version"] == "1"
    assert mark["restored"]["replaced"] == "3"


def test_its_table_and_its_page_come_along(place: Place) -> None:
    result = roll_back(place.workspace, "c.yaml", "1").result
    assert result["assignments"] == os.path.join(place.workspace.assignments, "4", "assignments.parquet")
    assert Path(result["assignments"]).read_text() == "table of 1"
    assert Path(result["report"]).read_text() == "page of 1"
    assert (result["k"], result["metrics"]) == (1, {"silhouette": 0.1})
    os.remove(os.path.join(place.workspace.assignments, "1", "assignments.parquet"))
    assert Path(result["assignments"]).read_text() == "table of 1", "it does not hang on the old one"


def test_segment_ids_of_the_models_that_went_stay_taken(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    served = read_segments(os.path.join(place.workspace.serving, "4"))
    assert [segment["id"] for segment in served["segments"]] == [1]
    assert known_segments(place.workspace.serving).next_id == 6


def test_ids_stay_taken_when_the_models_themselves_are_gone(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    for version in ("2", "3"):
        shutil.rmtree(os.path.join(place.workspace.serving, version))
    assert known_segments(place.workspace.serving).next_id == 6


def test_nothing_new_after_a_rollback_trains_nothing(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    for refused_or_served in ("model.k=3", "model.k=1"):
        done = up_to_date(place.plan(refused_or_served), place.workspace)
        assert done is not None and done.kind == "rollback"
    assert up_to_date(place.plan("model.k=2"), place.workspace) is None, "that one was not in question"
    place.data.write_text("customer_id,income\n1,5\n2,7\n")
    assert up_to_date(place.plan("model.k=3"), place.workspace) is None, "new data are new"


def test_the_next_run_goes_on_from_the_restored_model(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    assert begin(place.plan("model.k=8"), place.workspace, "c.yaml").parent == "4"
    place.pushed("5", "model.k=8")
    assert up_to_date(place.plan("model.k=8"), place.workspace) is not None
    assert up_to_date(place.plan("model.k=3"), place.workspace) is None, "the rollback is history"


def test_a_second_rollback_forgets_nothing_of_the_first(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "2")
    second = roll_back(place.workspace, "c.yaml", "1")
    assert (second.parent, second.version) == ("4", "5")
    for k in (1, 2, 3):
        assert up_to_date(place.plan(f"model.k={k}"), place.workspace) is not None
    forward = roll_back(place.workspace, "c.yaml", "3")
    assert model(place, str(forward.version)) == "3"
    assert forward.result["metrics"] == {"silhouette": 0.3}


def test_back_to_a_copy_is_back_to_its_model(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    place.pushed("5", "model.k=8")
    again = roll_back(place.workspace, "c.yaml", "4")
    assert (model(place, str(again.version)), again.version) == ("1", "6")
    assert Path(again.result["report"]).read_text() == "page of 1"


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("7", "there is no such version in .*serving; there are 1, 2, 3 .served.$"),
        ("../1", "there is no such version"),
        ("3", "--to 3: this version is served already"),
    ],
)
def test_what_cannot_be_served_is_refused(place: Place, version: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        roll_back(place.workspace, "c.yaml", version)
    assert list_versions(place.workspace.serving) == ["1", "2", "3"]
    assert len(read_records(place.workspace.runs)) == 3


def test_the_model_that_is_served_already_under_another_number(place: Place) -> None:
    roll_back(place.workspace, "c.yaml", "1")
    with pytest.raises(ConfigError, match="this model is served already, as version 4"):
        roll_back(place.workspace, "c.yaml", "1")


def test_nothing_is_served_yet(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no model is served yet"):
        roll_back(Place(tmp_path).workspace, "c.yaml", "1")


def test_not_while_a_run_is_at_work(place: Place) -> None:
    with place.workspace.lock(), pytest.raises(WorkspaceBusyError):
        roll_back(place.workspace, "c.yaml", "1")


class Killed(BaseException):
    """The process ends here."""


def kill(*args: object, **kwargs: object) -> None:
    raise Killed


def test_killed_before_the_version_appears(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_flush", kill)
        with pytest.raises(Killed):
            roll_back(place.workspace, "c.yaml", "1")
    assert served_version(place.workspace.serving) == "3"
    assert up_to_date(place.plan("model.k=3"), place.workspace) is not None, "version 3 is served as before"
    newest = with_killed(read_records(place.workspace.runs), place.workspace)[-1]
    assert (newest.kind, newest.status, newest.version) == ("rollback", "killed", None)
    assert roll_back(place.workspace, "c.yaml", "1").version == "4"


def test_killed_after_the_version_appeared(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_the_first_only(folder: str, record: object, written: list[int] = []) -> None:  # noqa: B006
        if written:
            raise Killed
        written.append(1)
        write_record(folder, record)  # type: ignore[arg-type]

    monkeypatch.setattr(rollback, "write_record", write_the_first_only)
    with pytest.raises(Killed):
        roll_back(place.workspace, "c.yaml", "1")
    assert served_version(place.workspace.serving) == "4"
    assert up_to_date(place.plan("model.k=3"), place.workspace) is not None, "not trained again all the same"
    newest = with_killed(read_records(place.workspace.runs), place.workspace)[-1]
    assert (newest.status, newest.version) == ("rolled_back", "4")


def test_a_run_that_was_killed_after_its_push_is_settled_too(place: Place) -> None:
    record = begin(place.plan("model.k=9"), place.workspace, "c.yaml")
    place.serve("4", ids=[1], digest="digest-4", run_key=record.run_id)
    place.end(record, "running")
    listed = with_killed(read_records(place.workspace.runs), place.workspace)[-1]
    assert (listed.status, listed.version) == ("killed", "4"), "its model is served whatever became of it"
    roll_back(place.workspace, "c.yaml", "3")
    assert up_to_date(place.plan("model.k=9"), place.workspace) is not None


def test_the_command(place: Place) -> None:
    def segments(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "pipeline.cli.main", *arguments],
            cwd=place.config.parent,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "COLUMNS": "160"},
            capture_output=True,
            text=True,
            check=False,
        )

    where = ("--workspace", "w")
    done = segments("rollback", "c.yaml", "--to", "2", *where, "--json")
    assert done.returncode == 0, done.stderr
    assert "tensorflow" not in done.stderr, "a rollback is urgent: it loads no TensorFlow"
    result = json.loads(done.stdout)
    assert (result["status"], result["version"], result["restored"], result["replaced"]) == (
        "rolled_back",
        "4",
        "2",
        "3",
    )
    assert segments("report", "c.yaml", *where).stdout.strip() == result["report"]
    nothing = segments("run", "c.yaml", "--set", "model.k=3", *where)
    assert nothing.returncode == 0
    assert "nothing is new since version 3 was rolled back to version 2" in nothing.stdout
    wrong = segments("rollback", "c.yaml", "--to", "8", *where)
    assert wrong.returncode == 2
    assert "there are 1, 2, 3, 4 (served)" in wrong.stderr
