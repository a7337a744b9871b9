"""What `segments run` prints about the choice of features."""

from __future__ import annotations

import pytest

from pipeline.cli.selection import show_selection


def test_a_line_a_list_and_the_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    dropped = [f"c{n}" for n in range(10)]
    show_selection(
        {
            "selection": {
                "sentences": ["2 of 12 are kept.", "more"],
                "dropped": dropped,
                "warnings": ["[b] leaks"],
            }
        }
    )
    assert capsys.readouterr().out.split("\n")[:-1] == [
        "",
        "2 of 12 are kept.",
        "dropped: c0, c1, c2, c3, c4, c5, c6, c7 and 2 more (the report says why)",
        "! [b] leaks",
    ]


def test_nothing_is_said_where_nothing_was_selected(capsys: pytest.CaptureFixture[str]) -> None:
    show_selection({"selection": None})
    show_selection({"status": "up_to_date"})
    assert capsys.readouterr().out == ""
    show_selection({"selection": {"sentences": ["All are kept."], "dropped": [], "warnings": []}})
    assert capsys.readouterr().out == "\nAll are kept.\n"
