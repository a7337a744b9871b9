"""The way to ML Metadata, on real servers; what is said where there is none; passwords that stay where they are."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import ml_metadata
import pytest
from ml_metadata.proto import metadata_store_pb2

from configs.errors import ConfigError
from configs.metadata import MetadataConfig
from pipeline.errors import MetadataError
from pipeline.metadata import (
    cancel_dead_executions,
    connection_config,
    newest_execution,
    open_store,
)
from pipeline.workspace import Workspace
from tests.servers import DATABASE, PASSWORD, USER, Server, mysql, postgresql

Opened = Callable[..., ml_metadata.MetadataStore]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has the password; what connecting changes in this process is undone."""
    monkeypatch.setattr(ml_metadata, "MetadataStore", ml_metadata.MetadataStore)
    for name in ("PGPASSWORD", "MYSQL_PWD", "PGCONNECT_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SEGMENTS_PASSWORD", PASSWORD)


@pytest.fixture(scope="module", params=[postgresql, mysql], ids=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each server in turn."""
    start: Callable[[], AbstractContextManager[Server]] = request.param
    with start() as started:
        yield started


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(str(tmp_path))


def refused(workspace: Workspace, **keys: Any) -> str:
    with pytest.raises((MetadataError, ConfigError)) as caught:
        open_store(MetadataConfig(**keys), workspace)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert PASSWORD not in message
    return message


@pytest.mark.slow
def test_a_password_of_any_kind_lets_in_and_is_not_in_the_connection(
    server: Server, workspace: Workspace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = MetadataConfig(**server.config())
    assert PASSWORD not in str(connection_config(config, workspace))
    assert newest_execution(open_store(config, workspace)) == 0
    del os.environ["SEGMENTS_PASSWORD"]
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    by_file = MetadataConfig(**server.config(password_env=None, password_file=str(file)))
    assert newest_execution(open_store(by_file, workspace)) == 0
    said = capfd.readouterr()
    assert "se cr=et" not in said.out + said.err


@pytest.mark.slow
def test_what_keeps_a_server_away_is_said_in_a_line(
    server: Server, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = server.config()
    name = {"postgresql": "PostgreSQL", "mysql": "MySQL"}[server.backend]
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        message = refused(workspace, **{**keys, "port": port})
        assert message.startswith(f"metadata: the {name} server at 127.0.0.1:{port} cannot be reached: ")
        assert "Connection refused" in message
    assert "cannot be reached" in refused(workspace, **{**keys, "host": "nowhere.invalid"})
    message = refused(workspace, **{**keys, "database": "mlmdd"})
    assert "mlmdd" in message
    if server.backend == "postgresql":
        assert message.endswith("has no database mlmdd; make it (CREATE DATABASE mlmdd) or correct the name")
    monkeypatch.setenv("SEGMENTS_PASSWORD", "wrong")
    message = refused(workspace, **keys)
    assert message.startswith(f"metadata: the {name} server at 127.0.0.1:{server.port} refuses {USER}: ")
    assert "password" in message


@pytest.mark.slow
def test_texts_and_order_are_as_on_sqlite(server: Server, workspace: Workspace) -> None:
    """With ML Metadata's own store a backslash is an SQL error on PostgreSQL, and an update changes the order."""
    texts = ['{"a": "{\\"b\\": 1}"}', "it's", "line\nbreak\t\\", "\ue05c0 \ue05c1", "ä漢\U0001f600"]
    for config in (MetadataConfig(**server.config()), MetadataConfig()):
        store = open_store(config, workspace)
        kind = metadata_store_pb2.ArtifactType(name="Text")
        kind.properties["text"] = metadata_store_pb2.STRING
        type_id = store.put_artifact_type(kind)
        artifacts = []
        for text in texts:
            artifact = metadata_store_pb2.Artifact(type_id=type_id, uri=text)
            artifact.properties["text"].string_value = text
            artifact.custom_properties["text"].string_value = text
            artifacts.append(artifact)
        before = [artifact.SerializeToString(deterministic=True) for artifact in artifacts]
        ids = store.put_artifacts(artifacts)
        assert [a.SerializeToString(deterministic=True) for a in artifacts] == before, (
            "put changed its argument"
        )
        first = store.get_artifacts_by_id(ids[:1])[0]
        first.custom_properties["again"].int_value = 1
        store.put_artifacts([first])
        found = store.get_artifacts_by_id(ids)
        assert [artifact.id for artifact in found] == ids
        for artifact, text in zip(found, texts, strict=True):
            assert artifact.uri == artifact.properties["text"].string_value == text
            assert artifact.custom_properties["text"].string_value == text
        assert [t.id for t in store.get_artifact_types_by_id([type_id, type_id])] == [type_id, type_id]
        if config.backend != "sqlite":
            assert [a.id for a in store.get_artifacts_by_id(ids[::-1])] == ids[::-1]
            assert [a.uri for a in store.get_artifacts_by_uri(texts[0])] == texts[:1]


def test_a_password_that_is_not_there(workspace: Workspace, tmp_path: Path) -> None:
    keys = {"backend": "postgresql", "host": "db", "database": DATABASE, "user": USER}
    os.environ.pop("SEGMENTS_PASSWORD")
    assert "the environment variable SEGMENTS_PASSWORD is not set" in refused(
        workspace, **keys, password_env="SEGMENTS_PASSWORD"
    )
    file = tmp_path / "password"
    assert "cannot be read: No such file or directory" in refused(workspace, **keys, password_file=str(file))
    file.write_text("\nsecond line")
    assert "the first line of" in refused(workspace, **keys, password_file=str(file))


@pytest.mark.parametrize("damage", ["no database", "cut short", "overwritten"])
def test_a_damaged_file_is_named_with_a_way_out(workspace: Workspace, damage: str) -> None:
    open_store(MetadataConfig(), workspace)
    path = Path(workspace.metadata)
    content = path.read_bytes()
    path.write_bytes(
        {
            "no database": b"these are my notes\n" * 1000,
            "cut short": content[: len(content) // 2],
            "overwritten": content[:8192] + b"\xff" * 8192 + content[16384:],
        }[damage]
    )
    message = refused(workspace)
    assert message.startswith(f"{path} is damaged (")
    assert f"mv {path} {path}.damaged" in message


def test_a_whole_file_is_opened_while_another_process_writes(workspace: Workspace) -> None:
    open_store(MetadataConfig(), workspace)
    with sqlite3.connect(workspace.metadata) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert newest_execution(open_store(MetadataConfig(), workspace)) == 0
        writer.rollback()


def test_executions_of_dead_runs_are_cancelled_and_no_others(workspace: Workspace) -> None:
    store = open_store(MetadataConfig(), workspace)
    kind = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Trainer"))
    pipelines = store.put_context_type(metadata_store_pb2.ContextType(name="pipeline"))
    states = ["NEW", "RUNNING", "COMPLETE", "FAILED", "CACHED"]

    def executions(pipeline: str) -> list[int]:
        context = metadata_store_pb2.Context(type_id=pipelines, name=pipeline)
        ids = []
        for state in states:
            number = metadata_store_pb2.Execution.State.Value(state)
            execution = metadata_store_pb2.Execution(type_id=kind, last_known_state=number)
            ids.append(store.put_execution(execution, [], [context], reuse_context_if_already_exist=True)[0])
        return ids

    def states_of(ids: list[int]) -> list[str]:
        found = {execution.id: execution.last_known_state for execution in store.get_executions_by_id(ids)}
        return [metadata_store_pb2.Execution.State.Name(found[id_]) for id_ in ids]

    own, others = executions("own"), executions("another")
    assert sorted(cancel_dead_executions(store, "own")) == sorted(own[:2])
    assert states_of(own) == ["CANCELED", "CANCELED", "COMPLETE", "FAILED", "CACHED"]
    assert states_of(others) == states, "another pipeline may be at work"
    assert cancel_dead_executions(store, "own") == []
    assert cancel_dead_executions(store, "never ran") == []
