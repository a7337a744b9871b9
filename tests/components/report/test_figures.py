import re

import numpy as np
import pytest

from components.report.figures.palette import COLOURS, difference_colour, segment_colours
from components.report.figures.profiles import MISSING, MOST_VALUES, OTHER, categories, numeric_rows
from components.report.figures.scatter import HIGHEST, LOWEST, MARGIN, WIDTH, draw_scatter
from components.report.sample import Sample
from components.trainer.profiles import profile_segments


def sample_of(features, centroids, split="eval"):
    features = np.asarray(features, np.float32)
    distances = np.linalg.norm(features[:, np.newaxis] - centroids, axis=2).astype(np.float32)
    outliers = np.zeros(len(features), bool)
    return Sample(split, features, distances.argmin(axis=1) + 1, distances, outliers)


def dots(group):
    """Where the dots are, in the order of the rows."""
    layers = [np.array(re.findall(r"M([\d.-]+) ([\d.-]+)h0", d), float).reshape(-1, 2) for d in group.dots]
    pixels = np.empty((sum(map(len, layers)), 2))
    for start, layer in enumerate(layers):
        pixels[start :: len(layers)] = layer
    return pixels


def test_distances_in_the_picture_are_to_scale():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(100, 2)) * [5, 2]
    plot = draw_scatter(sample_of(features, np.zeros((1, 2))), [(1, "all")], ["a", "b"])
    pixels = dots(plot.groups[0])
    drawn = np.linalg.norm(pixels[1:] - pixels[:-1], axis=1)
    real = np.linalg.norm(features[1:] - features[:-1], axis=1)
    np.testing.assert_allclose(drawn / real, (drawn / real).mean(), rtol=0.05)
    assert pixels.min() >= MARGIN - 1
    assert (pixels.max(axis=0) <= [WIDTH - MARGIN + 1, plot.height - MARGIN + 1]).all()
    assert LOWEST <= plot.height <= HIGHEST
    assert plot.explained[0] + plot.explained[1] == pytest.approx(1)
    assert plot.axes == ("more a", "more b")
    assert plot.at_edge == 0


def test_customers_far_out_are_drawn_on_the_edge():
    rng = np.random.default_rng(0)
    features = np.vstack([rng.normal(size=(1000, 2)), [[1000.0, 0], [0, 900.0]]])
    plot = draw_scatter(sample_of(features, np.zeros((1, 2))), [(1, "all")], ["a", "b"])
    assert 2 <= plot.at_edge <= 10
    pixels = dots(plot.groups[0])
    assert len(pixels) == 1002
    # The others still fill the picture.
    assert np.ptp(pixels[:1000], axis=0).max() > HIGHEST / 2


def test_numbers_of_centroids_on_top_of_each_other_are_moved_apart():
    features = np.random.default_rng(0).normal(size=(300, 3))
    centroids = np.array([[0, 0, 0], [0, 0, 0.001], [0, 0.001, 0], [3, 3, 3]])
    plot = draw_scatter(sample_of(features, centroids), [(i, str(i)) for i in range(1, 5)], ["a", "b", "c"])
    labels = np.array([[g.label_x, g.label_y] for g in plot.groups])
    for a in range(4):
        for b in range(a):
            assert np.abs(labels[a] - labels[b]).max() > 20
    assert (plot.groups[3].x, plot.groups[3].y) == (plot.groups[3].label_x, plot.groups[3].label_y)


def test_means_stand_in_for_centroids_that_are_unknown():
    features = np.array([[0.0, 0], [2, 0], [10, 1], [12, 1]], np.float32)
    # Not Euclidean distances to any two points.
    distances = np.array([[1, 9], [3, 8], [9, 3], [8, 0.5]], np.float32)
    sample = Sample("train", features, np.array([1, 1, 2, 2]), distances, np.zeros(4, bool))
    plot = draw_scatter(sample, [(1, "a"), (2, "b")], ["x", "y"])
    assert not plot.exact
    np.testing.assert_allclose(plot.groups[0].centroid, np.mean(plot.groups[0].points, axis=0), atol=1e-3)


def test_a_segment_without_customers_in_the_sample_has_its_centroid():
    features = np.random.default_rng(0).normal(size=(50, 2))
    plot = draw_scatter(sample_of(features, np.array([[0.0, 0], [60, 0]])), [(1, "a"), (2, "b")], ["x", "y"])
    assert plot.exact
    assert not any(plot.groups[1].dots)
    assert plot.groups[1].points == []
    assert np.linalg.norm(plot.groups[1].centroid) == pytest.approx(60, rel=0.02)


