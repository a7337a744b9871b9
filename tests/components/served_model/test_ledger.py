"""Which ids were ever served, whatever became of the versions."""

from __future__ import annotations

import json
import shutil

import pytest

from components.errors import ServingError
from components.identity.known import Known, Used
from components.served_model.known import known_from_json, known_to_json, read_known, write_known
from components.served_model.ledger import LEDGER_FILE, Entry, known_segments, read_ledger, write_ledger


def version(folder, number, segments, run=None, **identity):
    place = folder / number / "assets.extra"
    place.mkdir(parents=True)
    (folder / number / "saved_model.pb").write_bytes(b"")
    content = {"segments": [{"id": i, "name": n, "share": 0.5} for i, n in segments.items()]}
    if identity:
        content["identity"] = identity
    (place / "segments.json").write_text(json.dumps(content))
    if run:
        (place / "push.json").write_text(json.dumps({"run_key": run}))


def test_nothing_was_served_yet(tmp_path):
    assert read_ledger(str(tmp_path / "not there")) == []
    assert known_segments(str(tmp_path)) == Known()


def test_models_made_before_ids_were_for_life(tmp_path):
    version(tmp_path, "1", {1: "a", 2: "b"})
    assert known_segments(str(tmp_path)) == Known(3, {1: Used("a", "1"), 2: Used("b", "1")})


def test_ids_stay_known_when_their_versions_are_gone(tmp_path):
    version(tmp_path, "1", {1: "a", 2: "b"}, "r1")
    version(
        tmp_path,
        "2",
        {1: "a", 7: "c"},
        "r2",
        next_id=8,
        retired=[{"id": 2, "name": "b", "last_version": "1"}],
    )
    write_ledger(str(tmp_path))
    before = known_segments(str(tmp_path))
    assert before == Known(8, {1: Used("a", "2"), 2: Used("b", "1"), 7: Used("c", "2")})
    shutil.rmtree(tmp_path / "1")
    shutil.rmtree(tmp_path / "2")
    assert known_segments(str(tmp_path)) == before
    version(tmp_path, "3", {1: "a"}, "r3", next_id=8)
    write_ledger(str(tmp_path))
    assert [(entry.version, entry.run_id) for entry in read_ledger(str(tmp_path))] == [
        ("1", "r1"), ("2", "r2"), ("3", "r3")
    ]  # fmt: skip
    assert read_ledger(str(tmp_path))[1] == Entry(
        "2", "r2", 8, [{"id": 1, "name": "a", "share": 0.5}, {"id": 7, "name": "c", "share": 0.5}],
        [{"id": 2, "name": "b", "last_version": "1"}],
    )  # fmt: skip
    assert known_segments(str(tmp_path)).used[1].last_version == "3"


def test_a_run_that_is_resumed_does_not_see_its_own_push(tmp_path):
    version(tmp_path, "1", {1: "a"}, "r1")
    version(tmp_path, "2", {1: "a", 2: "b"}, "r2")
    assert known_segments(str(tmp_path), but_of_runs=["r2"]) == Known(2, {1: Used("a", "1")})
    assert known_segments(str(tmp_path), but_of_runs=["r3"]).next_id == 3


def test_a_ledger_that_cannot_be_read_is_not_begun_anew(tmp_path):
    version(tmp_path, "1", {1: "a"})
    for text in ("{", "{}", '{"versions": [{"run": 1}]}'):
        (tmp_path / LEDGER_FILE).write_text(text)
        with pytest.raises(ServingError, match=r"which segment ids were ever used: restore it"):
            read_ledger(str(tmp_path))


def test_a_model_of_others_is_left_out(tmp_path):
    version(tmp_path, "1", {1: "a"})
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "saved_model.pb").write_bytes(b"")
    assert [entry.version for entry in read_ledger(str(tmp_path))] == ["1"]


def test_in_an_object_store(store, tmp_path):
    version(tmp_path / "serving", "1", {1: "a"}, "r1")
    write_ledger("store://serving")
    shutil.rmtree(tmp_path / "serving" / "1")
    assert known_segments("store://serving") == Known(2, {1: Used("a", "1")})


def test_what_is_known_travels_with_the_model(tmp_path):
    known = Known(9, {8: Used("ältere", "2"), 1: Used("x")})
    assert known_from_json(known_to_json(known)) == known
    assert known_from_json("") == Known()
    assert known_to_json(Known(9, dict(reversed(known.used.items())))) == known_to_json(known)
    write_known(str(tmp_path), "3", known)
    assert read_known(str(tmp_path)) == ("3", known)
    write_known(str(tmp_path), "", known)
    assert read_known(str(tmp_path)) == (None, known)
    assert read_known(str(tmp_path / "elsewhere")) == (None, Known())
