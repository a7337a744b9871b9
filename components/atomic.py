"""Folders that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

from components.paths import is_local

STAGING_PREFIX = ".incoming-"


@contextlib.contextmanager
def whole_folder(target: str, *, last: str = "", replace: bool = False) -> Iterator[str]:
    """Yields an empty local folder to fill; once the block ends without an error, it is `target`.

    Locally the folder is made beside `target`, flushed to disk and renamed: a process killed at any moment
    leaves no `target`, only a folder for `remove_leftovers`. Elsewhere it is uploaded file by file,
    with `last` (a path relative to the folder) at the end, for readers to recognize a whole one by.

    Args:
      target: The folder to make. Its parents are made where they are missing.
      last: The file that goes last where there is no rename.
      replace: Whether an existing `target` gives way.

    Raises:
      FileExistsError: `target` is there and may not be replaced.
    """
    target = target.rstrip("/")
    if not replace and _exists(target):
        raise FileExistsError(f"{target} is there already and is not replaced")
    if is_local(target):
        with _renamed(Path(target)) as staging:
            yield str(staging)
    else:
        with tempfile.TemporaryDirectory() as staging_name:
            yield staging_name
            _upload(Path(staging_name), target, last)


def remove_leftovers(parent: str) -> list[str]:
    """Removes what killed processes left under `parent`; returns the names. One writer at a time."""
    if not is_local(parent) or not Path(parent).is_dir():
        return []
    leftovers = sorted(path for path in Path(parent).iterdir() if path.name.startswith(STAGING_PREFIX))
    for path in leftovers:
        shutil.rmtree(path)
    return [path.name for path in leftovers]


@contextlib.contextmanager
def _renamed(target: Path) -> Iterator[Path]:
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    # Not tempfile.mkdtemp: its folders can be read by their owner only, and a server is another user.
    staging = parent / f"{STAGING_PREFIX}{target.name}-{uuid.uuid4().hex[:12]}"
    staging.mkdir()
    try:
        yield staging
        _flush(staging)
        if target.exists():
            replaced = parent / f"{staging.name}-replaced"
            os.rename(target, replaced)
            os.rename(staging, target)
            shutil.rmtree(replaced)
        else:
            os.rename(staging, target)
        _flush_one(parent)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise


def _flush(folder: Path) -> None:
    for root, _, files in os.walk(folder):
        for name in files:
            _flush_one(Path(root, name))
        _flush_one(Path(root))


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _exists(path: str) -> bool:
    if is_local(path):
        return os.path.exists(path)
    from tfx.dsl.io import fileio

    return bool(fileio.exists(path))


def _upload(folder: Path, target: str, last: str) -> None:
    # Imported for remote folders only: it loads TensorFlow, which a rollback does without.
    from tfx.dsl.io import fileio

    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    for name in sorted(names, key=lambda name: name == last):
        destination = f"{target}/{name}"
        # No folders in most object stores, but the other remote file systems have them.
        fileio.makedirs(destination.rpartition("/")[0])
        fileio.copy(str(folder / name), destination, overwrite=True)