@pytest.mark.parametrize("features", [np.ones((1, 3)), np.ones((5, 1)), np.arange(4.0)[:, np.newaxis]])
def test_little_data(features):
    plot = draw_scatter(sample_of(features, features[:1]), [(1, "a")], ["x"] * features.shape[1])
    pixels = dots(plot.groups[0])
    assert len(pixels) == len(features)
    assert np.isfinite(pixels).all()
    assert plot.groups[0].x is not None


def test_colours():
    assert [difference_colour(d) for d in (-9, -1, -0.3, 0, 0.1, 0.7, 2, 3)] == [
        *("lo4", "lo2", "lo1", "", "", "hi2", "hi3", "hi4")
    ]


def test_a_segment_keeps_its_colour():
    assert segment_colours([1, 2, 3]) == {1: "c1", 2: "c2", 3: "c3"}
    # Others retired, and new ones have come.
    assert segment_colours([2, 3, 7]) == {2: "c2", 3: "c3", 7: "c7"}
    # 13 would look like 1; it takes what is free.
    assert segment_colours([1, 2, COLOURS + 1]) == {1: "c1", 2: "c2", 13: "c3"}
    many = segment_colours(range(5, 5 + 2 * COLOURS))
    assert len(set(list(many.values())[:COLOURS])) == COLOURS
    assert set(many.values()) == {f"c{i + 1}" for i in range(COLOURS)}


def test_customers_next_nearest_segments():
    features = np.array([[0.0, 0], [1, 0], [0.4, 0], [9, 0]], np.float32)
    centroids = np.array([[0.0, 0], [4, 0], [10, 0]])
    plot = draw_scatter(sample_of(features, centroids), [(1, "a"), (2, "b"), (3, "c")], ["x", "y"])
    assert plot.groups[0].neighbours == {2: 1.0}
    assert plot.groups[1].neighbours == {}
    assert plot.groups[2].neighbours == {2: 1.0}


def test_mean_stands_where_most_customers_share_a_value():
    spent = np.array([0.0] * 8 + [10, 30])
    labels = np.array([0] * 8 + [1, 1])
    population, profiles = profile_segments({"spent": spent, "age": np.arange(10.0)}, {}, labels, 2)
    row, age = numeric_rows(population, profiles)
    assert (row.label, row.statistic) == ("spent (mean)", "mean")
    assert [row.everyone, *(cell.value for cell in row.cells)] == [4, 0, 20]
    assert [cell.colour[:2] for cell in row.cells] == ["lo", "hi"]
    assert (age.label, age.statistic, age.everyone) == ("age", "median", 4.5)


def test_shares_of_a_column_with_many_values_add_up():
    values = np.array([f"v{i % 30:02d}" for i in range(900)] + [""] * 100, object)
    population, profiles = profile_segments({}, {"city": values}, np.arange(1000) % 2, 2)
    (category,) = categories(population, profiles)
    assert [row.name for row in category.rows][-2:] == [OTHER, MISSING]
    assert len(category.rows) == MOST_VALUES + 2
    assert sum(row.everyone for row in category.rows) == pytest.approx(1)
    missing = category.rows[-1]
    assert missing.everyone == pytest.approx(0.1)
    # A value too rare to be listed in a segment is no 0 %.
    other_half = [row for row in category.rows[:-2] if row.cells[0].value is None]
    assert all(row.cells[0].text == "-" for row in other_half)


def test_an_empty_segment_has_no_numbers():
    population, profiles = profile_segments(
        {"x": np.arange(4.0)}, {"c": np.array(list("aabb"))}, np.zeros(4, int), 2
    )
    assert [cell.text for cell in numeric_rows(population, profiles)[0].cells] == ["1.5", "-"]
    (category,) = categories(population, profiles)
    assert [row.cells[1].text for row in category.rows] == ["-", "-"]


def test_the_column_that_tells_more_segments_apart_is_stronger():
    labels = np.repeat([0, 1, 2], 40)
    plan = np.repeat(["basic", "plus", "gold"], 40)
    flag = np.where((labels == 2) | (np.arange(120) % 2 == 0), "on", "off")
    population, profiles = profile_segments({}, {"flag": flag, "plan": plan}, labels, 3)
    by_flag, by_plan = categories(population, profiles)
    assert by_plan.strength > by_flag.strength > 0
    empty, _ = categories(*profile_segments({}, {"none": np.array([""] * 120), "plan": plan}, labels, 3))
    assert empty.strength == 0
