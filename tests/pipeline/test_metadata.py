"""Executions that a killed run left behind."""

from __future__ import annotations

from pathlib import Path

from ml_metadata.proto import metadata_store_pb2 as mlmd

from pipeline.metadata import cancel_dead_executions, open_store
from pipeline.workspace import Workspace


def test_executions_of_dead_runs_are_cancelled_and_no_others(tmp_path: Path) -> None:
    store = open_store(Workspace(str(tmp_path)))
    kind = store.put_execution_type(mlmd.ExecutionType(name="Trainer"))
    states = ["NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED"]
    ids = store.put_executions(
        [mlmd.Execution(type_id=kind, last_known_state=mlmd.Execution.State.Value(state)) for state in states]
    )
    assert sorted(cancel_dead_executions(store)) == sorted(ids[:2])
    after = [execution.last_known_state for execution in store.get_executions_by_id(ids)]
    names = [mlmd.Execution.State.Name(state) for state in after]
    assert names == ["CANCELED", "CANCELED", "COMPLETE", "FAILED", "CACHED"]
    assert cancel_dead_executions(store) == []
