"""The combiner alone: however Beam cuts, orders and merges the rows, the same figures come out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow_model_analysis as tfma
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.slicer import slicer_lib

from components.evaluator.rows import Rows
from components.evaluator.tfma_metric import ROW_KEYS, ClusteringMetrics
from components.metrics.sampling import row_keys
from configs.evaluation import HIGHER_IS_BETTER, SAMPLED

SAMPLES = {"pairs_rows": 30, "stability_rows": 40, "stability_resamples": 1}
N = 60
CENTROIDS = np.float32([[-2, 0], [2, 0], [0, 3]])


def _outputs(n: int = N) -> dict[str, np.ndarray]:
    rows = np.random.default_rng(5).normal(size=(n, 2)).astype(np.float32) * 2
    distances = np.linalg.norm(rows[:, None] - CENTROIDS, axis=-1).astype(np.float32)
    return {
        "features": rows,
        "segment_id": distances.argmin(axis=1) + 1,
        "distance": distances.min(axis=1),
        "distances": distances,
        "is_outlier": distances.min(axis=1) > 2,
    }


def _cut(outputs: dict[str, np.ndarray], rows: object) -> dict[str, np.ndarray]:
    return {name: values[rows] for name, values in outputs.items()}


def _computation():
    (computation,) = ClusteringMetrics(samples=SAMPLES).computations()
    return computation


def _values(blocks: list[Rows], splits: list[int]) -> dict[str, float]:
    """The combiner's output over `blocks`, each added to the accumulator that `splits` says."""
    combiner = _computation().combiner
    accumulators = [combiner.create_accumulator() for _ in range(max(splits, default=0) + 2)]
    for block, split in zip(blocks, splits, strict=True):
        accumulators[split] = combiner.add_input(accumulators[split], block)
        if split % 2:
            accumulators[split] = combiner.compact(accumulators[split])
    halves = [
        combiner.merge_accumulators(accumulators[::2]),
        combiner.compact(combiner.merge_accumulators(accumulators[1::2])),
    ]
    merged = combiner.merge_accumulators(halves)
    return {key.name: value for key, value in combiner.extract_output(merged).items()}


@pytest.fixture(scope="module")
def expected() -> dict[str, float]:
    return _values([Rows.of(_outputs())], [0])


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_neither_bundles_nor_their_order_matter(data, expected):
    order = np.array(data.draw(st.permutations(range(N))))
    cuts = sorted(data.draw(st.sets(st.integers(1, N - 1), max_size=12)))
    blocks = [Rows.of(_cut(_outputs(), part)) for part in np.split(order, cuts)]
    splits = data.draw(st.lists(st.integers(0, 5), min_size=len(blocks), max_size=len(blocks)))
    assert _values(blocks, splits) == pytest.approx(expected, rel=1e-9)


def test_every_metric_has_a_value_and_what_it_came_from(expected):
    assert set(expected) == {
        *HIGHER_IS_BETTER, "customers", "segments", *(f"{name}_rows" for name in SAMPLED),
    }  # fmt: skip
    assert all(math.isfinite(value) for value in expected.values())
    assert (expected["customers"], expected["segments"]) == (N, 3)
    assert (expected["dunn_rows"], expected["stability_rows"]) == (30, 40)


def test_single_rows_as_stock_tfma_gives_them_are_the_same_as_blocks(expected):
    preprocessor = _computation().preprocessors[0]
    blocks = [
        block for i in range(N) for block in preprocessor.process({tfma.PREDICTIONS_KEY: _cut(_outputs(), i)})
    ]
    assert _values(blocks, [i % 4 for i in range(N)]) == pytest.approx(expected, rel=1e-9)


def test_a_slice_has_no_sampled_metrics_but_their_keys():
    extracts = {
        tfma.PREDICTIONS_KEY: _outputs(),
        tfma.SLICE_KEY_TYPES_KEY: slicer_lib.slice_keys_to_numpy_array([(("region", "north"),)]),
    }
    (block,) = _computation().preprocessors[0].process(extracts)
    values = _values([block], [0])
    assert all(math.isnan(values[name]) for name in SAMPLED)
    assert all(math.isfinite(values[name]) for name in set(HIGHER_IS_BETTER) - set(SAMPLED))


def test_samples_go_by_the_record_not_by_the_last_bits_of_its_features():
    outputs, keys = _outputs(), row_keys(np.arange(float(N))[:, None])
    moved = {**outputs, "features": np.nextafter(outputs["features"], np.float32(9))}
    preprocess = _computation().preprocessors[0].process

    def values(outputs: dict[str, np.ndarray]) -> dict[str, float]:
        (block,) = preprocess({tfma.PREDICTIONS_KEY: outputs, ROW_KEYS: keys})
        return _values([block], [0])

    assert values(moved) == pytest.approx(values(outputs), rel=1e-5)


def test_no_rows_no_metrics():
    assert _values([], []) == {}
