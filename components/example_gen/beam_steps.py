"""The reading as a Beam pipeline: a batch is an element, never a row.

    files -> read -> buckets of customer ids -> merge -> write
                \\-> tally ---------------------/-> tally ->/

Attributes are read into the same buckets. Where a window ends with the latest purchase, that is found first.

Nothing is written before the tally over all rows is known: it holds the end of the period, the share of eval,
and what is wrong with the data. Problems travel as data and not as exceptions, which Beam would retry and
turn into text.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.pvalue import AsIter, AsSingleton, TaggedOutput
from tfx.dsl.io import fileio

from components.errors import DataError
from components.example_gen import attributes, files, hashing
from components.example_gen.customers import (
    Piece,
    bucket_keys,
    column_types,
    condense,
    customer_columns,
    merge,
)
from components.example_gen.encode import as_features, records_name, table_name, write_examples, write_table
from components.example_gen.held import Held
from components.example_gen.in_memory import latest_purchase
from components.example_gen.period import looks_ahead, with_end
from components.example_gen.plan import Plan
from components.example_gen.rows import HASH, read_rows
from components.example_gen.tally import Tally, total
from components.example_gen.times import judge

SPLITS = ("train", "eval")
STAGING = ".staging"
_BUCKET_BYTES = 64 << 20
_MOST_BUCKETS = 4096
# How much more a compressed file or Parquet holds than its size says, roughly.
_COMPRESSION = 4
_TALLY, _PIECES = "tally", "pieces"

_ROWS, _ATTRIBUTES = range(2)
_ATTRIBUTE_ROWS = "attributes"

# Where a piece of a bucket comes from: table, file, batch in the file.
_Origin = tuple[int, int, int]


def write_customers(pipeline: beam.Pipeline, plan: Plan, uri: str, table_uri: str, summary_path: str) -> None:
    """Adds the steps that write a source's customers below `uri` and `table_uri`, and a summary of the reading.

    The summary is JSON: `problems`, lines that say what must be mended, or `ingest`, what was read.
    Nothing else is written where there are problems.
    """
    buckets = bucket_count(plan)
    numbers = (
        pipeline
        | "Files" >> beam.Create(list(range(len(plan.source.files))))
        | "SpreadFiles" >> beam.Reshuffle()
    )
    latest = []
    if looks_ahead(plan):
        found = numbers | "LookAhead" >> beam.Map(lambda file: latest_purchase(plan, file))
        latest = [AsIter(found)]
    reading = beam.ParDo(_Read(plan, buckets), *latest)
    read = numbers | "Read" >> reading.with_outputs(_TALLY, main=_PIECES)
    pieces, tallies = [read[_PIECES]], [read[_TALLY]]
    if plan.attributes is not None:
        joined = (
            pipeline
            | "AttributeFiles" >> beam.Create(list(range(len(plan.attributes.source.files))))
            | "ReadAttributes"
            >> beam.ParDo(_ReadAttributes(plan.attributes, buckets)).with_outputs(_TALLY, main=_PIECES)
        )
        pieces, tallies = [*pieces, joined[_PIECES]], [*tallies, joined[_TALLY]]
    merged = (
        (pieces | "BothTables" >> beam.Flatten() if len(pieces) > 1 else pieces[0])
        | "ByCustomer" >> beam.GroupByKey()
        | "Merge" >> beam.ParDo(_Merge(plan)).with_outputs(_TALLY, main=_PIECES)
    )
    tally = (
        [*tallies, merged[_TALLY]]
        | beam.Flatten()
        | "Total" >> beam.CombineGlobally(total)
        | "Judge" >> beam.Map(lambda counted: attributes.judge(judge(counted, plan), plan))
    )
    written = (
        merged[_PIECES]
        | "SpreadBuckets" >> beam.Reshuffle()
        | "Write" >> beam.ParDo(_Write(plan, uri, table_uri, buckets), AsSingleton(tally))
        | "Counts" >> beam.CombineGlobally(_sum_counts)
    )
    _ = written | "Summarize" >> beam.Map(_summarize, AsSingleton(tally), plan, summary_path)


def bucket_count(plan: Plan) -> int:
    """Into how many parts the customers are divided: each has to fit into a worker's memory with ease."""
    paths = plan.source.files
    held = sum(
        files.size(path)
        * (_COMPRESSION if plan.source.format == "parquet" or files.is_compressed(path) else 1)
        for path in paths
    )
    return min(max(-(-held // _BUCKET_BYTES), 1), _MOST_BUCKETS)


class _Read(beam.DoFn):
    """File number -> (bucket, (origin, piece)), and the file's tally; `latest`: of every file, if looked for."""

    def __init__(self, plan: Plan, buckets: int) -> None:
        self._plan, self._buckets = plan, buckets

    def process(self, file: int, latest: Iterable[int | None] = ()) -> Iterator[Any]:
        plan = with_end(self._plan, latest)
        tallies, held = [], Held(plan)
        try:
            for number, (batch, tally) in enumerate(read_rows(plan, file)):
                tallies.append(tally)
                for bucket, rows in _divided(batch, bucket_keys(plan, batch), self._buckets):
                    held.add(bucket, number, condense(plan, rows))
                for bucket, first, piece in held.overflow():
                    yield bucket, ((_ROWS, file, first), _packed(piece))
            for bucket, first, piece in held.rest():
                yield bucket, ((_ROWS, file, first), _packed(piece))
        except DataError as error:
            tallies.append(Tally(problems=((file, str(error)),)))
        yield TaggedOutput(_TALLY, total(tallies))


class _ReadAttributes(beam.DoFn):
    """Number of a file of attributes -> (bucket, (origin, rows)), and the file's tally."""

    def __init__(self, plan: Plan, buckets: int) -> None:
        self._plan, self._buckets = plan, buckets

    def process(self, file: int) -> Iterator[Any]:
        tallies = []
        try:
            for number, (batch, tally) in enumerate(attributes.read_file(self._plan, file)):
                tallies.append(tally)
                for bucket, rows in _divided(batch, batch.column(HASH).to_numpy(), self._buckets):
                    yield bucket, ((_ATTRIBUTES, file, number), _packed({_ATTRIBUTE_ROWS: rows}))
        except DataError as error:
            tallies.append(Tally(problems=((file, str(error)),)))
        yield TaggedOutput(_TALLY, total(tallies))


def _divided(batch: pa.RecordBatch, hashes: np.ndarray, buckets: int) -> Iterator[tuple[int, pa.Table]]:
    table = pa.Table.from_batches([batch])
    keys = hashing.buckets(hashes, buckets)
    if buckets > 1:
        table = table.take(np.argsort(keys, kind="stable"))
    end = 0
    for bucket, rows in enumerate(np.bincount(keys, minlength=buckets).tolist()):
        start, end = end, end + rows
        if rows:
            yield bucket, table.slice(start, rows)


class _Merge(beam.DoFn):
    """(bucket, [(origin, piece)]) -> (bucket, customers), and the bucket's tally."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def process(self, element: tuple[int, Iterable[tuple[_Origin, dict[str, bytes]]]]) -> Iterator[Any]:
        bucket, pieces = element
        parts: tuple[list[Piece], list[Piece]] = ([], [])
        # Beam groups in any order; the source's order makes every run write the same.
        for (table, _, _), piece in sorted(pieces, key=lambda piece: piece[0]):
            parts[table].append({name: from_bytes(content) for name, content in piece.items()})
        if not parts[_ROWS]:
            return
        joined = [part[_ATTRIBUTE_ROWS] for part in parts[_ATTRIBUTES]]
        customers, tally = merge(self._plan, parts[_ROWS], joined)
        yield bucket, to_bytes(customers)
        yield TaggedOutput(_TALLY, tally)


class _Write(beam.DoFn):
    """(bucket, customers) -> counts, and the bucket's files."""

    def __init__(self, plan: Plan, uri: str, table_uri: str, buckets: int) -> None:
        self._plan, self._uri, self._table_uri, self._buckets = plan, uri, table_uri, buckets

    def process(self, element: tuple[int, bytes], tally: Tally) -> Iterator[dict[str, dict[str, int]]]:
        if not tally.is_usable:
            return
        bucket, content = element
        customers = from_bytes(content)
        columns = customer_columns(self._plan, customers, tally)
        in_eval = hashing.split_positions(customers[HASH].to_numpy()) < tally.eval_threshold(self._plan.data)
        for split, mask in zip(SPLITS, (pa.array(~in_eval), pa.array(in_eval)), strict=True):
            batch = as_features({column: values.filter(mask) for column, values in columns.items()})
            # A name of its own for every attempt: a runner may make two at once.
            staging = os.path.join(self._uri, STAGING, f"{split}-{bucket}-{uuid.uuid4().hex}")
            records = os.path.join(self._uri, f"Split-{split}", records_name(bucket, self._buckets))
            write_examples(batch, records, staging)
            table = os.path.join(self._table_uri, f"Split-{split}", table_name(bucket, self._buckets))
            write_table(batch, self._plan.source.id_name, table, staging)
        yield {
            "customers": {"train": int((~in_eval).sum()), "eval": int(in_eval.sum())},
            "values": {column: len(values) - values.null_count for column, values in columns.items()},
        }


def _sum_counts(counts: Iterable[dict[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    totals: dict[str, dict[str, int]] = {}
    for count in counts:
        for name, numbers in count.items():
            into = totals.setdefault(name, {})
            for key, number in numbers.items():
                into[key] = into.get(key, 0) + number
    return totals


def _summarize(counts: dict[str, dict[str, int]], tally: Tally, plan: Plan, path: str) -> None:
    if tally.is_usable:
        summary: dict[str, Any] = {"problems": [], "ingest": _ingest(counts, tally, plan)}
    else:
        summary = {"problems": tally.explain(plan.place)}
    fileio.makedirs(os.path.dirname(path))
    with fileio.open(path, "w") as file:
        file.write(json.dumps(summary))


def _ingest(counts: dict[str, dict[str, int]], tally: Tally, plan: Plan) -> dict[str, Any]:
    as_of = tally.as_of(plan.data)
    return {
        "files": list(plan.source.files),
        "rows_read": tally.rows_read,
        "rows_dropped": dict(sorted(tally.rows_dropped.items())),
        "values_changed": tally.changes.by_column(),
        "customers": counts["customers"],
        "id_column": plan.source.id_name,
        "as_of": as_of.isoformat() if as_of else None,
        **({"with_attributes": tally.joined} if plan.attributes else {}),
        "span": plan.source.span_name,
        "spans": plan.source.span_names,
        "columns": column_types(plan, tally),
        "all_missing": [column for column, values in counts["values"].items() if not values],
    }


def _packed(piece: Piece) -> dict[str, bytes]:
    return {name: to_bytes(table) for name, table in piece.items()}


def to_bytes(table: pa.Table) -> bytes:
    """A table as bytes: only its own rows, where pickling a slice would take along what it is a slice of."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def from_bytes(content: bytes) -> pa.Table:
    """The table of `to_bytes`."""
    return pa.ipc.open_stream(content).read_all()
