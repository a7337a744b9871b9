"""The columns of the customer table as the statistics and the schema know them."""

from __future__ import annotations

import dataclasses
import os
from typing import Any

from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2
from tfx.dsl.io import fileio
from tfx.types import Artifact, artifact_utils

from components.gate.expectations import bounds, describe_values, presence
from components.trainer.words import as_line, format_number, format_share

STATISTICS_FILE = "FeatureStats.pb"
SCHEMA_FILE = "schema.pbtxt"

_NAMED = 3
_RANKS = 10


@dataclasses.dataclass(frozen=True)
class ColumnFacts:
    """A column: what it holds and what the schema asks of it.

    Attributes:
      name: the column.
      kind: `number` or `text`.
      missing: the share of customers without a value.
      seen: its range or number of distinct values, in words.
      typical: its median, mean and zeros, or its most frequent values, in words; "" without values.
      histogram: the shares of its values in ten bins of equal width, or of its most frequent values.
      expected: what the schema asks, in words.
      remark: why the column cannot tell customers apart, where it cannot.
    """

    name: str
    kind: str
    missing: float
    seen: str
    typical: str
    histogram: list[float]
    expected: str
    remark: str


def read_columns(statistics: Artifact, schema: Artifact) -> list[ColumnFacts]:
    """The columns of the first split that has statistics, in the table's order."""
    asked = _schema(schema)
    for split in artifact_utils.decode_split_names(statistics.split_names):
        path = os.path.join(artifact_utils.get_split_uri([statistics], split), STATISTICS_FILE)
        if fileio.exists(path):
            dataset = _statistics(path).datasets[0]
            return [_column(feature, asked, dataset.num_examples) for feature in dataset.features]
    return []


def _schema(artifact: Artifact) -> schema_pb2.Schema:
    with fileio.open(os.path.join(artifact.uri, SCHEMA_FILE), "r") as file:
        return text_format.Parse(file.read(), schema_pb2.Schema())


def _statistics(path: str) -> statistics_pb2.DatasetFeatureStatisticsList:
    with fileio.open(path, "rb") as file:
        return statistics_pb2.DatasetFeatureStatisticsList.FromString(file.read())


def _name(feature: Any) -> str:
    return str(feature.name or feature.path.step[-1])


def _remark(statistics: Any, text: bool, present: int, examples: int) -> str:
    if not present:
        return "no value in any row, so it has no effect"
    same = statistics.unique == 1 if text else statistics.min == statistics.max
    return "the same for every customer, so it has no effect" if same and present == examples else ""


def _column(feature: Any, schema: schema_pb2.Schema, examples: int) -> ColumnFacts:
    name = _name(feature)
    text = feature.HasField("string_stats")
    statistics = feature.string_stats if text else feature.num_stats
    present = statistics.common_stats.num_non_missing
    if not present:
        seen = "no values"
    elif text:
        seen = f"{statistics.unique:,} distinct value{'' if statistics.unique == 1 else 's'}"
    else:
        seen = f"{format_number(statistics.min)} to {format_number(statistics.max)}"
    return ColumnFacts(
        name=name,
        kind="text" if text else "number",
        missing=1 - present / examples if examples else 0.0,
        seen=seen,
        typical=(_frequent_values if text else _middle)(statistics, present) if present else "",
        histogram=(_ranks if text else _bins)(statistics, present) if present else [],
        remark=_remark(statistics, text, present, examples),
        expected=_expectation(next((f for f in schema.feature if f.name == name), None), schema),
    )


def _middle(statistics: statistics_pb2.NumericStatistics, present: int) -> str:
    said = f"median {format_number(statistics.median)}, mean {format_number(statistics.mean)}"
    return f"{said}, 0 for {format_share(statistics.num_zeros / present)}" if statistics.num_zeros else said


def _bins(statistics: statistics_pb2.NumericStatistics, present: int) -> list[float]:
    standard = statistics_pb2.Histogram.STANDARD
    found = next((h for h in statistics.histograms if h.type == standard), None)
    return [round(bucket.sample_count / present, 4) for bucket in found.buckets] if found else []


def _frequent_values(statistics: statistics_pb2.StringStatistics, present: int) -> str:
    named = statistics.top_values[:_NAMED]
    # Of values that hardly repeat, such as names, none is typical.
    if not named or named[0].frequency <= 1:
        return ""
    return ", ".join(f"{as_line(item.value)} {format_share(item.frequency / present)}" for item in named)


def _ranks(statistics: statistics_pb2.StringStatistics, present: int) -> list[float]:
    buckets = statistics.rank_histogram.buckets[:_RANKS]
    return [round(bucket.sample_count / present, 4) for bucket in buckets]


def _expectation(feature: schema_pb2.Feature | None, schema: schema_pb2.Schema) -> str:
    if feature is None:
        return "not in the schema"
    values = describe_values(feature, schema) if feature.type == schema_pb2.BYTES else bounds(feature)
    return f"{values}; {presence(feature)}"
