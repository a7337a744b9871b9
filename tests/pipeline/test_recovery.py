"""What a run makes of what those before it left: damaged artifacts, and names that are taken."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig
from pipeline import recovery
from pipeline.metadata import open_store
from pipeline.recovery import recover
from pipeline.seals import damage, seal_outputs
from pipeline.workspace import Workspace

LIVE, DELETED = metadata_store_pb2.Artifact.LIVE, metadata_store_pb2.Artifact.DELETED


class Place:
    """A workspace in whose metadata there are artifacts of one pipeline."""

    def __init__(self, folder: Path):
        (folder / "c.yaml").write_text("data: {path: customers.csv}\n")
        self.config: PipelineConfig = load_config(str(folder / "c.yaml"))
        self.workspace = Workspace(str(folder / "w"))
        self.workspace.prepare()
        self.store = open_store(self.config.metadata, self.workspace)
        types = self.store.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
        self.pipelines = {
            name: self.store.put_contexts([metadata_store_pb2.Context(type_id=types, name=name)])[0]
            for name in ("c", "other")
        }
        self.kind = self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
        doing = self.store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
        self.store.put_executions([metadata_store_pb2.Execution(type_id=doing) for _ in range(20)])

    def artifact(self, name: str, pipeline: str = "c", seal: bool = True, state: int = LIVE) -> Path:
        """Makes an artifact of two files; `name` is as in `Trainer/model/7`."""
        folder = Path(self.workspace.artifacts, name)
        (folder / "variables").mkdir(parents=True)
        (folder / "saved_model.pb").write_text("graph" * 100)
        (folder / "variables" / "data").write_text("numbers" * 100)
        made = metadata_store_pb2.Artifact(type_id=self.kind, uri=str(folder), state=state)
        (made.id,) = self.store.put_artifacts([made])
        self.store.put_attributions_and_associations(
            [metadata_store_pb2.Attribution(artifact_id=made.id, context_id=self.pipelines[pipeline])], []
        )
        if seal:
            seal_outputs(self.workspace.artifacts, name.split("/")[0])
        return folder

    def states(self) -> dict[str, int]:
        """After a recovery: the states by folder."""
        recover(self.config, self.workspace)
        return {os.path.relpath(a.uri, self.workspace.artifacts): a.state for a in self.store.get_artifacts()}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def cut(folder: Path) -> None:
    os.truncate(folder / "variables" / "data", 10)


def empty(folder: Path) -> None:
    os.truncate(folder / "saved_model.pb", 0)


def rewrite(folder: Path) -> None:
    (folder / "variables" / "data").write_text("NUMBERS" * 100)
    os.utime(folder / "variables" / "data", ns=(0, 1))


def remove(folder: Path) -> None:
    (folder / "saved_model.pb").unlink()


def add(folder: Path) -> None:
    (folder / "variables" / "more").write_text("")


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (cut, "variables/data has 10 bytes in place of 700"),
        (empty, "saved_model.pb has 0 bytes in place of 500"),
        (rewrite, "variables/data was written to"),
        (remove, "saved_model.pb is gone"),
        (add, "variables/more was added"),
    ],
)
def test_a_damaged_artifact_is_not_offered_to_the_cache(
    place: Place, harm: Callable[[Path], None], words: str
) -> None:
    whole, damaged = place.artifact("Trainer/model/7"), place.artifact("Trainer/model/8")
    harm(damaged)
    assert damage(place.workspace.artifacts, str(damaged)) == words
    assert damage(place.workspace.artifacts, str(whole)) is None
    assert place.states() == {"Trainer/model/7": LIVE, "Trainer/model/8": DELETED}


def test_what_was_not_sealed_is_not_trusted(place: Place) -> None:
    """The process, or the machine, may have ended while the last files were on their way to the disk."""
    place.artifact("Trainer/model/7")
    place.artifact("Trainer/model/8", seal=False)
    assert place.states() == {"Trainer/model/7": LIVE, "Trainer/model/8": DELETED}
    seal_outputs(place.workspace.artifacts, "Trainer")
    assert place.states() == {"Trainer/model/7": LIVE, "Trainer/model/8": DELETED}, "marked for good"


def test_a_seal_is_made_once(place: Place) -> None:
    folder = place.artifact("Trainer/model/7")
    cut(folder)
    seal_outputs(place.workspace.artifacts, "Trainer")
    assert place.states() == {"Trainer/model/7": DELETED}
    (seal,) = Path(place.workspace.artifacts, "Trainer", ".system", "seals").iterdir()
    seal.write_text("{")
    assert damage(place.workspace.artifacts, str(folder)) == "what it should be cannot be read"


def test_a_seal_goes_with_its_artifact(place: Place) -> None:
    removed = place.artifact("Trainer/model/7")
    place.artifact("Trainer/model.extra/8")
    shutil.rmtree(removed)
    seal_outputs(place.workspace.artifacts, "Trainer")
    seals = os.listdir(Path(place.workspace.artifacts, "Trainer", ".system", "seals"))
    assert seals == ["model.extra.8.json"]
    assert place.states() == {"Trainer/model/7": DELETED, "Trainer/model.extra/8": LIVE}


def test_other_pipelines_and_artifacts_that_are_not_there_to_be_used_are_left_alone(place: Place) -> None:
    cut(place.artifact("Trainer/model/7", pipeline="other"))
    cut(place.artifact("Trainer/model/8", state=metadata_store_pb2.Artifact.PENDING))
    assert place.states() == {"Trainer/model/7": LIVE, "Trainer/model/8": metadata_store_pb2.Artifact.PENDING}
    assert damage(place.workspace.artifacts, "/elsewhere/model/7") is None


def test_the_name_of_a_pipeline_belongs_to_one_workspace_of_a_database(place: Place, tmp_path: Path) -> None:
    def claim(workspace: Workspace) -> None:
        recovery._claim(place.store, place.config, workspace)

    other = Workspace(str(tmp_path / "other"))
    other.prepare()
    claim(place.workspace)
    claim(place.workspace)
    with pytest.raises(
        ConfigError, match=f"name: a pipeline 'c' .* belongs to another workspace .{place.workspace.root}."
    ) as caught:
        claim(other)
    # The way out that it names.
    identity, file = str(caught.value).rpartition("write ")[2].split(" into ")
    Path(file).write_text(identity)
    claim(other)
    moved = Workspace(str(tmp_path / "moved"))
    os.rename(place.workspace.root, moved.root)
    claim(moved)


def test_a_name_that_is_claimed_at_the_same_moment(place: Place, tmp_path: Path) -> None:
    class Late(ml_metadata.MetadataStore):
        """Sees nothing the first time, as who looks a moment too early."""

        looked = False

        def get_context_by_type_and_name(self, *names: str) -> metadata_store_pb2.Context | None:
            early, self.looked = not self.looked, True
            return None if early else super().get_context_by_type_and_name(*names)

    recovery._claim(place.store, place.config, place.workspace)
    other = Workspace(str(tmp_path / "other"))
    other.prepare()
    store = Late(place.store._config)
    with pytest.raises(ConfigError, match="belongs to another workspace"):
        recovery._claim(store, place.config, other)
