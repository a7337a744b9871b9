"""Refuses CSV files with quotes that are not closed: Arrow takes the end of the file for the end of the value."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.example_gen import diagnosis, files

_BLOCK_BYTES = 1 << 20
_QUOTE = ord('"')


def check_quotes(path: str, delimiter: str, encoding: str) -> None:
    """Makes sure that no line of a CSV file vanishes in a value whose quote is not closed where it should be.

    A pass over the bytes of its own, without a Python loop over rows unless a quote is out of place. Not within
    the pass of Arrow's reader: that reads in a thread which calls into Python even when Python is about to exit.

    Raises:
      DataError: names the line where the quote is opened.
    """
    try:
        with files.open_arrow(path) as file:
            is_in_order = are_in_order(_blocks(file, encoding), delimiter)
    except (pa.ArrowException, UnicodeError, *files.UNREADABLE):
        # Whoever reads the rows reports these.
        return
    if not is_in_order:
        diagnosis.refuse_open_quotes(path, delimiter, encoding)


def are_in_order(blocks: Iterable[bytes], delimiter: str) -> bool:
    """Whether all quotes of a file are as RFC 4180 has them, and closed.

    There an opening quote follows a delimiter or a line's end, a closing one precedes one, and a quote within
    quotes is doubled. Where that is so every second quote opens and every other one closes, a doubled one
    closing and opening again; so it is enough to look at the neighbours of each. False does not mean damage:
    `12" pipe` is out of order and harmless.

    Args:
      blocks: the file in an encoding in which these characters are as in ASCII, cut anywhere.
      delimiter: one character.
    """
    is_edge = np.zeros(256, bool)
    is_edge[list(f'{delimiter}"\r\n'.encode())] = True
    is_inside = False
    for codes in _windows(blocks):
        before = np.flatnonzero(codes[1:-1] == _QUOTE)
        opening, closing = before[is_inside::2], before[not is_inside :: 2]
        if not (is_edge[codes[opening]].all() and is_edge[codes[closing + 2]].all()):
            return False
        is_inside ^= bool(len(before) % 2)
    return not is_inside


def _windows(blocks: Iterable[bytes]) -> Iterator[npt.NDArray[np.uint8]]:
    """What holds quotes: over all windows, each byte lies once between its neighbours, not at an end: uint8 [n]."""
    held = b"\n"
    # The start of the file is like the start of a line, its end like the end of one.
    for block in itertools.chain(blocks, [b"\n"]):
        window = held + block
        held = window[-2:]
        if window.find(b'"', 1, -1) >= 0:
            yield np.frombuffer(window, np.uint8)


def _blocks(file: pa.NativeFile, encoding: str) -> Iterator[bytes]:
    if '"\r\n'.encode(encoding) != b'"\r\n':
        file = pa.transcoding_input_stream(file, encoding, "utf-8")
    yield file.read(_BLOCK_BYTES).removeprefix(codecs.BOM_UTF8)
    while block := file.read(_BLOCK_BYTES):
        yield block
