"""What is said of the choice of k, and of who moved."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from pipeline.cli import changes


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    stream = StringIO()
    monkeypatch.setattr(changes, "out", Console(file=stream, width=200, highlight=False, soft_wrap=True))
    return stream


def migration(**other: Any) -> dict[str, Any]:
    return {
        "parent_version": "3",
        "customers": 2_000,
        "segments": [
            {"id": 1, "name": "regulars", "kind": "kept"},
            {"id": 7, "name": "[bold]new", "kind": "new"},
            {"id": 8, "name": "rich", "kind": "split"},
            {"id": 9, "name": "richer", "kind": "split"},
        ],
        "retired": [{"id": 4, "name": "lapsed"}],
        "moved": {"customers": 60, "share": 0.03, "own_change": 20},
        **other,
    }


def test_who_moved_and_which_segments_are_new_or_gone(said: StringIO) -> None:
    changes.show_changes({"migration": migration()}, "households")
    assert said.getvalue().strip().splitlines() == [
        "since version 3: 3% of the households are in another segment "
        "(60 of 2,000, 20 because they changed themselves)",
        "new: 7 ([bold]new)",
        "split: 8 (rich) and 9 (richer)",
        "gone: 4 (lapsed)",
    ]


def test_what_is_not_known_is_not_said(said: StringIO) -> None:
    moved = {"customers": 0, "share": 0.0, "own_change": None}
    changes.show_changes({"migration": migration(moved=moved, segments=[], retired=[])}, "households")
    assert said.getvalue().strip() == (
        "since version 3: 0% of the households are in another segment (0 of 2,000)"
    )


def test_a_first_model_has_nothing_to_tell(said: StringIO) -> None:
    changes.show_changes({"migration": {"parent_version": None}}, "households")
    changes.show_changes({}, "households")
    changes.show_choice({"sweep": None})
    assert said.getvalue() == ""


def test_why_there_are_so_many_segments(said: StringIO) -> None:
    changes.show_choice({"sweep": {"reason": "k = 3 scores best."}})
    assert said.getvalue().strip() == "k = 3 scores best."
