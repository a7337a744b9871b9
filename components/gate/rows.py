"""Counts, in the rows, the customers that an anomaly concerns: statistics know extremes, not how many."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow_metadata.proto.v0 import schema_pb2

from components.example_files import records
from components.gate.expectations import allowed_values, limits
from components.gate.findings import COUNTED, Anomaly
from components.gate.observations import Observation

_BATCH = 16384
_DTYPES = {
    schema_pb2.FeatureType.INT: tf.int64,
    schema_pb2.FeatureType.FLOAT: tf.float32,
    schema_pb2.FeatureType.BYTES: tf.string,
}


@dataclasses.dataclass
class _Test:
    """What is counted of one feature."""

    topics: set[str]
    low: float | None
    high: float | None
    allowed: np.ndarray


def count_rows(
    files: Sequence[str],
    anomalies: Sequence[Anomaly],
    schema: schema_pb2.Schema,
    observations: Mapping[str, Observation],
) -> None:
    """Reads the table once, if any anomaly needs it, and fills `counts` and `unexpected` of the observations.

    Args:
      files: The TFRecord files of all splits.
      anomalies: What was found. Features that are of another type than the schema's are left uncounted.
      schema: The bounds and the domains.
      observations: By feature; changed in place.
    """
    tests = _tests(anomalies, schema)
    if not tests:
        return
    parse = {name: tf.io.VarLenFeature(_DTYPES[_feature(schema, name).type]) for name in tests}

    @tf.autograph.experimental.do_not_convert
    def values(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {name: sparse.values for name, sparse in tf.io.parse_example(rows, parse).items()}

    batches = records(files).batch(_BATCH).map(values, num_parallel_calls=tf.data.AUTOTUNE)
    unexpected: dict[str, Counter[bytes]] = {name: Counter() for name in tests}
    for batch in batches.prefetch(2).as_numpy_iterator():
        for name, test in tests.items():
            _count(test, batch[name], observations[name].counts, unexpected[name])
    for name, counter in unexpected.items():
        observations[name].unexpected = {
            value.decode("utf-8", "backslashreplace"): count for value, count in counter.items()
        }


def _tests(anomalies: Sequence[Anomaly], schema: schema_pb2.Schema) -> dict[str, _Test]:
    of_another_type = {anomaly.feature for anomaly in anomalies if anomaly.topic == "type"}
    tests: dict[str, _Test] = {}
    for anomaly in anomalies:
        if anomaly.topic not in COUNTED or anomaly.feature in of_another_type:
            continue
        feature = _feature(schema, anomaly.feature)
        is_text = feature.type == schema_pb2.FeatureType.BYTES
        if is_text != (anomaly.topic == "values"):
            continue  # numbers written as text: TFDV's own words have to do
        low, high = limits(feature)
        allowed = [value.encode() for value in allowed_values(feature, schema) or []]
        test = tests.setdefault(anomaly.feature, _Test(set(), low, high, np.array(allowed, dtype=object)))
        test.topics.add(anomaly.topic)
    return tests


def _count(test: _Test, values: np.ndarray, counts: dict[str, int], unexpected: Counter[bytes]) -> None:
    for topic in test.topics:
        if topic == "values":
            distinct, how_often = np.unique(values.astype(object), return_counts=True)
            strange = ~np.isin(distinct, test.allowed)
            unexpected.update(dict(zip(distinct[strange], how_often[strange].tolist(), strict=True)))
            hits = int(how_often[strange].sum())
        elif topic == "low":
            hits = int(np.count_nonzero(values < test.low))
        elif topic == "high":
            hits = int(np.count_nonzero(values > test.high))
        elif topic == "nan":
            hits = int(np.count_nonzero(np.isnan(values)))
        else:
            hits = int(np.count_nonzero(np.isinf(values)))
        counts[topic] = counts.get(topic, 0) + hits


def _feature(schema: schema_pb2.Schema, name: str) -> schema_pb2.Feature:
    return next(feature for feature in schema.feature if feature.name == name)
