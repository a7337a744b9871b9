"""Opening, listing and recognizing files: local ones with the standard library, others through Beam."""

from __future__ import annotations

import bz2
import glob
import gzip
import hashlib
import lzma
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from components.paths import is_local

_READ_BYTES = 8 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_DIGEST_BYTES = 16

# What reading a damaged compressed file raises, whoever decompresses it.
UNREADABLE = (OSError, EOFError, lzma.LZMAError)


def matching(pattern: str) -> list[str]:
    """The files, never folders, that a path or a glob means, sorted."""
    if not is_local(pattern):
        matched = _beam_file_systems().match([pattern])[0]
        return sorted(metadata.path for metadata in matched.metadata_list)
    if Path(pattern).exists():
        return [pattern]
    # Not Path.glob: it takes no absolute patterns.
    return sorted(path for path in glob.glob(pattern, recursive=True) if Path(path).is_file())


def size(path: str) -> int:
    """Bytes of a file."""
    if not is_local(path):
        return int(_beam_file_systems().match([path])[0].metadata_list[0].size_in_bytes)
    return Path(path).stat().st_size


def open_raw(path: str) -> BinaryIO:
    """A file's own bytes."""
    if not is_local(path):
        from apache_beam.io.filesystem import CompressionTypes

        return cast(BinaryIO, _beam_file_systems().open(path, compression_type=CompressionTypes.UNCOMPRESSED))
    return Path(path).open("rb")


def open_text_bytes(path: str) -> BinaryIO:
    """A file's bytes, decompressed: gzip whatever its name is, bzip2 and xz by their suffixes."""
    # By name where that is possible: these close only files that they opened themselves.
    file: Any = open_raw(path) if not is_local(path) else path
    if path.endswith(".bz2"):
        return cast(BinaryIO, bz2.open(file))
    if path.endswith(".xz"):
        return cast(BinaryIO, lzma.open(file))
    if is_gzip(path):
        return cast(BinaryIO, gzip.open(file))
    return open_raw(path)


def open_arrow(path: str) -> pa.NativeFile:
    """The same as `open_text_bytes`, for Arrow's readers; their own gzip is much faster than Python's."""
    if path.endswith(".xz"):
        return pa.PythonFile(open_text_bytes(path), mode="r")
    raw = pa.PythonFile(open_raw(path), mode="r") if not is_local(path) else pa.OSFile(path)
    if path.endswith(".bz2"):
        return pa.CompressedInputStream(raw, "bz2")
    return pa.CompressedInputStream(raw, "gzip") if is_gzip(path) else raw


def is_gzip(path: str) -> bool:
    """Whether a file is gzip, by its first bytes."""
    return first_bytes(path, len(_GZIP_MAGIC)) == _GZIP_MAGIC


def is_compressed(path: str) -> bool:
    """Whether a file holds more bytes than its size says."""
    return path.endswith((".bz2", ".xz")) or is_gzip(path)


def first_bytes(path: str, count: int) -> bytes:
    """The first bytes of a file."""
    with open_raw(path) as file:
        return file.read(count)


def fingerprint_files(files: Sequence[str], cache: dict[str, Any] | None = None) -> list[list[Any]]:
    """What the files hold, in few bytes.

    Args:
      files: paths.
      cache: digests of earlier calls, updated in place; it survives JSON. A local file whose size and time of
        change are as they were then is not read again.

    Returns:
      `[path, bytes, digest]` of each file. The digest is BLAKE2b of a local file's content, and what the
      store says of another's.
    """
    return [[path, *_fingerprint(path, cache if cache is not None else {})] for path in files]


def _fingerprint(path: str, cache: dict[str, Any]) -> tuple[int, str]:
    if not is_local(path):
        return size(path), str(_beam_file_systems().checksum(path))
    stat = Path(path).stat()
    known = cache.get(path)
    if known is None or list(known[:2]) != [stat.st_size, stat.st_mtime_ns]:
        digest = hashlib.blake2b(digest_size=_DIGEST_BYTES)
        with Path(path).open("rb") as file:
            while block := file.read(_READ_BYTES):
                digest.update(block)
        known = cache[path] = [stat.st_size, stat.st_mtime_ns, digest.hexdigest()]
    return stat.st_size, str(known[2])


def glob_expression(pattern: str) -> str:
    """A glob as a regular expression."""
    symbols = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[[^]]*\])", pattern)
    return "".join(
        symbols.get(piece) or (piece.replace("[!", "[^") if piece.startswith("[") else re.escape(piece))
        for piece in pieces
    )


def _beam_file_systems() -> Any:
    # Imported where it is needed only: for local files nothing pays for Beam's import.
    from apache_beam.io.filesystems import FileSystems

    return FileSystems
