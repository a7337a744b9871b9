"""The process that runs TFX: its end, and what it reads back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.components.schema_gen.component import SchemaGen

from configs.loader import load_config
from pipeline.local.child import _inferred_schema
from pipeline.metadata import open_store
from pipeline.workspace import Workspace

# Waits without ever looking at its standard input, as a library does that holds the interpreter's lock.
CHILD = """
import time
from pipeline.local.child import _be_killed_with_parent
_be_killed_with_parent()
print("ready", flush=True)
time.sleep(60)
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_a_killed_command_takes_its_child_with_it() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_alive(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while is_alive(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    """Whether a process is there and not only waiting to be collected."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_schema_is_of_the_pipeline_that_was_asked_for(tmp_path: Path) -> None:
    """A database may hold several pipelines; another may have inferred its schema last."""
    (tmp_path / "mine.yaml").write_text("data: {path: customers.csv}\n")
    config, workspace = load_config(str(tmp_path / "mine.yaml")), Workspace(str(tmp_path))
    store = open_store(config.metadata, workspace)
    pipelines = store.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Schema"))
    names = [f"{SchemaGen.__module__}.{SchemaGen.__name__}", "Another"]
    types = [store.put_execution_type(metadata_store_pb2.ExecutionType(name=name)) for name in names]
    complete, failed = metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.FAILED
    for number, (pipeline, type_id, state) in enumerate(
        [
            ("mine", types[0], complete),
            ("mine", types[0], complete),
            ("mine", types[0], failed),
            ("mine", types[1], complete),
            ("theirs", types[0], complete),
        ]
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "schema.pbtxt").write_text(f"schema {number}")
        output = metadata_store_pb2.Event(type=metadata_store_pb2.Event.OUTPUT)
        output.path.steps.add().key = "schema"
        store.put_execution(
            metadata_store_pb2.Execution(type_id=type_id, last_known_state=state),
            [(metadata_store_pb2.Artifact(type_id=kind, uri=str(folder)), output)],
            [metadata_store_pb2.Context(type_id=pipelines, name=pipeline)],
            reuse_context_if_already_exist=True,
        )
    assert _inferred_schema(config, workspace) == "schema 1"
