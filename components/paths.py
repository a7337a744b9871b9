"""Where a path leads. Nothing heavy is imported here."""

from __future__ import annotations


def is_local(path: str) -> bool:
    """Whether `path` is in a local file system; object stores (`gs://`, `s3://`) have no atomic rename."""
    return "://" not in path
