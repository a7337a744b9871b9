from __future__ import annotations

import dataclasses

import pytest

from components.trainer.kmeans import KMeansError, KMeansOptions


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k: 0 is too small"),
        ({"k": -3}, "k: -3 is too small"),
        ({"k": 2.0}, "k: expected an integer, got 2.0"),
        ({"k": True}, "k: expected an integer, got True"),
        ({"k": "3"}, "k: expected an integer, got '3'"),
        ({"k": 2, "init": "kmeans"}, "init: 'kmeans' is not known; use \"k-means\\+\\+\" or"),
        ({"k": 2, "n_init": 0}, "n_init: 0 is too small"),
        ({"k": 2, "max_iterations": -1}, "max_iterations: -1 is too small"),
        ({"k": 2, "seed": -1}, "seed: -1 is too small"),
        ({"k": 2, "seed": None}, "seed: expected an integer"),
        ({"k": 2, "tolerance": -1e-9}, "tolerance: -1e-09 is impossible"),
        ({"k": 2, "tolerance": float("nan")}, "tolerance: nan is impossible"),
        ({"k": 2, "tolerance": "small"}, "tolerance: expected a number"),
        ({"k": 2, "algorithm": "elkan"}, 'algorithm: .elkan. is not known; use "lloyd" or "minibatch"'),
        ({"k": 2, "metric": "l1"}, 'metric: .l1. is not known; use "euclidean" or "cosine"'),
        ({"k": 2, "batch_size": 0}, "batch_size: 0 is too small"),
        ({"k": 5, "sample_size": 4}, "sample_size: 4 rows cannot seed k=5"),
    ],
)
def test_an_impossible_option_is_refused_by_name(arguments, message):
    with pytest.raises(KMeansError, match=message):
        KMeansOptions(**arguments)


def test_the_error_is_a_value_error():
    assert issubclass(KMeansError, ValueError)


def test_options_cannot_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        KMeansOptions(k=2).k = 3


def test_the_automatic_sample_grows_with_k():
    assert KMeansOptions(k=3).seeding_rows == 16_384
    assert KMeansOptions(k=1_000).seeding_rows == 128_000
    assert KMeansOptions(k=3, sample_size=10).seeding_rows == 10
