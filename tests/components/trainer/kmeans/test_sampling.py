from __future__ import annotations

import numpy as np
import pytest

from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.rows import Resident
from components.trainer.kmeans.sampling import draw_sample, uniform


class _Worker(Replicas):
    """One of several workers, whose shards are all known here."""

    def __init__(self, worker, shards):
        super().__init__(None)
        self.worker, self.workers, self._shards = worker, len(shards), shards

    def gather(self, values):
        return np.array([[len(shard)] for shard in self._shards], float)


def _table(n):
    return np.arange(float(n), dtype=np.float32)[:, None]


def test_the_sample_does_not_depend_on_how_rows_are_shared_out():
    whole = draw_sample(Resident(_table(1_000)), 100, [5], Replicas(None))
    shards = [_table(1_000)[:300], _table(1_000)[300:300], _table(1_000)[300:]]
    parts = [
        draw_sample(Resident(shard), 100, [5], _Worker(w, shards)).rows for w, shard in enumerate(shards)
    ]
    assert len(whole.rows) == whole.total == 100 and not whole.whole
    np.testing.assert_array_equal(np.concatenate(parts), whole.rows)


def test_a_sample_is_uniform_in_order_and_skips_rows_without_weight():
    hits = np.zeros(200)
    weights = np.tile(np.float32([1.0, 3.0, 0.0, 1.0]), 50)
    for seed in range(400):
        sample = draw_sample(Resident(_table(200), weights), 50, [seed], Replicas(None))
        drawn = sample.rows[:, 0].astype(int)
        assert len(drawn) == 50 and (np.diff(drawn) > 0).all()
        np.testing.assert_array_equal(sample.weights, weights[drawn])
        hits[drawn] += 1
    assert hits[2::4].sum() == 0
    candidates = np.delete(hits, np.arange(2, 200, 4))
    # 400 draws with probability 1/3: mean 133, standard deviation 9.4; five of those either way.
    assert candidates.min() > 86 and candidates.max() < 181


def test_all_rows_are_the_sample_where_there_are_no_more():
    sample = draw_sample(Resident(_table(7)), 7, [0], Replicas(None))
    assert sample.whole and sample.total == 7
    np.testing.assert_array_equal(sample.rows, _table(7))
    assert sample.pool(Replicas(None)) is sample


@pytest.mark.parametrize("start", [0, 1, 5, 1_003])
def test_a_stream_of_numbers_is_entered_anywhere(start):
    np.testing.assert_array_equal(uniform([3, 1], start, 50), uniform([3, 1], 0, start + 50)[start:])
    assert not np.array_equal(uniform([3, 1], start, 50), uniform([3, 2], start, 50))
