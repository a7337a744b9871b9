"""What is removed of old runs, and what never is."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from components.served_model.versions import list_versions, served_version
from configs.metadata import MetadataConfig
from configs.retention import RetentionConfig
from pipeline import artifacts, retention
from pipeline.metadata import open_store
from pipeline.plan import begin, up_to_date
from pipeline.retention import clean, may_find_something
from pipeline.rollback import roll_back
from tests.end_to_end.command import Segments
from tests.pipeline.place import Place

NODES = {
    "ExampleGen": "Examples",
    "Trainer": "Model",
    "Pusher": "PushedModel",
    "Report": "components.SegmentReport",
}
TIGHT = RetentionConfig(runs=1, models=2, days=0)


class History(Place):
    """Runs with artifacts, as TFX would have recorded them."""

    def __init__(self, folder: Path):
        super().__init__(folder)
        self.store = open_store(MetadataConfig(), self.workspace)
        context = self.store.put_context_type(mlmd.ContextType(name="pipeline_run"))
        self.types = {"context": context}
        for node, output in NODES.items():
            self.types[node] = self.store.put_execution_type(mlmd.ExecutionType(name=node))
            self.types[output] = self.store.put_artifact_type(mlmd.ArtifactType(name=output))

    def attempt(
        self, run_id: str, nodes: Sequence[str] = tuple(NODES), cached: dict[str, int] | None = None
    ) -> dict[str, int]:
        """One pipeline run of TFX: node -> id of its output, made anew unless it is one of `cached`."""
        attempts = len(self.store.get_contexts())
        outputs = {}
        context = mlmd.Context(type_id=self.types["context"], name=f"attempt-{attempts}")
        (context_id,) = self.store.put_contexts([context])
        for node in nodes:
            execution = mlmd.Execution(type_id=self.types[node], last_known_state=mlmd.Execution.COMPLETE)
            if node == "Pusher":
                execution.custom_properties["run_key"].string_value = run_id
            (execution_id,) = self.store.put_executions([execution])
            key = NODES[node].lower()
            artifact = mlmd.Artifact(type_id=self.types[NODES[node]], state=mlmd.Artifact.LIVE)
            if cached and node in cached:
                execution.id, execution.last_known_state = execution_id, mlmd.Execution.CACHED
                self.store.put_executions([execution])
                (artifact,) = self.store.get_artifacts_by_id([cached[node]])
            else:
                artifact.uri = os.path.join(self.workspace.artifacts, node, key, str(execution_id))
                Path(artifact.uri).mkdir(parents=True)
                Path(artifact.uri, "data").write_text("1234567890")
                note = Path(
                    self.workspace.artifacts, node, ".system", "executor_execution", str(execution_id)
                )
                note.mkdir(parents=True)
            event = mlmd.Event(execution_id=execution_id, type=mlmd.Event.OUTPUT)
            association = mlmd.Association(execution_id=execution_id, context_id=context_id)
            (artifact_id,) = self.store.put_artifacts([artifact])
            event.artifact_id = artifact_id
            self.store.put_events([event])
            self.store.put_attributions_and_associations([], [association])
            outputs[node] = artifact_id
        return outputs

    def ran(self, version: str, k: int, cached: dict[str, int] | None = None) -> dict[str, int]:
        """A run that pushed a version, in ML Metadata too."""
        record = self.pushed(version, f"model.k={k}")
        Path(self.workspace.logs, f"{record.run_id}.log").write_text("log")
        return self.attempt(record.run_id, cached=cached)

    def there(self, artifact_id: int) -> bool:
        """Whether an artifact is there; it must be marked so that its folder and ML Metadata agree."""
        (artifact,) = self.store.get_artifacts_by_id([artifact_id])
        on_disk = os.path.exists(artifact.uri)
        assert on_disk == (artifact.state == mlmd.Artifact.LIVE), "TFX's cache would hand out what is gone"
        return on_disk

    def files(self, folder: str) -> list[str]:
        return sorted(name for name in os.listdir(folder) if not name.startswith("."))


@pytest.fixture
def place(tmp_path: Path) -> History:
    return History(tmp_path)


def test_what_is_beyond_the_numbers_goes_and_the_rest_stays(place: History) -> None:
    first = place.ran("1", 1)
    second = place.ran("2", 2, cached={"ExampleGen": first["ExampleGen"]})
    third = place.ran("3", 3)
    fourth = place.ran("4", 4, cached={"ExampleGen": second["ExampleGen"]})
    removal = clean(place.workspace, TIGHT)
    assert list_versions(place.workspace.serving) == ["3", "4"]
    assert place.files(place.workspace.assignments) == ["3", "4"]
    assert len(place.files(place.workspace.reports)) == len(place.files(place.workspace.logs)) == 2
    assert all(place.there(artifact) for artifact in fourth.values())
    assert place.there(first["ExampleGen"]), "the newest run took it from the cache"
    gone = [first["Trainer"], first["Report"], second["Trainer"], *third.values()]
    assert not any(place.there(artifact) for artifact in gone)
    assert removal.to_dict()["models"] == ["1", "2"]
    assert removal.to_dict()["artifacts"] == 10
    # Ten artifacts, two each of models, marks, descriptions, tables, pages and logs.
    assert removal.bytes > 10 * 10 + 2 * (1 + 10 + 10 + 10 + 9 + 3)
    assert clean(place.workspace, TIGHT).to_dict()["bytes"] == 0, "nothing is left to do"
    assert up_to_date(place.plan("model.k=4"), place.workspace) is not None


def test_nothing_is_touched_in_a_dry_run(place: History) -> None:
    runs = [place.ran(str(number), number) for number in (1, 2, 3)]
    before = {
        path: path.stat().st_mtime_ns for path in Path(place.workspace.root).rglob("*") if path.is_file()
    }
    said = clean(place.workspace, TIGHT, dry_run=True).to_dict()
    assert before == {
        path: path.stat().st_mtime_ns for path in Path(place.workspace.root).rglob("*") if path.is_file()
    }
    assert all(place.there(artifact) for run in runs for artifact in run.values())
    assert clean(place.workspace, TIGHT).to_dict() == said, "it does what it said"


def test_what_is_young_stays_whatever_its_number(place: History) -> None:
    runs = [place.ran(str(number), number) for number in (1, 2, 3)]
    config = RetentionConfig(runs=1, models=2, days=1)
    assert clean(place.workspace, config).to_dict()["bytes"] == 0
    assert list_versions(place.workspace.serving) == ["1", "2", "3"]
    removal = clean(place.workspace, config, now=time.time() + 2 * 86_400)
    assert removal.models == ["1"]
    assert [place.there(run["Trainer"]) for run in runs] == [False, False, True]


def test_null_keeps_all(place: History) -> None:
    runs = [place.ran(str(number), number) for number in (1, 2, 3)]
    assert clean(place.workspace, RetentionConfig(runs=None, models=2, days=0)).models == ["1"]
    assert all(place.there(artifact) for run in runs for artifact in run.values())
    assert len(place.files(place.workspace.logs)) == 3
    assert clean(place.workspace, RetentionConfig(runs=1, models=None, days=0)).models == []
    assert list_versions(place.workspace.serving) == ["2", "3"]


def test_the_run_behind_the_served_model_stays_however_many_were_refused_since(place: History) -> None:
    served = place.ran("1", 1)
    for k in range(2, 6):
        refused = begin(place.plan(f"model.k={k}"), place.workspace, "c.yaml")
        Path(place.workspace.reports, refused.run_id).mkdir()
        place.end(refused, "not_blessed")
        newest = place.attempt(refused.run_id)
    clean(place.workspace, TIGHT)
    assert all(place.there(artifact) for artifact in [*served.values(), *newest.values()])
    assert up_to_date(place.plan("model.k=1"), place.workspace) is not None


def test_after_a_rollback_the_original_run_is_the_one_behind_the_served_model(place: History) -> None:
    original, second, third = (place.ran(str(number), number) for number in (1, 2, 3))
    roll_back(place.workspace, "c.yaml", "1")
    removal = clean(place.workspace, TIGHT)
    assert served_version(place.workspace.serving) == "4"
    assert removal.models == ["1", "2"], "the copy stands for the first"
    assert all(place.there(artifact) for artifact in [*original.values(), *third.values()])
    assert not place.there(second["Trainer"])
    done = up_to_date(place.plan("model.k=3"), place.workspace)
    assert done is not None
    assert Path(done.result["assignments"]).read_text() == "table of 1"
    assert Path(done.result["report"]).read_text() == "page of 1"


def test_an_attempt_that_was_cut_short_stays_for_the_next_run_to_continue(place: History) -> None:
    place.ran("1", 1)
    place.ran("2", 2)
    killed = begin(place.plan("model.k=3"), place.workspace, "c.yaml")
    place.end(killed, "running")
    half = place.attempt(killed.run_id, nodes=["ExampleGen", "Trainer"])
    clean(place.workspace, TIGHT)
    assert all(place.there(artifact) for artifact in half.values())
    assert begin(place.plan("model.k=3"), place.workspace, "c.yaml").run_id == killed.run_id


def test_the_parent_of_a_run_that_may_be_continued_stays(place: History) -> None:
    for number in (1, 2):
        place.ran(str(number), number)
    record = begin(place.plan("model.k=9"), place.workspace, "c.yaml")
    record.parent = "1"
    place.end(record, "failed")
    place.serve("3")
    clean(place.workspace, TIGHT)
    assert list_versions(place.workspace.serving) == ["1", "2", "3"]


def test_failing_for_ever_does_not_fill_the_disk(place: History) -> None:
    place.ran("1", 1)
    attempts = [place.attempt(f"failed-{n}", nodes=["ExampleGen"]) for n in range(6)]
    clean(place.workspace, TIGHT)
    assert [place.there(each["ExampleGen"]) for each in attempts] == [False] * 3 + [True] * 3


def test_the_same_report_again_is_no_other_run(place: History) -> None:
    first = place.ran("1", 1)
    record = place.pushed("2", "model.k=2")
    second = place.attempt(record.run_id)
    for _ in range(3):
        place.attempt(record.run_id, cached=second)
    clean(place.workspace, RetentionConfig(runs=2, models=2, days=0))
    assert place.there(first["Trainer"]), "two runs are kept, however often the second was asked for"


def test_folders_that_a_kill_left_without_a_record_go(place: History) -> None:
    kept = place.ran("1", 1)
    orphan = Path(place.workspace.artifacts, "Trainer", "model", "999")
    orphan.mkdir(parents=True)
    other = Path(place.workspace.artifacts, "Trainer", "model", "notes")
    other.mkdir()
    clean(place.workspace, TIGHT)
    assert not orphan.exists()
    assert other.exists(), "not TFX's"
    assert all(place.there(artifact) for artifact in kept.values())


def test_killed_between_marking_and_removing(place: History, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [place.ran(str(number), number) for number in (1, 2, 3)]

    class Killed(BaseException):
        pass

    def kill(*args: object, **kwargs: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(artifacts.shutil, "rmtree", kill)
        with pytest.raises(Killed):
            clean(place.workspace, TIGHT)
    (artifact,) = place.store.get_artifacts_by_id([runs[0]["Trainer"]])
    assert (artifact.state, os.path.exists(artifact.uri)) == (mlmd.Artifact.DELETED, True)
    clean(place.workspace, TIGHT)
    assert not place.there(runs[0]["Trainer"]), "the next one removes what the first had marked"


def test_a_workspace_that_was_moved_loses_nothing_of_its_newest_run(place: History, tmp_path: Path) -> None:
    place.ran("1", 1)
    newest = place.ran("2", 2)
    ends = {"/".join(a.uri.split("/")[-3:]) for a in place.store.get_artifacts_by_id(list(newest.values()))}
    moved = tmp_path / "moved"
    os.rename(place.workspace.root, moved)
    clean(retention.Workspace(str(moved)), TIGHT)
    assert ends <= {
        str(path.relative_to(moved / "artifacts")) for path in moved.glob("artifacts/*/*/*") if path.is_dir()
    }


def test_a_quick_look_says_whether_there_may_be_anything(place: History) -> None:
    for number in (1, 2):
        place.ran(str(number), number)
    assert not may_find_something(place.workspace, RetentionConfig(runs=2, models=2))
    assert may_find_something(place.workspace, RetentionConfig(runs=1, models=2))
    assert not may_find_something(place.workspace, RetentionConfig(runs=None, models=None))


def test_the_command(place: History) -> None:
    for number in (1, 2, 3):
        place.ran(str(number), number)
    retained = {"runs": 1, "models": 2, "days": 0}
    segments = Segments(place.config.parent, {"data": {"path": "customers.csv"}, "retention": retained})
    where = ("--workspace", "w")
    dry = segments("clean", "--dry-run", *where)
    assert dry.stdout.startswith("would remove\n  models: 1\n"), dry.stderr
    assert list_versions(place.workspace.serving) == ["1", "2", "3"]
    assert segments.json("clean", *where)["models"] == ["1"]
    assert "nothing to remove" in segments("clean", *where).stdout
    assert len(segments.json("runs", *where)["runs"]) == 3, "the history stays"
    assert "there is no workspace" in segments("clean", "--workspace", "nowhere").stderr
    with place.workspace.lock():
        assert segments("clean", *where).returncode == 1, "not while a run is at work"


def test_retention_is_no_part_of_what_a_run_depends_on(place: History) -> None:
    assert place.plan("retention.runs=3").fingerprint == place.plan().fingerprint
