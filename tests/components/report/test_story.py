import copy

import pytest

from components.evaluator.verdict import SliceMetrics, ThresholdResult, Verdict
from components.report.figures.growth import MOST_VERSIONS, draw_growth
from components.report.figures.palette import segment_colours
from components.report.figures.sweep import FOOT, HEIGHT, TOP, draw_sweep
from components.report.metrics import MEANINGS, metric_views, slice_tables, threshold_views
from components.report.migration import Version, history_of, migration_of
from components.tuner.sweep import sweep_of
from tests.components.report.material import MIGRATION, SWEEP


def test_every_kind_of_change_in_a_sentence():
    migration = migration_of(MIGRATION, "households")
    assert migration.sentences == [
        "Segment 1 is kept.",
        'Segment 3, "three", split off from segment 1 (63% of its households) and segment 4 (37%).',
        'Segment 2, "two", merges segment 4 (55% of its households) and segment 2 (45%).',
        'Segment 4, "four <script>alert(1)</script>", is retired, into segment 2 (61% of its households) '
        "and segment 3 (39%).",
    ]
    flow = migration.flows[0][0]
    assert (flow.count, flow.share, flow.same) == (90, 0.6, True)
    assert not migration.flows[0][2].same


def test_all_kept_and_one_new():
    content = copy.deepcopy(MIGRATION)
    content["segments"] = [{"id": i, "name": "n", "kind": "kept"} for i in (1, 2)]
    content["retired"] = []
    content["matrix"] = {"from": [1, 2], "to": [1, 2], "counts": [[9, 0], [0, 0]]}
    kept = "All 2 segments are kept: each number names the same kind of people as before."
    assert migration_of(content, "people").sentences == [kept]
    content["segments"].append({"id": 5, "name": "fresh", "kind": "new"})
    content["matrix"] = {"from": [1, 2], "to": [1, 2, 5], "counts": [[9, 0, 1], [0, 0, 0]]}
    assert migration_of(content, "people").sentences == [
        "Segments 1 and 2 are kept.",
        'Segment 5, "fresh", is new, from segment 1 (100% of its people).',
    ]


def test_nothing_was_served_before():
    assert migration_of({"parent_version": None}, "customers") is None
    assert history_of({"parent_version": None}) == []


def test_growth_ends_with_the_model_of_the_run():
    history = history_of(MIGRATION)
    current = Version("7", "", [(3, "three", 0.25), (1, "one", 0.75)])
    colours = segment_colours([3, 1, 2, 4])
    growth = draw_growth(history, current, "version 7", colours)
    assert [bar.label for bar in growth.bars] == ["version 5", "version 6", "version 7"]
    assert [bar.current for bar in growth.bars] == [False, False, True]
    assert [(part.id, part.start, part.share) for part in growth.bars[-1].parts] == [
        (1, 0, 0.75),
        (3, 0.75, 0.25),
    ]
    assert growth.bars[0].share(1) == 0.6
    assert growth.bars[0].share(3) is None
    assert [segment_id for segment_id, _ in growth.segments] == [1, 2, 3, 4]
    # A run that went on after its push finds itself in the history.
    assert len(draw_growth([*history, current], current, "version 7", colours).bars) == 3
    assert draw_growth([], current, "version 7", colours) is None


def test_only_the_last_versions_are_drawn():
    history = [Version(str(i), "", [(1, "one", 1.0)]) for i in range(30)]
    growth = draw_growth(history, Version("30", "", [(1, "one", 1.0)]), "version 30", {1: "c1"})
    assert len(growth.bars) == MOST_VERSIONS
    assert growth.left_out == 30 - (MOST_VERSIONS - 1)
    assert growth.bars[0].label == "version 19"


def test_sweep_lines():
    sweep = sweep_of(SWEEP)
    assert ([item.k for item in sweep.candidates], sweep.chosen) == ([2, 3, 4, 5], 3)
    silhouette, inertia = draw_sweep(sweep)
    assert (silhouette.metric, inertia.metric) == ("silhouette", "inertia")
    # k = 5 has no values.
    assert [mark.candidate.k for mark in inertia.marks] == [2, 3, 4]
    # Up is more, and inertia is drawn from 0.
    assert silhouette.marks[1].y == min(mark.y for mark in silhouette.marks)
    heights = [HEIGHT - FOOT - mark.y for mark in inertia.marks]
    assert [h / heights[0] for h in heights] == pytest.approx([1, 0.3, 0.2], abs=0.01)
    assert inertia.marks[0].y == TOP
    assert silhouette.path.count("M") == 1


def test_a_line_breaks_where_a_metric_is_undefined():
    content = copy.deepcopy(SWEEP)
    content["candidates"][2]["silhouette"] = None  # k = 3
    silhouette = draw_sweep(sweep_of(content))[0]
    assert [mark.candidate.k for mark in silhouette.marks] == [2, 4]
    assert silhouette.path.count("M") == 2
    for item in content["candidates"]:
        item["silhouette"] = None
    assert [line.metric for line in draw_sweep(sweep_of(content))] == ["inertia"]


def verdict(**changes):
    values = {
        "blessed": True,
        "customers": 60,
        "metrics": dict.fromkeys(MEANINGS, 0.5),
        "baseline_version": "3",
        "baseline_metrics": {"silhouette": 0.4},
        "no_baseline": "",
        "slices": [],
        "thresholds": [],
    }
    return Verdict(**{**values, **changes})


def test_headlines_first_and_whatever_failed():
    unmet = ThresholdResult("dunn", "min", 0.6, 0.5, False, True, "dunn 0.5 is below 0.6")
    held = ThresholdResult("silhouette", "max_regression", 0.05, 0.5, True, True, "fine")
    judged = verdict(
        thresholds=[held, unmet],
        metrics={"odd_one": 1.0, **dict.fromkeys(MEANINGS, 0.5)},
        rows={"silhouette_sampled": 2000},
    )
    views = metric_views(judged, "households")
    assert [view.name for view in views if view.headline] == [
        "silhouette",
        "stability",
        "smallest_segment_share",
        "dunn",
    ]
    assert (views[-1].name, views[-1].label, views[-1].meaning) == ("odd_one", "odd one", "")
    assert {view.name: view.rows for view in views}["silhouette_sampled"] == 2000
    assert all(view.meaning for view in views[:-1])
    assert not any("customers" in view.meaning or "{" in view.meaning for view in views)
    assert [(view.label, view.state, view.bound, view.served) for view in threshold_views(judged)] == [
        ("Dunn index", "unmet", "at least 0.6", ""),
        ("Silhouette", "held", "at most 0.05 worse than in service", "0.4"),
    ]


def test_a_table_per_sliced_column():
    slices = [
        SliceMetrics("country", "UK", 30, {"silhouette": 0.5, "stability": float("nan")}),
        SliceMetrics("plan", "gold", 20, {"dunn": 0.1}),
        SliceMetrics("country", "FR", 10, {"silhouette": 0.2}),
    ]
    country, plan = slice_tables(slices, metric_views(verdict(), "customers"))
    assert (country.column, [item.value for item in country.slices]) == ("country", ["UK", "FR"])
    assert [metric.name for metric in country.metrics] == ["silhouette", "stability"]
    assert [metric.name for metric in plan.metrics] == ["dunn"]
