"""A Trainer that goes on from a served model: ids, names, columns that come and go."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.identity.known import Known, Used
from components.trainer import parent as parent_module
from tests.components.trainer.training import Trained, customers, retrained, serve


def test_a_retrain_keeps_ids_and_names(trained: Trained, tmp_path: Path) -> None:
    """Other customers, another seed, another normalization: the same kinds."""
    base = serve(trained, tmp_path)
    rows = customers(300, seed=5)
    again = retrained(
        tmp_path / "again", rows[::-1], base, features={"numeric": {"normalize": "minmax"}}, seed=9
    )
    np.testing.assert_array_equal(again.ask(rows)["segment_id"], trained.ask(rows)["segment_id"])
    names = {s["id"]: s["name"] for s in trained.segments["segments"]}
    assert {s["id"]: s["name"] for s in again.segments["segments"]} == names
    identity = again.segments["identity"]
    assert (identity["parent"], identity["next_id"], identity["retired"]) == ("1", 4, [])
    assert identity["customers"] == 300
    assert [each["kind"] for each in identity["segments"]] == ["kept"] * 3
    assert again.segments["fit"]["start"] == "parent"
    assert (again.segments["fit"]["iterations"], trained.segments["fit"]["start"]) == (0, "fresh")
    assert [each["id"] for each in identity["segments"]] == [s["id"] for s in again.segments["segments"]]


def test_a_segment_more_gets_an_id_that_nobody_had(trained: Trained, tmp_path: Path) -> None:
    known = Known(8, {7: Used("gone", "1"), **{i: Used("x", "1") for i in (1, 2, 3)}})
    base = serve(trained, tmp_path, known=known)
    rows = [*customers(), *({"f_spend": 900.0 + n, "i_visits": 1, "s_plan": "basic"} for n in range(60))]
    again = retrained(tmp_path / "again", rows, base, k=4)
    ids = again.ask(rows)["segment_id"]
    np.testing.assert_array_equal(ids[:240], trained.ask(customers())["segment_id"])
    assert set(ids[240:]) == {8}
    born = next(each for each in again.segments["identity"]["segments"] if each["id"] == 8)
    assert (born["kind"], born["from"]) == ("new", [])
    assert again.segments["identity"]["retired"] == [{"id": 7, "name": "gone", "last_version": "1"}]


def test_columns_come_and_go(trained: Trained, tmp_path: Path) -> None:
    """The parent is asked about the columns that it knows; one that is gone is missing to it, for all customers."""
    base = serve(trained, tmp_path)
    random = np.random.default_rng(0)
    more = [{**row, "f_age": float(random.normal(40, 5))} for row in customers()]
    wider = retrained(tmp_path / "wider", more, base)
    expected = trained.ask(customers())["segment_id"]
    assert (wider.ask(more)["segment_id"] == expected).mean() > 0.99
    fewer = [{name: value for name, value in row.items() if name != "i_visits"} for row in customers()]
    narrower = retrained(tmp_path / "narrower", fewer, base)
    assert (narrower.ask(fewer)["segment_id"] == expected).mean() > 0.99


def test_a_parent_that_cannot_be_asked_is_followed_by_new_ids(trained: Trained, tmp_path: Path) -> None:
    base = serve(trained, tmp_path)
    Path(base.uri, "Format-Serving", "saved_model.pb").write_bytes(b"no model")
    again = retrained(tmp_path / "again", customers(), base)
    assert {s["id"] for s in again.segments["segments"]} == {4, 5, 6}
    identity = again.segments["identity"]
    assert (identity["parent"], identity["customers"]) == ("1", 0)
    assert [each["id"] for each in identity["retired"]] == [1, 2, 3]
    assert len({s["name"] for s in [*again.segments["segments"], *identity["retired"]]}) == 6


def test_where_nothing_is_served_a_fit_is_what_it_always_was(trained: Trained, tmp_path: Path) -> None:
    first = retrained(tmp_path / "first", customers(), serve(trained, tmp_path, "", Known(5)))
    assert first.segments["fit"] == trained.segments["fit"]
    assert [s["id"] for s in first.segments["segments"]] == [5, 6, 7], (
        "ids of versions that are gone stay used"
    )


def test_without_a_warm_start_ids_are_kept_all_the_same(trained: Trained, tmp_path: Path) -> None:
    again = retrained(tmp_path / "again", customers(), serve(trained, tmp_path), warm_start=False, seed=3)
    assert again.segments["fit"]["start"] == "fresh" and again.segments["fit"]["iterations"] > 0
    np.testing.assert_array_equal(
        again.ask(customers())["segment_id"], trained.ask(customers())["segment_id"]
    )


def test_of_many_customers_a_sample_decides(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent_module, "SAMPLE", 100)
    again = retrained(tmp_path / "again", customers(), serve(trained, tmp_path), counted=True)
    assert 60 < again.segments["identity"]["customers"] < 140
    np.testing.assert_array_equal(
        again.ask(customers())["segment_id"], trained.ask(customers())["segment_id"]
    )
    assert sum(s["size"] for s in again.segments["segments"]) == 240
