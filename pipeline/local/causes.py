"""What went wrong, in a sentence for people, out of the errors that libraries raise."""

from __future__ import annotations

import errno
import re
import shutil
import tempfile
from collections.abc import Iterator

from pipeline.code_version import PACKAGES

# How operating system, SQLite, TensorFlow and Arrow say it.
_FULL = re.compile(r"no space left on device|disk is full|disk quota exceeded", re.IGNORECASE)
_FULL_NUMBERS = (errno.ENOSPC, errno.EDQUOT)
_LITTLE = 1 << 20


def cause(error: BaseException) -> str:
    """The innermost cause in one sentence; Beam wraps a whole traceback into its message.

    An error of ours is said as it is: it was written for people, and what caused it was not.
    """
    while error.__cause__ is not None and not _is_ours(error):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    wrapped = not _is_ours(error) and any(line.startswith("Traceback") for line in lines)
    text = lines[-1] if wrapped else lines[0]
    return text if len(text) <= 400 else text[:397] + "..."


def full_disk(error: BaseException, workspace: str) -> str | None:
    """What to say where an error came from a full disk; None where it did not.

    The error may name neither the file nor the reason, so the disks that a run writes to are looked at, too.

    Args:
      error: what ended the run.
      workspace: its folder.
    """
    places = {"the workspace": workspace, "temporary files": tempfile.gettempdir()}
    free = {what: shutil.disk_usage(folder).free for what, folder in places.items()}
    full = [what for what in places if free[what] < _LITTLE]
    if not any(_says_full(each) for each in _chain(error)) and not (full and _is_of_files(error)):
        return None
    room = ", ".join(
        f"{free[what] / _LITTLE:,.0f} MB free for {what} ({folder})" for what, folder in places.items()
    )
    return (
        f"the disk is full: {room}. Make room and run again: it goes on from here, and what is served is "
        "served still"
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    next_error: BaseException | None = error
    while next_error is not None and id(next_error) not in seen:
        seen.add(id(next_error))
        yield next_error
        next_error = next_error.__cause__ or next_error.__context__


def _says_full(error: BaseException) -> bool:
    return (isinstance(error, OSError) and error.errno in _FULL_NUMBERS) or bool(_FULL.search(str(error)))


def _is_of_files(error: BaseException) -> bool:
    return any(
        isinstance(each, OSError) or re.search(r"disk I/O|write|flush|executing query", str(each))
        for each in _chain(error)
    )


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in PACKAGES
