"""JSON Lines: one object per line, read a block of lines at a time by Arrow."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.json as pj

from components.errors import DataError
from components.example_gen import files

_BLOCK_BYTES = 8 << 20
_LARGEST_ROW = 8 << 20
_SHOWN = 60
_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


def read_json_lines(path: str) -> Iterator[pa.RecordBatch]:
    """The rows of a file, in its order; blank lines are none.

    Yields:
      Batches of the columns that their rows have: text as strings, also what looks like a time; numbers as int64 or
      double, by what the batch holds; true and false as bool; lists and objects as they are.

    Raises:
      DataError: a line is no JSON object, or a column is of one kind here and another there; says in which line.
    """
    texts: set[str] = set()
    rows = lines = 0
    try:
        with files.open_arrow(path) as file:
            for block in _blocks(path, file):
                if block.strip():
                    table = _parse(path, block, texts, lines, rows)
                    # One chunk: a block is read as a whole.
                    yield from table.combine_chunks().to_batches()
                    rows += len(table)
                lines += block.count(b"\n")
    except (pa.ArrowException, *files.UNREADABLE) as error:
        raise DataError(f"{path}: cannot be read to its end: {error}") from error


def line_of(path: str, row: int) -> int | None:
    """The line, from 1, of a row, from 1; None where there are fewer."""
    with files.open_text_bytes(path) as file:
        for line, content in enumerate(file, 1):
            row -= bool(content.strip())
            if not row:
                return line
    return None


def _blocks(path: str, file: pa.NativeFile) -> Iterator[bytes]:
    """The file cut behind lines."""
    held = file.read(_BLOCK_BYTES).removeprefix(codecs.BOM_UTF8)
    while block := file.read(_BLOCK_BYTES):
        end = held.rfind(b"\n") + 1
        if end:
            yield held[:end]
            held = held[end:]
        held += block
        if len(held) > _BLOCK_BYTES + _LARGEST_ROW and b"\n" not in held:
            raise DataError(
                f"{path}: a line is longer than {_LARGEST_ROW >> 20} MiB; write one object per line"
            )
    yield held


def _parse(path: str, block: bytes, texts: set[str], lines: int, rows: int) -> pa.Table:
    """The table of a block; `texts` are columns that are to be text, to which it adds."""
    try:
        block.decode()
        table = pj.read_json(
            pa.BufferReader(block),
            pj.ReadOptions(use_threads=False, block_size=len(block) + 1),
            pj.ParseOptions(
                explicit_schema=pa.schema([(name, pa.string()) for name in sorted(texts)]),
                newlines_in_values=False,
            ),
        )
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _fault(path, block, lines, rows, str(error)) from error
    # Arrow takes text that looks like a time for one; ids and codes must stay as they are written.
    times = {field.name for field in table.schema if pa.types.is_timestamp(field.type)}
    if not times:
        return table
    texts |= times
    return _parse(path, block, texts, lines, rows)


def _fault(path: str, block: bytes, lines: int, rows: int, reason: str) -> DataError:
    """What is wrong with a block, found record by record. Slow and exact."""
    kinds: dict[str, tuple[str, int]] = {}
    first = rows
    for number, content in enumerate(block.split(b"\n"), lines + 1):
        if not content.strip():
            continue
        rows += 1
        where = f"{path}: line {number} (row {rows})"
        try:
            record = json.loads(content.decode())
        except UnicodeDecodeError as error:
            return DataError(
                f"{where}: {content[error.start : error.start + 20]!r} is not UTF-8, as JSON must be"
            )
        except ValueError as error:
            shown = content[:_SHOWN].decode(errors="replace")
            return DataError(f"{where}: is not JSON: {error}; the line starts with {shown!r}")
        if not isinstance(record, dict):
            return DataError(f"{where}: is {_KINDS.get(type(record), 'null')}, where one object is expected")
        for name, value in record.items():
            if value is None:
                continue
            kind = _KINDS[type(value)]
            known, since = kinds.setdefault(name, (kind, number))
            if kind != known:
                return DataError(
                    f"{where}, column '{name}': {json.dumps(value)[:_SHOWN]} is {kind}, but line {since} has {known}"
                    " there; write one kind, or null where it is missing"
                )
    # Such as a column that is named twice. Arrow counts the rows of the block, from 0.
    at = re.search(r"^(.*) in row (\d+)$", reason)
    where = f"{path}: row {first + int(at[2]) + 1}" if at else path
    return DataError(f"{where}: cannot be read as JSON Lines: {at[1] if at else reason}")
