"""The section `metadata`: what fits together, and passwords that are not shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from configs.errors import ConfigError
from configs.loader import load_config
from configs.metadata import MetadataConfig

SERVER = {"backend": "postgresql", "host": "db", "database": "mlmd", "user": "me"}


def load(folder: Path, metadata: dict[str, Any]) -> MetadataConfig:
    path = folder / "c.yaml"
    path.write_text(yaml.safe_dump({"data": {"path": "c.csv"}, "metadata": metadata}))
    return load_config(str(path)).metadata


def test_a_file_is_the_default(tmp_path: Path) -> None:
    assert load(tmp_path, {}).backend == "sqlite"


@pytest.mark.parametrize(("backend", "port"), [("postgresql", 5432), ("mysql", 3306)])
def test_a_server_has_its_usual_port(tmp_path: Path, backend: str, port: int) -> None:
    assert load(tmp_path, {**SERVER, "backend": backend}).server_port == port
    assert load(tmp_path, {**SERVER, "backend": backend, "port": 7}).server_port == 7


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    config = load(tmp_path, {**SERVER, "password_file": "secret", "ssl": {"ca": "ca.pem", "mode": "require"}})
    assert config.password_file == str(tmp_path / "secret")
    assert config.ssl is not None
    assert (config.ssl.ca, config.ssl.mode) == (str(tmp_path / "ca.pem"), "require")


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"host": "db"}, "host is for a server; say which with backend: postgresql or backend: mysql"),
        ({**SERVER, "host": None}, "host is required with backend: postgresql"),
        ({**SERVER, "backend": "mysql", "user": None}, "user is required with backend: mysql"),
        ({**SERVER, "backend": "mysql", "database": "ml-md"}, "cannot say to MySQL"),
        ({**SERVER, "password_env": "A", "password_file": "b"}, "not both"),
        ({**SERVER, "ssl": {"cipher": "x"}}, "ssl.cipher is not for postgresql"),
        ({**SERVER, "backend": "mysql", "ssl": {"mode": "require"}}, "ssl.mode is not for mysql"),
        # Each would say more to the database's client than its key is for.
        ({**SERVER, "host": "db sslmode=disable"}, "'metadata.host'"),
        ({**SERVER, "user": "me' password='x"}, "'metadata.user'"),
        ({**SERVER, "database": "mlmd; DROP DATABASE mlmd"}, "'metadata.database'"),
        ({**SERVER, "port": 70_000}, "'metadata.port' is 70000"),
        ({**SERVER, "backend": "oracle"}, "'metadata.backend' is 'oracle'"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path: Path, metadata: dict[str, Any], words: str) -> None:
    given = {key: value for key, value in metadata.items() if value is not None}
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, given)
    assert words in str(caught.value)


@pytest.mark.parametrize("key", ["password", "password_env"])
def test_a_password_in_the_wrong_place_is_not_repeated(tmp_path: Path, key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {**SERVER, key: "Hunter-2!"})
    assert "Hunter" not in str(caught.value)
    assert "password_env" in str(caught.value)
