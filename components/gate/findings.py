"""TFDV's anomalies of all splits as findings that a person can act on. No TensorFlow here."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Literal

from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2

from components.gate.expectations import bounds, describe_type, describe_values, presence
from components.gate.observations import Observation, number

Severity = Literal["stop", "warn"]
Topic = Literal["type", "values", "low", "high", "nan", "infinite", "presence", "missing", "new", "other"]

_PRESENCE = {
    "FEATURE_TYPE_LOW_FRACTION_PRESENT",
    "FEATURE_TYPE_LOW_NUMBER_PRESENT",
    "FEATURE_TYPE_NOT_PRESENT",
    "FEATURE_TYPE_NO_VALUES",
    # What TFDV says, besides, of a feature with a fixed shape as soon as one value is missing.
    "INVALID_FEATURE_SHAPE",
}
_TOPICS: dict[str, Topic] = {
    "UNEXPECTED_DATA_TYPE": "type",
    "INT_TYPE_NOT_INT_STRING": "type",
    "FLOAT_TYPE_STRING_NOT_FLOAT": "type",
    "ENUM_TYPE_UNEXPECTED_STRING_VALUES": "values",
    "INT_TYPE_SMALL_INT": "low",
    "FLOAT_TYPE_SMALL_FLOAT": "low",
    "INT_TYPE_BIG_INT": "high",
    "FLOAT_TYPE_BIG_FLOAT": "high",
    "FLOAT_TYPE_HAS_NAN": "nan",
    "FLOAT_TYPE_HAS_INF": "infinite",
    "SCHEMA_MISSING_COLUMN": "missing",
    "SCHEMA_NEW_COLUMN": "new",
    **dict.fromkeys(_PRESENCE, "presence"),
}
# The topics that only the rows themselves can count; statistics hold extremes and the commonest values.
COUNTED: frozenset[Topic] = frozenset({"values", "low", "high", "nan", "infinite"})


@dataclasses.dataclass(frozen=True)
class Anomaly:
    """One kind of deviation of one feature, in at least one split. `feature` is "" for the whole table."""

    feature: str
    topic: Topic
    description: str
    only_warns: bool


@dataclasses.dataclass(frozen=True)
class Finding:
    """An anomaly in words.

    Attributes:
      feature: The column, or "(table)".
      expected: What the schema asks for.
      seen: What the data holds instead.
      count: The customers concerned; None where that has no number.
      severity: Whether it stops the run.
    """

    feature: str
    expected: str
    seen: str
    count: int | None
    severity: Severity

    def line(self, customers: int) -> str:
        """The finding in one line."""
        where = "" if self.count is None else f" in {self.count:,} of {customers:,} customers"
        return f"{self.feature}: expected {self.expected}; found {self.seen}{where}"


def merge_anomalies(per_split: Mapping[str, anomalies_pb2.Anomalies]) -> list[Anomaly]:
    """One entry per feature and topic, in the order of the features' names."""
    found: dict[tuple[str, Topic], Anomaly] = {}
    for split, anomalies in per_split.items():
        for key, info in anomalies.anomaly_info.items():
            feature = ".".join(info.path.step) or key
            _add(found, feature, info)
        for reason in anomalies.dataset_anomaly_info.reason:
            entry = Anomaly("", "other", f"{reason.description} (split {split})", only_warns=False)
            found.setdefault(("", "other"), entry)
    return sorted(found.values(), key=lambda anomaly: (anomaly.feature, anomaly.topic))


def _add(found: dict[tuple[str, Topic], Anomaly], feature: str, info: anomalies_pb2.AnomalyInfo) -> None:
    warns = info.severity == anomalies_pb2.AnomalyInfo.WARNING
    for reason in info.reason:
        topic = _TOPICS.get(anomalies_pb2.AnomalyInfo.Type.Name(reason.type), "other")
        earlier = found.get((feature, topic))
        if earlier is None:
            found[feature, topic] = Anomaly(feature, topic, reason.description.strip(), warns)
        elif not warns:
            found[feature, topic] = dataclasses.replace(earlier, only_warns=False)


def describe(
    anomaly: Anomaly,
    schema: schema_pb2.Schema,
    observation: Observation | None,
    warn_only: Iterable[str],
) -> Finding:
    """Puts an anomaly into words.

    Args:
      anomaly: What is described.
      schema: What was expected.
      observation: What the statistics and the rows say of the feature; None if the data does not have it.
      warn_only: The features whose anomalies do not stop a run, unless Transform could not read them.
    """
    let_through = anomaly.only_warns or anomaly.feature in set(warn_only)
    severity: Severity = "warn" if let_through and not _breaks_transform(anomaly, observation) else "stop"
    feature = next((each for each in schema.feature if each.name == anomaly.feature), None)
    expected, seen, count = _words(anomaly, feature, schema, observation)
    return Finding(anomaly.feature or "(table)", expected, seen, count, severity)


def _breaks_transform(anomaly: Anomaly, observation: Observation | None) -> bool:
    """Whether Transform could not even read the data: a column of the schema is absent or of another type."""
    return anomaly.topic == "type" or (anomaly.topic == "missing" and observation is None)


def _words(
    anomaly: Anomaly,
    feature: schema_pb2.Feature | None,
    schema: schema_pb2.Schema,
    observation: Observation | None,
) -> tuple[str, str, int | None]:
    """What was expected, what was seen, and in how many customers."""
    topic, saw = anomaly.topic, observation or Observation()
    counted = saw.counts.get(topic)
    if topic == "new" or (feature is None and topic != "other"):
        return "no such column (the schema does not have it)", f"a column of {saw.type_words}", None
    if feature is None:
        return "what the schema says of the table", anomaly.description, None
    if topic == "missing" and observation is None:
        return f"a column of {describe_type(feature)}", "no such column", None
    if topic == "type" and not saw.present:
        return describe_type(feature), "no value in any row", None
    if topic == "type":
        return describe_type(feature), saw.type_words, saw.present
    if topic in ("presence", "missing"):
        return presence(feature), "no value", saw.missing
    if topic == "values":
        return describe_values(feature, schema), saw.unexpected_words or anomaly.description, counted
    if topic == "low":
        return bounds(feature), f"values down to {number(saw.minimum)}", counted
    if topic == "high":
        return bounds(feature), f"values up to {number(saw.maximum)}", counted
    if topic == "nan":
        return "numbers without NaN", "NaN", counted
    if topic == "infinite":
        return "finite numbers", "infinities", counted
    return f"what the schema says of it ({describe_type(feature)})", anomaly.description, None
