"""PostgreSQL and MariaDB servers for tests: from Debian's packages, on loopback, in a temporary folder."""

from __future__ import annotations

import glob
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

# Quotes and blanks: what a password may hold and a connection string may not. MySQL's is for its own shell, too.
PASSWORD = """it's "se cr=et" \\ä"""
DATABASE = "mlmd"
USER = "segments"
_SECONDS = 60


@dataclass
class Server:
    """A running server with an empty database and a user who may do anything in it."""

    backend: str
    port: int
    process: subprocess.Popen[bytes]
    folder: Path

    def config(self, **keys: Any) -> dict[str, Any]:
        """The section `metadata` for it; the password is in the environment variable SEGMENTS_PASSWORD."""
        return {
            "backend": self.backend,
            "host": "127.0.0.1",
            "port": self.port,
            "database": DATABASE,
            "user": USER,
            "password_env": "SEGMENTS_PASSWORD",
            **keys,
        }

    def stop(self) -> None:
        """Ends the server."""
        self.process.terminate()
        self.process.wait(_SECONDS)


@contextmanager
def postgresql() -> Iterator[Server]:
    """Starts PostgreSQL, or skips the test where it is not installed."""
    tools = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
    if not tools:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    with _folder("postgres") as (folder, user):
        password = folder / "password"
        password.write_text(PASSWORD + "\n")
        password.chmod(0o644)
        data = str(folder / "data")
        initdb = [f"{tools[-1]}/initdb", "-D", data, "-U", USER, "--pwfile", str(password)]
        _do([*initdb, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"], user)
        port = _free_port()
        options = [f"listen_addresses=127.0.0.1 port={port}", "unix_socket_directories=", "fsync=off"]
        arguments = [part for option in options for text in option.split() for part in ("-c", text)]
        with _running([f"{tools[-1]}/postgres", "-D", data, *arguments], user, folder, port) as process:
            environment = {**os.environ, "PGPASSWORD": PASSWORD}
            psql = [f"{tools[-1]}/psql", "-h", "127.0.0.1", "-p", str(port), "-U", USER, "postgres", "-c"]
            _retry([*psql, f"CREATE DATABASE {DATABASE}"], env=environment)
            yield Server("postgresql", port, process, folder)


@contextmanager
def mysql() -> Iterator[Server]:
    """Starts MariaDB (or MySQL's stand-in of the distribution), or skips the test where it is not installed."""
    server = shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("needs MariaDB: apt-get install mariadb-server")
    with _folder("mysql") as (folder, user):
        data, address = folder / "data", folder / "socket"
        made = [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"]
        _do([*made, "--skip-test-db"], user)
        port = _free_port()
        arguments = [f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1", f"--socket={address}"]
        with _running([server, "--no-defaults", *arguments], user, folder, port) as process:
            quoted = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
            statements = [
                f"CREATE DATABASE {DATABASE}",
                f"CREATE USER '{USER}'@'%' IDENTIFIED VIA mysql_native_password USING PASSWORD('{quoted}')",
                f"GRANT ALL ON {DATABASE}.* TO '{USER}'@'%'",
            ]
            client = [
                "mariadb",
                "--no-defaults",
                "--default-character-set=utf8mb4",
                "-uroot",
                "-S",
                str(address),
            ]
            _retry([*client, "-e", "; ".join(statements)])
            yield Server("mysql", port, process, folder)


@contextmanager
def _folder(package_user: str) -> Iterator[tuple[Path, str | None]]:
    """A folder of the user that the servers run as: neither of them runs as root."""
    user = None
    # Not pytest's: a path to a socket has 107 characters at most, and other users must get there.
    folder = Path(tempfile.mkdtemp(prefix="segments-", dir="/tmp"))
    try:
        if os.getuid() == 0:
            user = package_user
            pwd.getpwnam(user)
            folder.chmod(0o755)
            shutil.chown(folder, user)
        yield folder, user
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _running(
    command: list[str], user: str | None, folder: Path, port: int
) -> Iterator[subprocess.Popen[bytes]]:
    with (
        open(folder / "log", "wb") as log,
        subprocess.Popen(
            command, user=user, group=_group(user), stdout=log, stderr=log, cwd=folder
        ) as process,
    ):
        try:
            deadline = time.monotonic() + _SECONDS
            while not _listens(port):
                assert process.poll() is None, (folder / "log").read_text(errors="replace")[-2000:]
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield process
        finally:
            # SIGINT: PostgreSQL waits for no client.
            process.send_signal(2 if "postgres" in command[0] else 15)
            process.wait(_SECONDS)


def _group(user: str | None) -> int | None:
    return None if user is None else pwd.getpwnam(user).pw_gid


def _do(command: list[str], user: str | None) -> None:
    done = subprocess.run(
        command, user=user, group=_group(user), capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _retry(command: list[str], env: dict[str, str] | None = None) -> None:
    """A server listens a little before it answers."""
    deadline = time.monotonic() + _SECONDS
    while (done := subprocess.run(command, env=env, capture_output=True, text=True, check=False)).returncode:
        assert time.monotonic() < deadline, done.stderr
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
