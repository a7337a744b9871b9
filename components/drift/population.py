"""Drift of the population as the served model sees it: shares of segments, distances, outliers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from components.drift.measures import (
    chance_of_distance,
    chance_of_share,
    chance_of_stability_index,
    kolmogorov_smirnov,
    population_stability_index,
)
from components.drift.words import distance_words, outlier_words, segments_words
from configs.drift import DriftConfig


@dataclasses.dataclass(frozen=True)
class Assigned:
    """What the served model says of a sample of today's customers.

    segment_ids: int64 [n]. distances: float32 [n], to the customer's centroid. outliers: bool [n].
    """

    segment_ids: npt.NDArray[np.int64]
    distances: npt.NDArray[np.float32]
    outliers: npt.NDArray[np.bool_]


@dataclasses.dataclass(frozen=True)
class PopulationDrift:
    """One comparison of the whole population; `threshold` and `chance` as in `FeatureDrift`.

    `shares` holds `id`, `name`, `then` and `now` of each segment, where segments are compared; for the other
    comparisons `then` and `now` are the medians, or the shares of outliers.
    """

    measure: str
    value: float
    threshold: float
    chance: float
    drifted: bool
    sentence: str
    then: float | None = None
    now: float | None = None
    shares: Sequence[Mapping[str, Any]] | None = None

    def as_json(self) -> dict[str, Any]:
        """Without what this comparison does not have."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value is not None}


def compare_segments(
    described: Mapping[str, Any], assigned: Assigned, config: DriftConfig
) -> PopulationDrift | None:
    """Compares the segments' shares with those at training; None where that is switched off.

    Args:
      described: the served model's segments.json.
      assigned: the sample.
      config: the thresholds.
    """
    if config.segments is None:
        return None
    segments = described["segments"]
    then = np.array([segment["size"] for segment in segments], np.float64)
    now = np.array(
        [np.count_nonzero(assigned.segment_ids == segment["id"]) for segment in segments], np.float64
    )
    shares = [
        {"id": segment["id"], "name": segment["name"], "then": float(before), "now": float(after)}
        for segment, before, after in zip(segments, then / then.sum(), now / now.sum(), strict=True)
    ]
    value = population_stability_index(then, now)
    chance = chance_of_stability_index(len(segments), float(then.sum()), float(now.sum()))
    most = max(shares, key=lambda each: abs(each["now"] - each["then"]))
    return PopulationDrift(
        "population_stability_index",
        value,
        config.segments,
        chance,
        value > max(config.segments, chance),
        segments_words(most["name"], most["then"], most["now"], value, config.segments),
        shares=shares,
    )


def compare_distances(
    described: Mapping[str, Any], assigned: Assigned, config: DriftConfig
) -> PopulationDrift | None:
    """Compares the distances to the centroids with those at training; None where that is switched off."""
    if config.distance is None:
        return None
    percentiles = described["distances"]["percentiles"]
    value = kolmogorov_smirnov(percentiles, assigned.distances)
    chance = chance_of_distance(described["population"]["described"], len(assigned.distances))
    then, now = float(percentiles[len(percentiles) // 2]), float(np.median(assigned.distances))
    return PopulationDrift(
        "kolmogorov_smirnov",
        value,
        config.distance,
        chance,
        value > max(config.distance, chance),
        distance_words(then, now, value, config.distance),
        then,
        now,
    )


def compare_outliers(
    described: Mapping[str, Any], assigned: Assigned, config: DriftConfig
) -> PopulationDrift | None:
    """Compares the share of outliers with that at training, upwards only; None where that is switched off."""
    if config.outliers is None:
        return None
    then, now = float(described["distances"]["outliers"]), float(assigned.outliers.mean())
    before, after = described["population"]["described"], len(assigned.outliers)
    chance = chance_of_share((then * before + now * after) / (before + after), before, after)
    value = now - then
    return PopulationDrift(
        "rise_of_share",
        value,
        config.outliers,
        chance,
        value > max(config.outliers, chance),
        outlier_words(then, now, config.outliers),
        then,
        now,
    )
