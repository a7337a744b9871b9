"""The way to ML Metadata: its connection, and a sentence where there is none. Needs no TensorFlow.

Everything that reads or writes ML Metadata gets its connection here.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from configs.errors import ConfigError
from configs.metadata import MetadataConfig
from pipeline import server_store
from pipeline.errors import MetadataError
from pipeline.workspace import Workspace

# Of a server that does not answer; the clients inside ML Metadata would wait for minutes.
CONNECT_SECONDS = 10

_NAMES = {"postgresql": "PostgreSQL", "mysql": "MySQL"}
_PASSWORD_VARIABLES = {"postgresql": "PGPASSWORD", "mysql": "MYSQL_PWD"}


def connection_config(config: MetadataConfig, workspace: Workspace) -> metadata_store_pb2.ConnectionConfig:
    """What ML Metadata and TFX's runner need to connect.

    The password is not in it: TFX logs connections, and ML Metadata puts a PostgreSQL password unquoted into a
    string that it prints when it cannot be parsed. Both clients take it from an environment variable, which this
    sets for this process and what it starts. For a server it also changes what `ml_metadata.MetadataStore` is
    (see `pipeline.server_store`).

    Raises:
      ConfigError: the password is not where the config says.
    """
    made = metadata_store_pb2.ConnectionConfig()
    if config.backend == "sqlite":
        made.sqlite.filename_uri = workspace.metadata
        made.sqlite.connection_mode = metadata_store_pb2.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
        return made
    server_store.use_for_all_stores()
    password = _password(config)
    if password is not None:
        os.environ[_PASSWORD_VARIABLES[config.backend]] = password
    # A database that is not there is more often misspelt than wanted, so none is made.
    common = {"host": config.host, "user": config.user, "skip_db_creation": True}
    ssl = config.ssl.model_dump(exclude_none=True) if config.ssl else {}
    if config.backend == "postgresql":
        os.environ.setdefault("PGCONNECT_TIMEOUT", str(CONNECT_SECONDS))
        names = {"mode": "sslmode", "ca": "sslrootcert", "cert": "sslcert", "key": "sslkey"}
        made.postgresql.CopyFrom(
            metadata_store_pb2.PostgreSQLDatabaseConfig(
                **common,
                port=str(config.server_port),
                dbname=config.database,
                ssloption={names[name]: value for name, value in ssl.items()} if ssl else None,
            )
        )
    else:
        made.mysql.CopyFrom(
            metadata_store_pb2.MySQLDatabaseConfig(
                **common, port=config.server_port, database=config.database, ssl_options=ssl or None
            )
        )
    return made


def open_store(config: MetadataConfig, workspace: Workspace) -> ml_metadata.MetadataStore:
    """Connects; makes the tables where there are none yet.

    Raises:
      ConfigError: the password is not where the config says.
      MetadataError: there is no connection, and why.
    """
    connection = connection_config(config, workspace)
    if config.backend == "sqlite":
        _check_file(workspace.metadata)
    else:
        _check_reachable(config)
    with _stderr() as written:
        try:
            return ml_metadata.MetadataStore(connection)
        except Exception as error:
            reason = f"{written()}\n{error}"
    raise MetadataError(_explain(config, workspace, reason))


def lost_server(config: MetadataConfig, workspace: Workspace, error: BaseException) -> str | None:
    """What to say where a run failed since it lost its database server; None where something else was wrong."""
    if config.backend == "sqlite" or not re.search(
        r"metadata source error|mysql_\w+ |Metadata storage|Transaction already open", str(error)
    ):
        return None
    try:
        open_store(config, workspace)
    except (ConfigError, MetadataError) as cause:
        return f"{cause}; when it is back, the same command goes on from here"
    if re.search(r"connection|gone away|Lost", str(error)):
        return f"metadata: the connection to {_server(config)} broke; the same command goes on from here"
    return None


def newest_execution(store: ml_metadata.MetadataStore) -> int:
    """The highest id that an execution has; 0 where there is none."""
    options = ml_metadata.ListOptions(limit=1, order_by=ml_metadata.OrderByField.ID, is_asc=False)
    return max((execution.id for execution in store.get_executions(list_options=options)), default=0)


def _password(config: MetadataConfig) -> str | None:
    if config.password_env:
        password = os.environ.get(config.password_env)
        if not password:
            raise ConfigError(
                f"metadata.password_env: the environment variable {config.password_env} is not set; "
                f"it must hold the password of {config.user} at {config.host}"
            )
        return password
    if config.password_file:
        try:
            with open(config.password_file, encoding="utf-8") as file:
                password = file.readline().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigError(
                f"metadata.password_file: {config.password_file} cannot be read: {reason}"
            ) from error
        if not password:
            raise ConfigError(f"metadata.password_file: the first line of {config.password_file} is empty")
        return password
    return None


def _check_file(path: str) -> None:
    """An SQLite file is whole: ML Metadata would say of a damaged one only what failed at the moment."""
    if not os.path.exists(path):
        return
    try:
        with closing(sqlite3.connect(path, timeout=CONNECT_SECONDS)) as connection:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        raise MetadataError(f"{path} cannot be read: {error}") from error
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise MetadataError(
            f"{path} is damaged ({found.splitlines()[0]}): bring it back from a backup, or move it away "
            f"(mv {path} {path}.damaged) and run again: what is served and the history stay, "
            "and every component works anew"
        )


def _check_reachable(config: MetadataConfig) -> None:
    try:
        socket.create_connection((config.host, config.server_port), timeout=CONNECT_SECONDS).close()
    except OSError as error:
        reason = "it does not answer" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise MetadataError(
            f"metadata: {_server(config)} cannot be reached: {reason}; is it running, and are metadata.host and "
            "metadata.port right?"
        ) from error


def _explain(config: MetadataConfig, workspace: Workspace, reason: str) -> str:
    if config.backend == "sqlite":
        return f"{workspace.metadata} cannot be opened: {reason.strip().splitlines()[-1]}"
    # PostgreSQL's reasons are in what the client logs, MySQL's in the error, where there are any.
    found = re.findall(r"PostgreSQL error: (?:FATAL: +)?(.+)|error: (?:ERROR: +)?(\S.+)", reason)
    said = next((part for parts in found for part in parts if part.strip()), "")
    if f'database "{config.database}" does not exist' in said or "Unknown database" in said:
        return (
            f"metadata.database: {_server(config)} has no database {config.database}; "
            f"make it (CREATE DATABASE {config.database}) or correct the name"
        )
    if not said and config.backend == "mysql":
        said = (
            "no reason is given; the password is wrong, the account does not sign in with "
            "mysql_native_password, or the server wants SSL (metadata.ssl)"
        )
    return f"metadata: {_server(config)} refuses {config.user}: {said or 'no reason is given'}"


def _server(config: MetadataConfig) -> str:
    return f"the {_NAMES[config.backend]} server at {config.host}:{config.server_port}"


@contextmanager
def _stderr() -> Iterator[Callable[[], str]]:
    """Catches what C++ writes to standard error; yields what reads it. It is passed on at the end."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as file:

        def written() -> str:
            return os.pread(file.fileno(), 1 << 20, 0).decode(errors="replace")

        os.dup2(file.fileno(), 2)
        try:
            yield written
        finally:
            os.dup2(kept, 2)
            os.write(2, written().encode())
            os.close(kept)


def cancel_dead_executions(store: ml_metadata.MetadataStore, pipeline: str) -> list[int]:
    """Marks executions that a killed run left as running, or they would be so for ever; returns their ids.

    For who holds the workspace: then nothing else is at work on this pipeline, while others may be at work on theirs
    in the same database.
    """
    context = store.get_context_by_type_and_name("pipeline", pipeline)
    found = store.get_executions_by_context(context.id) if context else []
    unfinished = (metadata_store_pb2.Execution.RUNNING, metadata_store_pb2.Execution.NEW)
    dead = [execution for execution in found if execution.last_known_state in unfinished]
    for execution in dead:
        execution.last_known_state = metadata_store_pb2.Execution.CANCELED
    if dead:
        store.put_executions(dead)
    return [execution.id for execution in dead]
