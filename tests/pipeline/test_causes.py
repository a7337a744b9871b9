"""A full disk is recognized in whatever way it is said, and nothing else is taken for one."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

from pipeline.local.causes import full_disk

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "/w/artifacts/x"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        RuntimeError("INTERNAL: database or disk is full"),
        RuntimeError("ResourceExhaustedError: /w/x; No space left on device [Op:SaveV2]"),
    ],
)
def test_what_says_full(error: Exception, tmp_path: Path) -> None:
    message = full_disk(error, str(tmp_path))
    assert message is not None
    assert message.startswith("the disk is full: ")
    assert f"MB free for the workspace ({tmp_path})" in message


def test_it_is_found_behind_what_it_caused(tmp_path: Path) -> None:
    try:
        try:
            raise OSError(errno.ENOSPC, "No space left on device")
        except OSError as error:
            raise RuntimeError("the export failed") from error
    except RuntimeError as error:
        assert full_disk(error, str(tmp_path)) is not None


def test_an_error_that_does_not_say_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unsaid, unrelated = RuntimeError("disk I/O error"), ValueError("no such column")
    assert full_disk(unsaid, str(tmp_path)) is None
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(10, 10, 0))
    assert full_disk(unsaid, str(tmp_path)) is not None
    assert full_disk(unrelated, str(tmp_path)) is None, "it would have failed on an empty disk, too"
