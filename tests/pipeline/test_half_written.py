"""What a full disk leaves in ML Metadata's file, and a file that is whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.half_written import remove_half_written


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "metadata.sqlite")


def opened(path: str) -> ml_metadata.MetadataStore:
    connection = mlmd.ConnectionConfig()
    connection.sqlite.filename_uri = path
    return ml_metadata.MetadataStore(connection)


def write_runs(path: str) -> tuple[int, list[int], list[int]]:
    """Two executions of a pipeline, of an output each: the pipeline, the executions, the artifacts."""
    store = opened(path)
    model = store.put_artifact_type(mlmd.ArtifactType(name="Model", properties={"span": mlmd.INT}))
    trainer = store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    kind = store.put_context_type(mlmd.ContextType(name="pipeline"))
    context = mlmd.Context(type_id=kind, name="customers")
    executions, artifacts, contexts = [], [], []
    for number in range(2):
        artifact = mlmd.Artifact(
            type_id=model, uri=f"/model/{number}", properties={"span": mlmd.Value(int_value=number)}
        )
        event = mlmd.Event(type=mlmd.Event.OUTPUT)
        event.path.steps.add().key = "model"
        execution, made, contexts = store.put_execution(
            mlmd.Execution(type_id=trainer, last_known_state=mlmd.Execution.COMPLETE),
            [(artifact, event)],
            [context],
            reuse_context_if_already_exist=True,
        )
        executions.append(execution)
        artifacts += made
    return contexts[0], executions, artifacts


def states(path: str, executions: list[int]) -> list[int]:
    return [execution.last_known_state for execution in opened(path).get_executions_by_id(executions)]


def test_nothing_is_done_to_a_file_that_is_whole(path: str) -> None:
    assert remove_half_written(path) == 0
    context, _, artifacts = write_runs(path)
    before = Path(path).read_bytes()
    assert remove_half_written(path) == 0
    assert Path(path).read_bytes() == before
    assert [a.id for a in opened(path).get_artifacts_by_context(context)] == artifacts


def test_rows_that_name_what_was_taken_back_are_removed(path: str) -> None:
    context, executions, artifacts = write_runs(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM Artifact WHERE id = ?", (artifacts[1],))
        connection.execute(
            "INSERT INTO EventPath (event_id, is_index_step, step_key) VALUES (-1, 0, 'model')"
        )
    # ML Metadata would raise on this, or abort the process.
    # A property, an event, that one's path, a place in the pipeline, and the path of no event.
    assert remove_half_written(path) == 5
    store = opened(path)
    assert [a.id for a in store.get_artifacts_by_context(context)] == artifacts[:1]
    assert len(store.get_events_by_execution_ids(executions)) == 1
    # Of what was being written nobody knows what it lacks; what had been written before is as good as ever.
    assert states(path, executions) == [mlmd.Execution.COMPLETE, mlmd.Execution.FAILED]
    assert remove_half_written(path) == 0


def test_an_execution_that_was_cancelled_stays_so(path: str) -> None:
    _, executions, artifacts = write_runs(path)
    store = opened(path)
    (newest,) = store.get_executions_by_id(executions[1:])
    newest.last_known_state = mlmd.Execution.CANCELED
    store.put_executions([newest])
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM Artifact WHERE id = ?", (artifacts[0],))
    assert remove_half_written(path) == 4
    assert states(path, executions) == [mlmd.Execution.COMPLETE, mlmd.Execution.CANCELED]
