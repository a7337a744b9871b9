"""Two runs side by side: which component answers to which, and the ratio's direction."""

import pytest

from benchmarks.comparison import Row, compare


def test_components_meet_by_role_and_the_ratio_is_ours_by_stock():
    rows = compare(
        {"CsvExampleGen": 40.0, "SchemaGen": 0.5, "Trainer": 10.0, "latest_blessed_model_resolver": 0.1},
        {"CustomerExampleGen": 10.0, "ImportSchemaGen": 0.1, "Gate": 0.2, "Trainer": 20.0},
    )
    assert rows[:-1] == [
        Row("ExampleGen", 40.0, 10.0),
        Row("SchemaGen", 0.5, 0.1),
        Row("Gate", None, 0.2),
        Row("Trainer", 10.0, 20.0),
        Row("latest_blessed_model_resolver", 0.1, None),
    ]
    assert rows[0].ratio == 0.25  # faster
    assert rows[3].ratio == 2.0  # slower
    assert rows[2].ratio is None and rows[4].ratio is None


def test_the_total_counts_every_component_of_each_side():
    total = compare({"CsvExampleGen": 3.0, "Resolver": 1.0}, {"ExampleGen": 1.0, "Gate": 1.0})[-1]
    assert total == Row("total", 4.0, 2.0)
    assert total.ratio == 0.5


def test_several_components_of_one_role_add_up():
    assert compare({}, {"SchemaGen": 1.0, "ImportSchemaGen": 2.0})[0] == Row("SchemaGen", None, 3.0)


@pytest.mark.parametrize(("stock", "ours"), [({"Trainer": 1.0}, {}), ({}, {"Trainer": 1.0})])
def test_a_side_that_has_not_run_has_no_total_and_no_ratio(stock, ours):
    total = compare(stock, ours)[-1]
    assert (total.stock, total.ours) == (stock.get("Trainer"), ours.get("Trainer"))
    assert total.ratio is None
