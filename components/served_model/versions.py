"""The versions in a served folder. Imports neither TensorFlow nor TFX, unless the folder is a remote one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from components.paths import is_local

SAVED_MODEL_FILE = "saved_model.pb"
# In a version: where it came from. Beside the versions: the highest number that was ever given.
PUSH_FILE = "assets.extra/push.json"
LAST_VERSION_FILE = ".last_version"

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


def highest_number(serving_dir: str) -> int:
    """The highest number that a version has or had; folders that are no version keep theirs, too. 0 for none."""
    folder = serving_dir.rstrip("/")
    there = int((numbered_folders(folder) or ["0"])[-1])
    text = (_read(f"{folder}/{LAST_VERSION_FILE}") or "").strip()
    return max(there, int(text)) if text.isdecimal() else there


def read_mark(version_dir: str) -> dict[str, Any]:
    """Where a version came from, as its pusher wrote it; empty for one that was put there by other hands.

    Keys: `digest` (of the model's files), `model` (its artifact), `run_key` (its run), `pushed_at`, and for a copy
    that a rollback made `restored` (see `components.served_model.restoring`).
    """
    try:
        mark = json.loads(_read(f"{version_dir.rstrip('/')}/{PUSH_FILE}") or "{}")
    except ValueError:
        return {}
    return mark if isinstance(mark, dict) else {}


def _read(path: str) -> str | None:
    if is_local(path):
        return Path(path).read_text(encoding="utf-8") if Path(path).is_file() else None
    from tfx.dsl.io import fileio

    if not fileio.exists(path):
        return None
    with fileio.open(path, "r") as file:
        return str(file.read())


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
