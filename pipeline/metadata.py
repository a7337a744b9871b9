"""ML Metadata of a workspace, without TFX: `ml_metadata` alone loads in a tenth of a second."""

from __future__ import annotations

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from pipeline.workspace import Workspace


def open_store(workspace: Workspace) -> ml_metadata.MetadataStore:
    """The store that runs in this workspace write to."""
    connection = metadata_store_pb2.ConnectionConfig()
    connection.sqlite.filename_uri = workspace.metadata
    connection.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return ml_metadata.MetadataStore(connection)


def cancel_dead_executions(store: ml_metadata.MetadataStore) -> list[int]:
    """Marks executions that a killed run left as running, or they would be so for ever; returns their ids.

    For who holds the workspace: then nothing else is at work.
    """
    query = "last_known_state = RUNNING OR last_known_state = NEW"
    dead = store.get_executions(list_options=ml_metadata.ListOptions(filter_query=query))
    for execution in dead:
        execution.last_known_state = metadata_store_pb2.Execution.CANCELED
    if dead:
        store.put_executions(dead)
    return [execution.id for execution in dead]
