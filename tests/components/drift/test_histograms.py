"""Common buckets: what TFDV measures with them, beside the samples themselves, and beside its own buckets."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
import tensorflow_data_validation as tfdv
from scipy.spatial.distance import jensenshannon
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import schema_pb2, statistics_pb2

from components.drift.comparators import Pair, measure, prepare
from components.drift.histograms import Quantiles, common_histograms


def statistics_of(values: np.ndarray) -> statistics_pb2.DatasetFeatureStatisticsList:
    batch = pa.RecordBatch.from_arrays([pa.array([[value] for value in values.tolist()])], ["x"])
    return generate_statistics_in_memory(batch, tfdv.StatsOptions(num_quantiles_histogram_buckets=100))


def divergence(then: np.ndarray, now: np.ndarray) -> float:
    features = [statistics_of(values).datasets[0].features[0] for values in (then, now)]
    prepared = prepare(Pair("x", *features))
    assert prepared is not None
    return measure([(prepared, 0.05)])["x"][0]


def stock_divergence(then: np.ndarray, now: np.ndarray) -> float:
    schema = schema_pb2.Schema()
    schema.feature.add(
        name="x", type=schema_pb2.FLOAT
    ).drift_comparator.jensen_shannon_divergence.threshold = 1
    first, second = (statistics_of(values.astype(float)) for values in (then, now))
    anomalies = tfdv.validate_statistics(second, schema, previous_statistics=first)
    return float(anomalies.drift_skew_info[0].drift_measurements[0].value)


def exact(then: np.ndarray, now: np.ndarray) -> float:
    cuts = np.unique(np.quantile(then, np.linspace(0, 1, 11), method="inverted_cdf"))
    cuts = np.r_[-np.inf, np.nextafter(cuts[0], -np.inf), cuts, np.inf]

    def shares(values: np.ndarray) -> np.ndarray:
        return np.diff([(values <= cut).mean() for cut in cuts])

    return float(jensenshannon(shares(then), shares(now), base=2) ** 2)


RNG = np.random.default_rng(0)
NORMAL, SKEWED = RNG.normal(0, 1, 8000), np.exp(RNG.normal(0, 2, 8000))
COUNTS = RNG.negative_binomial(1, 0.4, 8000)
MOSTLY_ZERO = np.where(RNG.uniform(size=8000) < 0.8, 0, RNG.integers(1, 5, 8000))


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (NORMAL[:4000], NORMAL[4000:] + 0.8),
        (NORMAL[:4000], NORMAL[4000:] * 3),
        (NORMAL[:4000], NORMAL[4000:] - 100),
        (SKEWED[:4000], SKEWED[4000:] * 2),
        (COUNTS[:4000], COUNTS[4000:] + 1),
        (COUNTS[:4000], COUNTS[4000:].astype(float) * 0.5),
        (MOSTLY_ZERO[:4000], MOSTLY_ZERO[4000:] * 100),
        (np.full(500, 7), np.full(400, 8)),
        (np.full(500, 7), np.full(400, 6)),
        (np.full(500, 7), np.full(400, 7)),
    ],
)
def test_the_divergence_is_that_of_the_samples(then, now) -> None:
    assert divergence(then, now) == pytest.approx(exact(then, now), abs=0.02)


@pytest.mark.parametrize("values", [NORMAL, SKEWED, COUNTS, MOSTLY_ZERO])
def test_halves_of_one_sample_are_alike(values) -> None:
    assert divergence(values[:4000], values[4000:]) < 0.01


def test_one_outlier_does_not_make_other_buckets() -> None:
    """Why TFDV's own buckets are not used."""
    then, now = SKEWED[:4000], np.r_[SKEWED[4000:], 50 * SKEWED.max()]
    assert stock_divergence(then, now) > 0.3
    assert divergence(then, now) < 0.01


def test_infinities_and_what_is_not_there() -> None:
    with_infinity = np.r_[NORMAL[:100], np.inf, -np.inf]
    assert divergence(with_infinity, with_infinity) == pytest.approx(0, abs=1e-9)
    nothing = statistics_pb2.FeatureNameStatistics()
    assert Quantiles.of(nothing) is None
    assert prepare(Pair("x", nothing, statistics_of(NORMAL[:10]).datasets[0].features[0])) is None
    infinite = Quantiles(np.array([np.inf, np.inf]), np.array([0.0, 1.0]))
    assert common_histograms(infinite, infinite) is None


def test_quantiles_as_a_distribution_function() -> None:
    quantiles = Quantiles(np.array([0.0, 0.0, 0.0, 10.0]), np.array([0, 1 / 3, 2 / 3, 1]))
    points = [-1.0, np.nextafter(0.0, -1.0), 0.0, 5.0, 10.0, 11.0]
    np.testing.assert_allclose(quantiles.share_up_to(points), [0, 0, 2 / 3, 5 / 6, 1, 1])
