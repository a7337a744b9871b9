"""TFRecord files of tf.Examples, decoded a batch at a time."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.errors import DataError
from components.example_gen import files

_BATCH = 1 << 14
_HEAD_BYTES = 8 << 20
# The length of a record, a checksum of it, the record, a checksum of that.
_LENGTH, _CHECKSUM = struct.Struct("<Q"), 4


def read_records(path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file, gzip or not, in its order. Imports TensorFlow, whose reader checks the checksums.

    Args:
      path: of the file.
      columns: the features whose values are wanted.

    Yields:
      Batches of the features that their examples have: bytes as strings, int64, float; others than the wanted ones
      as lists.

    Raises:
      DataError: the file is damaged, or an example is none, has several values of a wanted feature, or bytes that
        are no text; says in which row.
    """
    import tensorflow as tf

    before = 0
    dataset = tf.data.TFRecordDataset(path, "GZIP" if files.is_gzip(path) else "").batch(_BATCH)
    batches = dataset.as_numpy_iterator()
    while True:
        try:
            batch = next(batches, None)
        except tf.errors.OpError as error:
            raise DataError(
                f"{path}: cannot be read as TFRecord beyond about row {before}: {error.message}"
            ) from error
        if batch is None:
            return
        decoded = _decode(path, batch.tolist(), before)
        flat = {
            name: _flat(path, name, decoded[name], before) if name in columns else decoded[name]
            for name in decoded.schema.names
        }
        yield pa.RecordBatch.from_pydict(flat)
        before += len(batch)


def first_schema(path: str) -> tuple[pa.Schema, bool]:
    """The features of a file's first rows, and whether there is a row. Without TensorFlow.

    Returns:
      Features that have one value at most with its type, others as lists.

    Raises:
      DataError: the file is damaged or an example is none.
    """
    try:
        with files.open_text_bytes(path) as file:
            content = file.read(_HEAD_BYTES)
    except files.UNREADABLE as error:
        raise DataError(f"{path}: the compressed file is damaged: {error}") from error
    records = list(itertools.islice(_framed(content), _BATCH))
    if not records and content:
        raise DataError(
            f"{path}: is no TFRecord file, or its first record is longer than {_HEAD_BYTES >> 20} MiB"
        )
    if not records:
        return pa.schema([]), False
    batch = _decode(path, records, 0)
    kinds = {name: _stored_type(batch[name]) for name in batch.schema.names}
    return pa.schema(list(kinds.items())), True


def looks_like_records(start: bytes) -> bool:
    """Whether a file, decompressed, begins like TFRecords: with a length in 64 bits, which no text does."""
    return len(start) >= _LENGTH.size + _CHECKSUM and start[:4] != bytes(4) and start[4:8] == bytes(4)


def _framed(content: bytes) -> Iterator[bytes]:
    position = 0
    while position + _LENGTH.size + _CHECKSUM <= len(content):
        (length,) = _LENGTH.unpack_from(content, position)
        start = position + _LENGTH.size + _CHECKSUM
        if start + length + _CHECKSUM > len(content):
            return
        yield content[start : start + length]
        position = start + length + _CHECKSUM


def _decode(path: str, records: list[bytes], before: int) -> pa.RecordBatch:
    # Slow to import, and wanted for such files only.
    from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

    decoder = ExamplesToRecordBatchDecoder()
    try:
        batch = decoder.DecodeBatch(records)
    except (RuntimeError, ValueError) as error:
        raise _fault(path, decoder, records, before, str(error)) from error
    return batch


def _stored_type(lists: pa.Array) -> pa.DataType:
    if pa.types.is_null(lists.type) or _lengths(lists).max(initial=0) > 1:
        return lists.type
    return pa.string() if pa.types.is_large_binary(lists.type.value_type) else lists.type.value_type


def _lengths(lists: pa.Array) -> npt.NDArray[np.int64]:
    return pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)


def _flat(path: str, name: str, lists: pa.Array, before: int) -> pa.Array:
    """Lists of one value or none as values: [n]."""
    if pa.types.is_null(lists.type):
        return lists
    lengths = _lengths(lists)
    if lengths.max(initial=0) > 1:
        row = int(np.argmax(lengths > 1))
        raise DataError(
            f"{path}: row {before + row + 1}, column '{name}': holds {lengths[row]} values, where one is expected;"
            " list the other columns in data.columns"
        )
    offsets = lists.offsets.to_numpy()[:-1]
    values = lists.values.take(pa.array(offsets, mask=lengths == 0))
    if not pa.types.is_large_binary(values.type):
        return values
    try:
        return pc.cast(pc.cast(values, pa.binary()), pa.string())
    except pa.ArrowInvalid:
        row = next(i for i, value in enumerate(values.to_pylist()) if not _is_text(value))
        shown = values[row].as_py()[:20]
        raise DataError(
            f"{path}: row {before + row + 1}, column '{name}': {shown!r} is not UTF-8, so no text; list the other"
            " columns in data.columns"
        ) from None


def _is_text(value: bytes | None) -> bool:
    try:
        return value is None or bool(value.decode() or True)
    except UnicodeDecodeError:
        return False


def _fault(path: str, decoder: Any, records: Iterable[bytes], before: int, reason: str) -> DataError:
    """Which example is wrong, found one by one. Slow and exact."""
    types: dict[str, pa.DataType] = {}
    for row, record in enumerate(records, before + 1):
        try:
            one = decoder.DecodeBatch([record])
        except (RuntimeError, ValueError):
            return DataError(f"{path}: row {row}: is no tf.Example")
        for field in one.schema:
            if pa.types.is_null(field.type):
                continue
            known = types.setdefault(field.name, field.type)
            if known != field.type:
                return DataError(
                    f"{path}: row {row}, column '{field.name}': is {field.type.value_type}, but rows before have"
                    f" {known.value_type} there"
                )
    return DataError(f"{path}: cannot be read as tf.Examples: {reason}")
