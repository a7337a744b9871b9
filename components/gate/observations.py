"""What the data holds in place of what was expected: from the statistics, and counted in the rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping

from tensorflow_metadata.proto.v0 import statistics_pb2

_SHOWN = 8
_Type = statistics_pb2.FeatureNameStatistics
_TYPES = {_Type.INT: "whole numbers", _Type.FLOAT: "numbers", _Type.STRING: "text", _Type.BYTES: "text"}


def number(value: float) -> str:
    """A number for people."""
    if math.isinf(value):
        return "infinity" if value > 0 else "-infinity"
    return f"{int(value):,}" if value == int(value) and abs(value) < 2**53 else f"{value:,.6g}"


def quoted(values: Iterable[str]) -> str:
    """Values in quotes, the first ones if they are many."""
    listed = list(values)
    shown = ", ".join(f'"{value}"' for value in listed[:_SHOWN])
    return shown if len(listed) <= _SHOWN else f"{shown} and {len(listed) - _SHOWN:,} more"


@dataclasses.dataclass
class Observation:
    """One feature in all splits.

    Attributes:
      kinds: The type in each split, as the statistics name it (`FeatureNameStatistics.Type`).
      present, missing: Customers with and without a value.
      minimum, maximum: The extremes of a numeric feature.
      example: Some value of a text feature.
      counts: Customers by topic of `components.gate.findings`, where the rows were counted.
      unexpected: Values that the schema does not have and how many customers have them.
    """

    kinds: set[int] = dataclasses.field(default_factory=set)
    present: int = 0
    missing: int = 0
    minimum: float = math.inf
    maximum: float = -math.inf
    example: str = ""
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    unexpected: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def type_words(self) -> str:
        """The type that was seen, with an example of text: 'text such as "18x"'."""
        words = " and ".join(sorted({_TYPES.get(kind, "other values") for kind in self.kinds})) or "values"
        return f'{words} such as "{self.example}"' if self.example else words

    @property
    def unexpected_words(self) -> str:
        """The commonest unexpected values and their counts; "" where the rows were not counted."""
        commonest = sorted(self.unexpected.items(), key=lambda item: (-item[1], item[0]))
        shown = ", ".join(f'"{value}" ({count:,})' for value, count in commonest[:_SHOWN])
        rest = len(commonest) - _SHOWN
        return shown if rest <= 0 else f"{shown} and {rest:,} more values"


def observe(
    per_split: Mapping[str, statistics_pb2.DatasetFeatureStatisticsList], columns: Iterable[str]
) -> dict[str, Observation]:
    """What the statistics of all splits say, by feature.

    Args:
      per_split: The statistics.
      columns: The columns of the source: one without any value is not in the statistics.
    """
    found = {name: Observation() for name in columns}
    customers = 0
    for statistics in per_split.values():
        for dataset in statistics.datasets:
            customers += dataset.num_examples
            for feature in dataset.features:
                name = feature.name or ".".join(feature.path.step)
                _note(found.setdefault(name, Observation()), feature)
    # Not the statistics' num_missing: it knows nothing of a split in which no customer has the feature.
    for observation in found.values():
        observation.missing = customers - observation.present
    return found


def _note(saw: Observation, feature: statistics_pb2.FeatureNameStatistics) -> None:
    kind = feature.WhichOneof("stats")
    stats = getattr(feature, kind) if kind else None
    present = stats.common_stats.num_non_missing if stats is not None else 0
    saw.present += present
    if present:
        saw.kinds.add(feature.type)
    if kind == "num_stats" and present:
        saw.minimum = min(saw.minimum, feature.num_stats.min)
        saw.maximum = max(saw.maximum, feature.num_stats.max)
    if kind == "string_stats" and feature.string_stats.top_values:
        saw.example = feature.string_stats.top_values[0].value
