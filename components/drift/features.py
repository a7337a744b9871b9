"""Drift of single features: how many customers have a value, and which values."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.drift.comparators import Comparable, Kind, Pair, measure, prepare
from components.drift.measures import chance_of_divergence, chance_of_share
from components.drift.words import missing_words, numeric_words, text_words
from components.reference_statistics import feature_name
from configs.drift import FeatureDriftConfig

Measure = Literal["jensen_shannon_divergence", "infinity_norm", "missing_share", "type"]


@dataclasses.dataclass(frozen=True)
class FeatureDrift:
    """One comparison of one feature.

    Attributes:
      name: The column.
      kind: What it is today.
      measure: What was compared.
      value: How far the two are apart, from 0 to 1.
      threshold: What is allowed.
      chance: What two samples of one population, as large as these, stay below; it counts where it is larger.
      drifted: Whether the value is above both.
      sentence: What has changed, for people.
    """

    name: str
    kind: Kind
    measure: Measure
    value: float
    threshold: float
    chance: float
    drifted: bool
    sentence: str


def compare_features(
    then: statistics_pb2.DatasetFeatureStatistics,
    now: statistics_pb2.DatasetFeatureStatistics,
    features: Sequence[str],
    config: FeatureDriftConfig,
    schema: schema_pb2.Schema,
) -> list[FeatureDrift]:
    """Compares the features of a served model.

    Args:
      then: Of the customers that the model was made from.
      now: Of today's.
      features: The model's.
      config: The thresholds.
      schema: Today's. Where it has a `drift_comparator` (a curated one may), its threshold comes before the
        default; `config.columns` comes before both.

    Returns:
      In the order of `features`, at most two per feature.
    """
    pairs = _pairs(then, now, features, config)
    values = _compare_values(pairs, config, schema)
    found: list[FeatureDrift] = []
    for pair in pairs:
        missing = _compare_missing(pair, then.num_examples, now.num_examples, config.missing)
        found += [each for each in (missing, _compare_types(pair), values.get(pair.name)) if each is not None]
    return found


def _pairs(
    then: statistics_pb2.DatasetFeatureStatistics,
    now: statistics_pb2.DatasetFeatureStatistics,
    features: Sequence[str],
    config: FeatureDriftConfig,
) -> list[Pair]:
    before, after = ({feature_name(each): each for each in table.features} for table in (then, now))
    # A column without any value is not in the statistics, or has no type there.
    nothing = statistics_pb2.FeatureNameStatistics()
    return [
        Pair(name, before.get(name, nothing), after.get(name, nothing))
        for name in features
        if config.columns.get(name, 0.0) is not None
    ]


def _compare_missing(pair: Pair, then: int, now: int, threshold: float | None) -> FeatureDrift | None:
    kind = pair.kinds[1] or pair.kinds[0]
    if threshold is None or kind is None or not then or not now:
        return None
    before, after = 1 - pair.present[0] / then, 1 - pair.present[1] / now
    chance = chance_of_share(1 - sum(pair.present) / (then + now), then, now)
    value = abs(after - before)
    sentence = missing_words(pair.name, before, after, threshold)
    drifted = value > max(threshold, chance)
    return FeatureDrift(pair.name, kind, "missing_share", value, threshold, chance, drifted, sentence)


def _compare_types(pair: Pair) -> FeatureDrift | None:
    before, after = pair.kinds
    if before is None or after is None or before == after:
        return None
    words = {"numeric": "numbers", "categorical": "text"}
    sentence = f"{pair.name}: {words[after]} where there was {words[before]}"
    return FeatureDrift(pair.name, after, "type", 1.0, 0.0, 0.0, True, sentence)


def _compare_values(
    pairs: Sequence[Pair], config: FeatureDriftConfig, schema: schema_pb2.Schema
) -> dict[str, FeatureDrift]:
    compared: dict[str, tuple[Comparable, float, float]] = {}
    for pair in pairs:
        feature = prepare(pair)
        threshold = _threshold(feature, config, schema) if feature else None
        if feature is not None and threshold is not None:
            compared[pair.name] = (feature, threshold, _chance(feature))
    limits = [(feature, max(threshold, chance)) for feature, threshold, chance in compared.values()]
    found = {}
    for name, (value, drifted) in measure(limits).items():
        feature, threshold, chance = compared[name]
        which: Measure = "jensen_shannon_divergence" if feature.kind == "numeric" else "infinity_norm"
        sentence = _words(feature, value, threshold)
        found[name] = FeatureDrift(name, feature.kind, which, value, threshold, chance, drifted, sentence)
    return found


def _threshold(feature: Comparable, config: FeatureDriftConfig, schema: schema_pb2.Schema) -> float | None:
    name = feature.pair.name
    curated = next((each.drift_comparator for each in schema.feature if each.name == name), None)
    if curated is not None and name not in config.columns:
        if feature.kind == "numeric" and curated.HasField("jensen_shannon_divergence"):
            return float(curated.jensen_shannon_divergence.threshold)
        if feature.kind == "categorical" and curated.HasField("infinity_norm"):
            return float(curated.infinity_norm.threshold)
    return config.threshold(name, feature.kind)


def _chance(feature: Comparable) -> float:
    then, now = feature.pair.present
    if feature.kind == "numeric":
        return chance_of_divergence(feature.buckets, then, now)
    # Of the category whose share varies most by chance: the one closest to a half.
    before, after = feature.pair.shares()
    both = ((before.get(c, 0.0) * then + after.get(c, 0.0) * now) / (then + now) for c in {**before, **after})
    return chance_of_share(min(both, key=lambda share: abs(share - 0.5), default=0.5), then, now)


def _words(feature: Comparable, value: float, threshold: float) -> str:
    if feature.kind == "categorical":
        return text_words(feature.pair.name, *feature.pair.shares(), value, threshold)
    quantiles = feature.pair.quantiles()
    assert quantiles is not None, "prepare() took it for comparable"
    return numeric_words(feature.pair.name, *quantiles, value, threshold)
