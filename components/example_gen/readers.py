"""Files of any format as Arrow record batches, a block at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq

from components.errors import DataError
from components.example_gen import diagnosis, files
from components.example_gen.json_lines import read_json_lines
from components.example_gen.records import read_records
from components.example_gen.source import Source
from configs.data import DataConfig

_CSV_BLOCK_BYTES = 8 << 20
_PARQUET_BATCH_ROWS = 1 << 17


def read_batches(
    path: str, columns: Sequence[str], source: Source, data: DataConfig, block_bytes: int | None = None
) -> Iterator[pa.RecordBatch]:
    """The rows of a file, in its order.

    Args:
      path: one of `source.files`.
      columns: what to read, at least one.
      source: the format and the header.
      data: delimiter and encoding.
      block_bytes: about how much of a CSV file, decompressed, becomes a batch; 8 MiB where not said.

    Yields:
      Batches of `columns`, in that order; of a CSV file as text, empty values missing; of others as stored.

    Raises:
      DataError: a row of the wrong length, bytes in another encoding, or a damaged file.
    """
    if source.format == "csv":
        yield from _read_csv(path, columns, source.columns, data, block_bytes or _CSV_BLOCK_BYTES)
    elif source.format == "parquet":
        yield from _read_parquet(path, columns)
    else:
        batches = read_json_lines(path) if source.format == "jsonl" else read_records(path, columns)
        yield from _with_columns(path, batches, columns, source, data)


def _with_columns(
    path: str, batches: Iterable[pa.RecordBatch], columns: Sequence[str], source: Source, data: DataConfig
) -> Iterator[pa.RecordBatch]:
    """Batches whose rows need not have all columns as batches of these, nulls where there are none."""
    every_column = data.columns is None and data.transactions is None
    rows = 0
    for batch in batches:
        names = set(batch.schema.names)
        new = sorted(names - set(source.columns))
        if new and every_column:
            row = rows + pc.index(batch[new[0]].is_valid(), True).as_py() + 1
            raise DataError(
                f"{path}: row {row}: has a column '{new[0]}' that the first rows do not have; put it into the first"
                " row, null if need be, or list the columns to read in data.columns"
            )
        rows += len(batch)
        arrays = [batch[name] if name in names else pa.nulls(len(batch)) for name in columns]
        yield pa.RecordBatch.from_arrays(arrays, list(columns))


def _read_csv(
    path: str, columns: Sequence[str], header: tuple[str, ...], data: DataConfig, block_bytes: int
) -> Iterator[pa.RecordBatch]:
    # Everything is read as text: what a value means is decided column by column, with its row at hand.
    convert = pcsv.ConvertOptions(
        column_types=dict.fromkeys(columns, pa.string()),
        include_columns=list(columns),
        null_values=[""],
        strings_can_be_null=True,
    )
    try:
        with files.open_arrow(path) as file:
            yield from pcsv.open_csv(
                file,
                pcsv.ReadOptions(block_size=block_bytes, use_threads=False, encoding=data.encoding),
                pcsv.ParseOptions(delimiter=data.delimiter, newlines_in_values=True),
                convert,
            )
    except (pa.ArrowInvalid, UnicodeError) as error:
        raise diagnosis.unreadable(path, header, data.delimiter, data.encoding, str(error)) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read to its end: {error}") from error


def _read_parquet(path: str, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    try:
        with files.open_arrow(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(_PARQUET_BATCH_ROWS, columns=list(columns)):
                yield pa.RecordBatch.from_arrays([batch[name] for name in columns], list(columns))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {error}") from error
