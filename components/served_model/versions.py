"""The versions in a served folder. Imports neither TensorFlow nor TFX, unless the folder is a remote one."""

from __future__ import annotations

import re
from pathlib import Path

from components.paths import is_local

SAVED_MODEL_FILE = "saved_model.pb"

_VERSION = re.compile(r"[1-9][0-9]*")


def list_versions(serving_dir: str) -> list[str]:
    """The versions that can be served, oldest first: folders `1`, `2`, ... that hold a `saved_model.pb`."""
    folder = serving_dir.rstrip("/")
    return [name for name in numbered_folders(folder) if _exists(f"{folder}/{name}/{SAVED_MODEL_FILE}")]


def numbered_folders(serving_dir: str) -> list[str]:
    """Every entry of the folder whose name is a version number, whole or not, in the order of the numbers."""
    return sorted((name for name in _names(serving_dir) if _VERSION.fullmatch(name)), key=int)


def served_version(serving_dir: str) -> str | None:
    """The version that a model server serves: the highest; None where there is none."""
    versions = list_versions(serving_dir)
    return versions[-1] if versions else None


def _names(folder: str) -> list[str]:
    if is_local(folder):
        return [path.name for path in Path(folder).iterdir()] if Path(folder).is_dir() else []
    from tfx.dsl.io import fileio

    # Some object stores mark folders with a slash at the end.
    return [str(name).rstrip("/") for name in fileio.listdir(folder)] if fileio.isdir(folder) else []


def _exists(path: str) -> bool:
    if is_local(path):
        return Path(path).exists()
    from tfx.dsl.io import fileio

    return bool(fileio.exists(path))
