"""Which cluster continues which segment."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from components.identity.matching import Overlap, count_overlap, find_heirs


def overlap(counts, strangers=0):
    counts = np.array(counts, np.int64)
    return Overlap(counts, counts.sum(axis=0) + strangers)


def test_counting_is_a_contingency_table():
    old, new = np.array([0, 0, 1, 2, 2, 2]), np.array([1, 1, 0, 1, 0, 0])
    found = count_overlap(old, new, 3, 2)
    assert found.counts.tolist() == [[0, 2], [1, 0], [2, 1]]
    assert found.sizes.tolist() == [3, 3]
    np.testing.assert_allclose(found.of_old, [[0, 1], [1, 0], [2 / 3, 1 / 3]])
    np.testing.assert_allclose(found.of_new, [[0, 2 / 3], [1 / 3, 0], [2 / 3, 1 / 3]])


def test_strangers_count_for_the_new_cluster_and_for_no_old_segment():
    old, new = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    found = count_overlap(old, new, 2, 2, np.array([True, True, False, True]))
    assert found.counts.tolist() == [[1, 1], [0, 1]]
    assert found.sizes.tolist() == [1, 3]


@pytest.mark.parametrize(
    ("counts", "heirs"),
    [
        ([[90, 10], [5, 95]], [0, 1]),
        ([[10, 90], [95, 5]], [1, 0]),
        # Of a split the larger part continues the segment; of equal parts none does.
        ([[60, 40]], [0, -1]),
        ([[50, 50]], [-1, -1]),
        # Of a merger the larger one is continued.
        ([[60], [40]], [0]),
        ([[50], [50]], [-1]),
        # All of its customers stay together, but among more others: not the same kind of customer.
        ([[40], [60]], [1]),
        ([[40], [0]], [0]),
    ],
)
def test_most_of_both_must_be_common(counts, heirs):
    assert find_heirs(overlap(counts), 0.5).tolist() == heirs


def test_a_cluster_of_strangers_continues_no_segment():
    assert find_heirs(overlap([[40]], strangers=60), 0.5).tolist() == [-1]
    assert find_heirs(overlap([[60]], strangers=40), 0.5).tolist() == [0]


def test_below_a_half_the_sum_of_overlaps_decides():
    """The best single pair is given up where two good ones are better together."""
    counts = [[50, 45], [45, 5]]
    strength = np.minimum(overlap(counts).of_old, overlap(counts).of_new)
    assert strength.argmax() == 0
    assert strength[0, 1] + strength[1, 0] > strength[0, 0] + strength[1, 1]
    assert find_heirs(overlap(counts), 0.2).tolist() == [1, 0]
    # A pair below the threshold is not made at the cost of one above it.
    assert find_heirs(overlap([[60, 39], [30, 1]]), 0.5).tolist() == [0, -1]


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0)])
def test_nothing_to_match(shape):
    found = find_heirs(Overlap(np.zeros(shape, np.int64), np.zeros(shape[1], np.int64)), 0.5)
    assert found.tolist() == [-1] * shape[1]


counts_of_any_shape = arrays.arrays(
    np.int64, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 30)
)


@given(counts_of_any_shape, st.floats(0, 0.99), st.randoms())
def test_the_order_of_clusters_changes_nothing(counts, threshold, random):
    columns = list(range(counts.shape[1]))
    random.shuffle(columns)
    plain, shuffled = (
        find_heirs(overlap(counts), threshold),
        find_heirs(overlap(counts[:, columns]), threshold),
    )

    # Clusters with equal columns are the same to anyone who looks at counts.
    def told(matrix, heirs):
        return sorted(zip(map(tuple, matrix.T.tolist()), heirs.tolist(), strict=True))

    assert told(counts, plain) == told(counts[:, columns], shuffled)


@given(counts_of_any_shape, st.floats(0.0, 0.99))
def test_no_better_assignment_exists(counts, threshold):
    """Against all assignments there are, and each segment has one heir at most."""
    table = overlap(counts)
    strength = np.minimum(table.of_old, table.of_new)
    strength[strength <= threshold] = 0.0
    heirs = find_heirs(table, threshold)
    given_away = heirs[heirs >= 0].tolist()
    assert len(given_away) == len(set(given_away))
    assert all(strength[i, j] > 0 for j, i in enumerate(heirs.tolist()) if i >= 0)
    p, c = counts.shape
    padded = np.zeros([max(p, c)] * 2)
    padded[:p, :c] = strength
    best = max(
        sum(padded[row, column] for row, column in enumerate(order))
        for order in itertools.permutations(range(len(padded)))
    )
    assert sum(strength[i, j] for j, i in enumerate(heirs.tolist()) if i >= 0) == pytest.approx(best)
