"""Mends ML Metadata's SQLite file after a disk that was full while it was written. Needs neither TFX nor ML Metadata.

SQLite takes a transaction back when there is no room for it; ML Metadata goes on with what was left of it, statement
by statement. Rows then name others that were taken back, and every reader that follows them fails.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

from ml_metadata.proto import metadata_store_pb2

# table, column -> the table whose id it is.
_REFERENCES = (
    ("ArtifactProperty", "artifact_id", "Artifact"),
    ("ExecutionProperty", "execution_id", "Execution"),
    ("ContextProperty", "context_id", "Context"),
    ("Event", "artifact_id", "Artifact"),
    ("Event", "execution_id", "Execution"),
    # After events: a path goes with its event.
    ("EventPath", "event_id", "Event"),
    ("Attribution", "artifact_id", "Artifact"),
    ("Attribution", "context_id", "Context"),
    ("Association", "execution_id", "Execution"),
    ("Association", "context_id", "Context"),
    ("ParentContext", "context_id", "Context"),
    ("ParentContext", "parent_context_id", "Context"),
)
_FINISHED = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)


def remove_half_written(path: str) -> int:
    """Removes rows that name rows which are not there; for who holds the workspace.

    Where there are any, the newest execution is the one that was being written. What it wrote may lack outputs without
    a trace, so it counts as failed from now on: TFX's cache does not offer it, and its component works again.

    Args:
      path: of the file; nothing is done where there is none, or no tables yet.

    Returns:
      How many rows were removed.

    Raises:
      sqlite3.Error: the file cannot be read or written.
    """
    if not os.path.exists(path):
        return 0
    with closing(sqlite3.connect(path)) as connection, connection:
        tables = {
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        }
        removed = 0
        for table, column, parent in _REFERENCES:
            if {table, parent} <= tables:
                removed += connection.execute(
                    f"DELETE FROM {table} WHERE {column} NOT IN (SELECT id FROM {parent})"
                ).rowcount
        if removed:
            connection.execute(
                "UPDATE Execution SET last_known_state = ? WHERE last_known_state IN (?, ?) "
                "AND id = (SELECT MAX(id) FROM Execution)",
                (metadata_store_pb2.Execution.FAILED, *_FINISHED),
            )
    return removed
