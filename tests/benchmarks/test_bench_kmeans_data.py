"""What the contenders of the k-means benchmark are judged on, and by."""

import numpy as np
import pytest
from sklearn.metrics import pairwise_distances_argmin_min

from benchmarks.kmeans.data import mixture_blocks, write_mixture
from benchmarks.kmeans.judge import inertia
from benchmarks.kmeans.records import open_records, write_records
from benchmarks.kmeans.retail import customer_features, resample


def test_the_judge_agrees_with_scikit_learn_and_with_the_definition():
    random = np.random.default_rng(0)
    rows = random.normal(size=(70_000, 5)).astype(np.float32)  # more than one chunk
    centroids = random.normal(size=(7, 5)).astype(np.float32)
    _, distances = pairwise_distances_argmin_min(rows.astype(np.float64), centroids.astype(np.float64))
    assert inertia(rows, centroids) == pytest.approx(np.sum(distances**2), rel=1e-12)
    assert inertia(np.array([[0.0], [1.0], [5.0]], np.float32), np.array([[0.0], [4.0]])) == 0 + 1 + 1


def test_the_judge_is_not_blurred_by_rows_far_from_the_origin():
    rows = (1e4 + np.random.default_rng(0).normal(size=(1_000, 3))).astype(np.float32)
    centre = rows.astype(np.float64).mean(axis=0)
    expected = np.sum((rows.astype(np.float64) - centre) ** 2)
    assert inertia(rows, centre[None]) == pytest.approx(expected, rel=1e-6)


def test_the_judge_refuses_centroids_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        inertia(np.zeros([3, 2], np.float32), np.array([[0.0, np.nan]]))


# The rows.


def test_a_mixture_is_the_same_for_the_same_arguments():
    first, again, other = (np.concatenate(list(mixture_blocks(5_000, 4, 3, seed))) for seed in (1, 1, 2))
    assert first.dtype == np.float32 and first.shape == (5_000, 4)
    assert np.array_equal(first, again) and not np.array_equal(first, other)


def test_a_mixture_comes_in_blocks_and_is_written_whole(tmp_path):
    blocks = list(mixture_blocks(300_000, 2, 3, seed=1))
    assert [len(block) for block in blocks] == [262_144, 37_856]
    write_mixture(tmp_path / "new" / "rows.npy", 300_000, 2, 3, seed=1)
    assert np.array_equal(np.load(tmp_path / "new" / "rows.npy"), np.concatenate(blocks))


def test_a_mixture_has_clusters_that_touch():
    from sklearn.cluster import KMeans

    rows = np.concatenate(list(mixture_blocks(20_000, 16, 10, seed=1)))
    by_k = {k: KMeans(k, n_init=5, random_state=0).fit(rows).inertia_ for k in (5, 10, 20)}
    # There are ten clusters: what comes before them lowers the inertia much, what comes after little.
    assert by_k[10] < 0.85 * by_k[5]
    assert by_k[20] > 0.9 * by_k[10]
    # And rows between them: a third are nearly as near to another cluster.
    distances = np.sort(KMeans(10, n_init=5, random_state=0).fit(rows).transform(rows), axis=1)
    assert 0.2 < np.mean(distances[:, 0] > 0.8 * distances[:, 1]) < 0.6


def test_a_mixture_needs_a_row_per_component():
    with pytest.raises(ValueError, match="3 rows cannot hold 4 components"):
        list(mixture_blocks(3, 2, 4, seed=0))


SALES = """InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,A,x,2,2011-01-01 00:00:00,10.0,7.0,UK
1,B,x,1,2011-01-01 00:00:00,20.0,7.0,UK
2,A,x,1,2011-01-05 00:00:00,20.0,7.0,UK
3,C,x,1,2011-01-11 00:00:00,5.0,8.0,UK
C4,C,x,1,2011-01-12 00:00:00,5.0,8.0,UK
5,C,x,-1,2011-01-13 00:00:00,5.0,8.0,UK
6,C,x,1,2011-01-14 00:00:00,0.0,8.0,UK
7,C,x,1,2011-01-15 00:00:00,5.0,,UK
8,D,x,3,2011-01-03 00:00:00,1.0,9.0,UK
"""


def test_customers_are_summed_up_from_their_sales_alone(tmp_path):
    (tmp_path / "sales.csv").write_text(SALES)
    features = customer_features(tmp_path / "sales.csv")
    # Recency, orders, money, tenure, average basket, products of customers 7, 8 and 9.
    raw = np.log1p([[6, 2, 60, 10, 30, 2], [0, 1, 5, 0, 5, 1], [8, 1, 3, 8, 3, 1]])
    assert features == pytest.approx((raw - raw.mean(axis=0)) / raw.std(axis=0))


def test_resampled_customers_are_repeatable_and_jittered_by_a_twentieth():
    features = np.array([[0.0, 0.0], [10.0, 1.0]])
    rows = resample(features, 20_000, seed=1)
    assert rows.dtype == np.float32 and rows.shape == (20_000, 2)
    assert np.array_equal(rows, resample(features, 20_000, seed=1))
    assert not np.array_equal(rows, resample(features, 20_000, seed=2))
    near = rows[rows[:, 0] < 5]
    assert near.std(axis=0) == pytest.approx([0.05 * 5.0, 0.05 * 0.5], rel=0.05)
    assert 0.45 < len(near) / len(rows) < 0.55
    assert len(np.unique(rows[:, 0])) > 19_000


def test_records_hold_the_rows_in_their_order(tmp_path):
    rows = np.random.default_rng(0).normal(size=(40_001, 3)).astype(np.float32)
    write_records(rows, tmp_path / "records")
    blocks = list(open_records(tmp_path / "records").as_numpy_iterator())
    assert max(len(block) for block in blocks) == 4_096
    assert np.array_equal(np.concatenate(blocks), rows)
    assert open_records(tmp_path / "records").element_spec.shape.as_list() == [None, 3]


def test_fewer_rows_than_files_are_rows_still(tmp_path):
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)
    write_records(rows, tmp_path)
    assert np.array_equal(np.concatenate(list(open_records(tmp_path).as_numpy_iterator())), rows)
