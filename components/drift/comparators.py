"""TFDV's drift comparators, on statistics that they can compare well."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import tensorflow_data_validation as tfdv
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.drift.histograms import Quantiles, common_histograms

Kind = Literal["numeric", "categorical"]


@dataclasses.dataclass(frozen=True)
class Pair:
    """The statistics of one feature in two tables. A column without any value has empty ones."""

    name: str
    then: statistics_pb2.FeatureNameStatistics
    now: statistics_pb2.FeatureNameStatistics

    @property
    def present(self) -> tuple[int, int]:
        """The customers that have a value, in each table."""
        return _present(self.then), _present(self.now)

    @property
    def kinds(self) -> tuple[Kind | None, Kind | None]:
        """What the values are in each table; None where there are none."""
        return _kind(self.then), _kind(self.now)

    def quantiles(self) -> tuple[Quantiles, Quantiles] | None:
        """Of a numeric feature; None where the statistics hold none."""
        then, now = Quantiles.of(self.then), Quantiles.of(self.now)
        return None if then is None or now is None else (then, now)

    def shares(self) -> tuple[dict[str, float], dict[str, float]]:
        """Of the categories of a text feature in its values; of very many, only the commonest are known."""
        return _shares(self.then), _shares(self.now)


@dataclasses.dataclass(frozen=True)
class Comparable:
    """A feature as TFDV is to compare it: text as it is, numbers in buckets that both tables share."""

    pair: Pair
    kind: Kind
    then: statistics_pb2.FeatureNameStatistics
    now: statistics_pb2.FeatureNameStatistics

    @property
    def buckets(self) -> int:
        """Of a numeric feature."""
        return len(self.now.num_stats.histograms[0].buckets)


def prepare(pair: Pair) -> Comparable | None:
    """The feature, ready to be compared; None where there is nothing that could be."""
    kind = pair.kinds[0]
    if kind is None or kind != pair.kinds[1]:
        return None
    if kind == "categorical":
        return Comparable(pair, kind, *(_with_path(pair.name, each) for each in (pair.then, pair.now)))
    quantiles = pair.quantiles()
    histograms = common_histograms(*quantiles) if quantiles else None
    if histograms is None:
        return None
    then, now = (_with_histogram(pair.name, histogram) for histogram in histograms)
    return Comparable(pair, kind, then, now)


def measure(comparables: Sequence[tuple[Comparable, float]]) -> dict[str, tuple[float, bool]]:
    """What TFDV says: of numbers their Jensen-Shannon divergence, of text the L-infinity distance of the shares.

    Args:
      comparables: features, each with its threshold.

    Returns:
      Feature -> the value, and whether it is above the threshold.
    """
    if not comparables:
        return {}
    then, now = (statistics_pb2.DatasetFeatureStatisticsList() for _ in range(2))
    before, after = then.datasets.add(num_examples=1), now.datasets.add(num_examples=1)
    schema = schema_pb2.Schema()
    for feature, threshold in comparables:
        before.features.append(feature.then)
        after.features.append(feature.now)
        expected = schema.feature.add(name=feature.pair.name)
        if feature.kind == "numeric":
            expected.type = schema_pb2.FLOAT
            expected.drift_comparator.jensen_shannon_divergence.threshold = threshold
        else:
            expected.type = schema_pb2.BYTES
            expected.drift_comparator.infinity_norm.threshold = threshold
    anomalies = tfdv.validate_statistics(now, schema, previous_statistics=then)
    measured = {".".join(info.path.step): info.drift_measurements[0] for info in anomalies.drift_skew_info}
    return {name: (float(each.value), each.value > each.threshold) for name, each in measured.items()}


def _with_path(
    name: str, feature: statistics_pb2.FeatureNameStatistics
) -> statistics_pb2.FeatureNameStatistics:
    # TFDV ends the whole process where some features are named by `name` and others by `path`.
    copy = statistics_pb2.FeatureNameStatistics()
    copy.CopyFrom(feature)
    copy.path.Clear()
    copy.path.step.append(name)
    return copy


def _with_histogram(name: str, histogram: statistics_pb2.Histogram) -> statistics_pb2.FeatureNameStatistics:
    # As fractions, whatever they are: whole numbers in one table and fractions in the other are numbers.
    feature = statistics_pb2.FeatureNameStatistics(type=statistics_pb2.FeatureNameStatistics.FLOAT)
    feature.path.step.append(name)
    feature.num_stats.common_stats.num_non_missing = 1
    feature.num_stats.histograms.append(histogram)
    return feature


def _shares(feature: statistics_pb2.FeatureNameStatistics) -> dict[str, float]:
    buckets = feature.string_stats.rank_histogram.buckets
    total = sum(bucket.sample_count for bucket in buckets) or 1.0
    return {bucket.label: bucket.sample_count / total for bucket in buckets}


def _kind(feature: statistics_pb2.FeatureNameStatistics) -> Kind | None:
    if not _present(feature):
        return None
    return "numeric" if feature.HasField("num_stats") else "categorical"


def _present(feature: statistics_pb2.FeatureNameStatistics) -> int:
    which = feature.WhichOneof("stats")
    return int(getattr(feature, which).common_stats.num_non_missing) if which else 0
