"""Evaluator's executor: real models and records in, verdict and blessing out."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

from configs.evaluation import DEFAULT_THRESHOLDS, HIGHER_IS_BETTER, NEEDS_SAME_K, SAMPLED
from tests.components.metrics import references

pytestmark = pytest.mark.slow

CENTERS = np.float32([[0, 0], [10, 0], [0, 10]])
MERGED = np.float32([[0, 5], [10, 0]])  # two of the three blobs in one segment
SPLIT = np.float32([[0, -0.8], [0, 0.8], [10, 0], [0, 10]])  # one blob in two
TILTED = np.float32([[0, -0.2], [10, 0], [0, 1]])  # the small blob and half of the large one in one segment
REFITTED = ("stability", "inertia_ratio")  # these have no closed form to compare with
RADIUS = 2.0
COLLAPSED = np.float32([[0, 0], [500, 500]])  # everybody in one segment
NO_THRESHOLDS = dict.fromkeys(DEFAULT_THRESHOLDS)


def _blobs() -> tuple[np.ndarray, np.ndarray]:
    ids = np.repeat([0, 1, 2], [120, 60, 20])
    rng = np.random.default_rng(3)
    order = rng.permutation(len(ids))
    return (CENTERS[ids] + rng.normal(size=(200, 2)).astype(np.float32))[order], ids[order]


ROWS, IDS = _blobs()


@pytest.fixture(scope="module")
def points(bench):
    return bench.points(ROWS)


@pytest.fixture(scope="module")
def model(bench):
    """Models by their centroids, each saved once."""
    saved: dict[bytes, object] = {}

    def by_centroids(centroids):
        key = centroids.tobytes()
        if key not in saved:
            saved[key] = bench.model(centroids, radius=RADIUS)
        return saved[key]

    return by_centroids


def _only(metric: str, **threshold: float) -> dict:
    return {"thresholds": {**NO_THRESHOLDS, metric: threshold}}


def _nearest(centroids: np.ndarray) -> np.ndarray:
    return np.argmin(((ROWS[:, None] - centroids) ** 2).sum(-1), axis=1)


def _expected(centroids: np.ndarray) -> dict[str, float]:
    rows, nearest = ROWS.astype(np.float64), _nearest(centroids)
    counts = np.bincount(nearest, minlength=len(centroids))
    inertia = ((rows - centroids[nearest]) ** 2).sum(-1).sum()
    return {
        "silhouette": sklearn_metrics.silhouette_score(rows, nearest, metric="sqeuclidean"),
        "silhouette_sampled": sklearn_metrics.silhouette_score(rows, nearest),
        "davies_bouldin": sklearn_metrics.davies_bouldin_score(rows, nearest),
        "calinski_harabasz": sklearn_metrics.calinski_harabasz_score(rows, nearest),
        "dunn": references.dunn(rows, nearest),
        "dunn_generalized": references.dunn_generalized(rows, nearest),
        "inertia": inertia,
        "inertia_per_customer": inertia / len(rows),
        "smallest_segment_share": counts.min() / counts.sum(),
        "largest_segment_share": counts.max() / counts.sum(),
        "effective_segments": references.effective_segments(counts),
        "outlier_share": (np.linalg.norm(rows - centroids[nearest], axis=1) > RADIUS).mean(),
    }


def _without(values: dict[str, float], *names: str) -> dict[str, float]:
    return {name: value for name, value in values.items() if name not in names}


def test_the_metrics_of_both_models_are_scikit_learns(bench, points, model):
    verdict = bench.evaluate(points, model(CENTERS), bench.serve(model(SPLIT)))
    assert _without(verdict.metrics, *REFITTED) == pytest.approx(_expected(CENTERS), rel=1e-5)
    assert _without(verdict.baseline_metrics, *REFITTED) == pytest.approx(_expected(SPLIT), rel=1e-5)
    assert list(verdict.metrics) == list(HIGHER_IS_BETTER)
    assert verdict.metrics["stability"] > 0.99
    assert 0.3 < verdict.baseline_metrics["stability"] < 0.95, "half of the blobs are not cut there again"
    assert verdict.rows == dict.fromkeys(HIGHER_IS_BETTER, 200)
    assert (verdict.customers, verdict.baseline_version, verdict.no_baseline) == (200, "7", "")
    assert verdict.blessed
    assert bench.blessed == 1


def test_the_first_model_is_held_to_its_own_values_only(bench, points, model):
    verdict = bench.evaluate(points, model(CENTERS), None, **_only("silhouette", min=0.5, max_regression=0.0))
    assert bench.blessed == 1
    assert [(t.kind, t.held, t.compared) for t in verdict.thresholds] == [
        ("min", True, True),
        ("max_regression", True, False),
    ]
    assert verdict.thresholds[1].sentence == "silhouette is not compared: no model is served yet"
    assert _without(verdict.metrics, *REFITTED) == pytest.approx(_expected(CENTERS), rel=1e-5)
    assert verdict.baseline_metrics == {}

    verdict = bench.evaluate(
        points, model(CENTERS), None, **_only("silhouette", min=0.999, max_regression=0.0)
    )
    assert bench.blessed == 0
    assert verdict.thresholds[0].sentence == (
        f"silhouette {_expected(CENTERS)['silhouette']:.4g} is below 0.999"
    )


def test_every_metric_is_compared_in_its_own_direction(bench, points, model):
    strict = {name: {"max_regression": 0.0} for name in HIGHER_IS_BETTER}
    for candidate, served in ((CENTERS, TILTED), (TILTED, CENTERS)):
        verdict = bench.evaluate(points, model(candidate), bench.serve(model(served)), thresholds=strict)
        assert (bench.blessed, verdict.blessed) == (0, False)
        assert all(t.compared for t in verdict.thresholds if t.kind == "max_regression")
        for t in verdict.thresholds:
            if t.kind != "max_regression":
                continue
            ours, theirs = verdict.metrics[t.metric], verdict.baseline_metrics[t.metric]
            assert ours != theirs, t.metric
            assert t.held == ((ours > theirs) == HIGHER_IS_BETTER[t.metric]), t.metric
            said = "is no worse than" if t.held else f"is {abs(ours - theirs):.4g} worse than"
            assert f"{said} the served model's {theirs:.4g}" in t.sentence
    # With another number of segments, what moves with it is left out.
    limits = {**NO_THRESHOLDS, **{name: {"max_regression": 0.0} for name in NEEDS_SAME_K}}
    verdict = bench.evaluate(points, model(MERGED), bench.serve(model(SPLIT)), thresholds=limits)
    assert bench.blessed == 1
    assert {t.metric for t in verdict.thresholds} == NEEDS_SAME_K
    for t in verdict.thresholds:
        assert not t.compared
        assert t.sentence == (
            f"{t.metric} is not compared: the served model has another number of segments (4, not 2)"
        )


def test_a_better_model_wins(bench, points, model):
    better_in = ("silhouette", "silhouette_sampled", "davies_bouldin", "stability")
    limits = {**NO_THRESHOLDS, **{name: {"max_regression": 0.0} for name in better_in}}
    verdict = bench.evaluate(points, model(CENTERS), bench.serve(model(MERGED)), thresholds=limits)
    assert (bench.blessed, verdict.blessed) == (1, True)
    assert [t.held for t in verdict.thresholds] == [True] * 4
    assert all("is no worse than the served model's" in t.sentence for t in verdict.thresholds)


def test_an_equal_model_with_its_segments_renumbered_passes(bench, points, model):
    strict = {name: {"max_regression": 0.0} for name in HIGHER_IS_BETTER}
    verdict = bench.evaluate(points, model(CENTERS[::-1]), bench.serve(model(CENTERS)), thresholds=strict)
    assert bench.blessed == 1
    assert [(t.held, t.compared) for t in verdict.thresholds] == [(True, True)] * len(HIGHER_IS_BETTER)


def test_inertia_is_not_compared_across_spaces(bench, points, model):
    served = bench.serve(bench.model(CENTERS, space="plain"))
    worse = bench.model(CENTERS + 3, space="shifted")
    limits = {**NO_THRESHOLDS, "inertia_per_customer": {"max_regression": 0.0, "max": 1e6}}
    verdict = bench.evaluate(points, worse, served, thresholds=limits)
    assert bench.blessed == 1
    bound, regression = verdict.thresholds
    assert (bound.held, bound.compared) == (True, True)
    assert (regression.held, regression.compared) == (True, False)
    assert regression.sentence == (
        "inertia_per_customer is not compared: features or scaling differ from the served model's"
    )
    assert verdict.baseline_version == "7"

    # What means the same everywhere is compared all the same.
    limits = {**NO_THRESHOLDS, "silhouette": {"max_regression": 0.0}}
    verdict = bench.evaluate(points, bench.model(MERGED, space="shifted"), served, thresholds=limits)
    assert (bench.blessed, verdict.thresholds[0].compared) == (0, True)


def test_a_served_model_from_before_there_were_outliers_is_compared_all_the_same(bench, points, model):
    served = bench.serve(bench.model(MERGED, radius=None))
    limits = {"silhouette": {"max_regression": 0.0}, "outlier_share": {"max_regression": 0.0, "max": 0.5}}
    verdict = bench.evaluate(points, model(CENTERS), served, thresholds={**NO_THRESHOLDS, **limits})
    assert (bench.blessed, verdict.baseline_version) == (1, "7")
    assert math.isnan(verdict.baseline_metrics["outlier_share"])
    # The other way round, what cannot be computed holds no bound.
    bench.evaluate(points, bench.model(CENTERS, radius=None), **_only("outlier_share", max=1.0))
    assert bench.blessed == 0


def test_what_a_sample_tells_says_so(bench, points, model):
    verdict = bench.evaluate(
        points,
        model(CENTERS),
        thresholds={**NO_THRESHOLDS, "dunn": {"max": 0.0}, "silhouette": {"min": 0.0}},
        pairs_customers=50,
        stability_customers=80,
        stability_resamples=2,
    )
    assert verdict.rows == {
        **dict.fromkeys(HIGHER_IS_BETTER, 200),
        **dict.fromkeys(("silhouette_sampled", "dunn"), 50),
        **dict.fromkeys(REFITTED, 80),
    }
    assert {t.metric: t.rows for t in verdict.thresholds} == {"silhouette": 200, "dunn": 50}
    assert verdict.thresholds[1].sentence.endswith("is above 0, from 50 of 200 customers")


@pytest.mark.parametrize("served", [False, True])
def test_a_single_segment_is_refused_with_what_to_do(bench, points, model, served):
    one = ROWS.mean(axis=0, keepdims=True)
    verdict = bench.evaluate(points, model(one), bench.serve(model(CENTERS)) if served else None)
    assert bench.blessed == 0
    assert {t.metric for t in verdict.thresholds if not t.held} == {"silhouette"}
    assert verdict.thresholds[0].sentence == (
        "silhouette is undefined for a single segment: set model.k to 2 or more, or drop this threshold "
        "(evaluation.thresholds.silhouette: null); it must be at least 0"
    )
    bench.evaluate(points, model(one), thresholds={"silhouette": None})
    assert bench.blessed == 1, "who asks for it gets it"


def test_models_that_do_not_say_their_space_are_not_taken_to_share_it(bench, points):
    served, worse = bench.serve(bench.model(CENTERS, space=None)), bench.model(CENTERS + 3, space=None)
    bench.evaluate(points, worse, served, **_only("inertia_per_customer", max_regression=0.0))
    assert bench.blessed == 1


def test_an_empty_segment_is_refused_by_default(bench, points, model):
    verdict = bench.evaluate(points, model(np.vstack([CENTERS, [[500, 500]]])))
    assert verdict.metrics["smallest_segment_share"] == 0
    assert bench.blessed == 0
    assert "smallest_segment_share 0 is below 0.01" in [t.sentence for t in verdict.thresholds if not t.held]


def test_undefined_is_refused_and_said(bench, points, model):
    verdict = bench.evaluate(
        points, model(COLLAPSED), bench.serve(model(CENTERS)), **_only("silhouette", min=-9)
    )
    assert math.isnan(verdict.metrics["silhouette"])
    assert bench.blessed == 0
    assert [t.sentence for t in verdict.thresholds] == [
        "silhouette is undefined: all customers are in one of the 2 segments; it must be at least -9"
    ]


def test_a_served_model_that_has_collapsed_does_not_block_its_successor(bench, points, model):
    separation = ("silhouette", "davies_bouldin", "calinski_harabasz")
    limits = {**NO_THRESHOLDS, **{name: {"max_regression": 0.0} for name in separation}}
    verdict = bench.evaluate(points, model(CENTERS), bench.serve(model(COLLAPSED)), thresholds=limits)
    assert bench.blessed == 1
    assert all(math.isnan(verdict.baseline_metrics[name]) for name in separation)
    # And the other way round a collapsed model does not pass as equal to another.
    bench.evaluate(points, model(COLLAPSED), bench.serve(model(COLLAPSED)), thresholds=limits)
    assert bench.blessed == 0


def test_without_thresholds_a_model_is_blessed_not_forgotten(bench, points, model):
    bench.evaluate(points, model(CENTERS), thresholds=NO_THRESHOLDS)
    assert bench.blessed == 1
    assert bench.blessing.has_custom_property("blessed")


def test_nobody_to_evaluate_on_is_refused_with_a_reason(bench, points, model):
    verdict = bench.evaluate(bench.points(np.zeros((0, 2))), model(CENTERS), thresholds=NO_THRESHOLDS)
    assert (bench.blessed, verdict.blessed, verdict.customers) == (0, False, 0)
    assert [t.sentence for t in verdict.thresholds] == ["customers 0 is below 1"]


def test_slices_are_measured_but_bind_nothing(bench, points, model):
    region = [["north", "south"][i] for i in (IDS == 1).astype(int)]
    region[:5] = [None] * 5
    points = bench.points(ROWS, region=region, tier=[int(i % 2) for i in range(200)])
    served = bench.serve(model(SPLIT))
    verdict = bench.evaluate(points, model(CENTERS), served, slices=["region", "tier"])
    nearest = _nearest(CENTERS)
    by_slice = {(s.column, s.value): s for s in verdict.slices}
    assert set(by_slice) == {("region", "north"), ("region", "south"), ("tier", "0"), ("tier", "1")}
    for (column, value), rows in {
        ("region", "north"): np.array([r == "north" for r in region]),
        ("tier", "1"): np.arange(200) % 2 == 1,
    }.items():
        measured = by_slice[column, value]
        assert measured.customers == rows.sum()
        assert measured.metrics["davies_bouldin"] == pytest.approx(
            sklearn_metrics.davies_bouldin_score(ROWS[rows], nearest[rows]), rel=1e-5
        )
    assert all(not set(SAMPLED) & set(s.metrics) for s in verdict.slices), "those are for the whole"
    assert set(by_slice["region", "north"].metrics) == set(HIGHER_IS_BETTER) - set(SAMPLED)
    # All of the south is one segment: undefined and lopsided there, which is no reason to refuse.
    assert math.isnan(by_slice["region", "south"].metrics["silhouette"])
    assert bench.blessed == 1


def test_a_column_named_like_the_models_input_is_not_fed_to_it(bench, points, model):
    verdict = bench.evaluate(bench.points(ROWS, examples=["trap"] * 200), model(CENTERS))
    assert _without(verdict.metrics, *REFITTED) == pytest.approx(_expected(CENTERS), rel=1e-5)


@pytest.mark.parametrize("trouble", ["needs a lost column", "has lost its files", "is not ours"])
def test_a_served_model_that_cannot_be_evaluated_is_left_out(bench, points, model, trouble):
    import tensorflow as tf

    served = bench.model(np.float32([[0, 0, 0], [1, 1, 1]]), columns=("x", "y", "gone"))
    folder = Path(served.uri) / "Format-Serving"
    if trouble == "has lost its files":
        (folder / "saved_model.pb").write_bytes(b"not a model")
    if trouble == "is not ours":
        shutil.rmtree(folder)
        tf.saved_model.save(tf.Module(), str(folder))
    limits = _only("silhouette", min=0.0, max_regression=0.0)
    verdict = bench.evaluate(points, model(CENTERS), bench.serve(served), **limits)
    assert bench.blessed == 1
    assert verdict.baseline_version is None
    said = {
        "needs a lost column": "Feature: gone (data type: float) is required but could not be found",
        "has lost its files": "it does not load",
        "is not ours": "it has no signature 'evaluate'",
    }
    assert verdict.no_baseline.startswith(
        f"served version 7 cannot be evaluated on this data: {said[trouble]}"[:70]
    )
    assert said[trouble] in verdict.no_baseline


def test_the_verdict_is_strict_json(bench, points, model):
    bench.evaluate(points, bench.model(np.float32([[0, 0], [500, 500]])))
    text = (Path(bench.evaluation.uri) / "verdict.json").read_text()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads(text, parse_constant=refuse)["metrics"]["silhouette"] == "nan"
