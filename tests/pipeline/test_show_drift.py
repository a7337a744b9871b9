"""What `segments run` prints about drift."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.cli.drift import show_drift


def shown(capsys: pytest.CaptureFixture[str], **drift: Any) -> list[str]:
    content = {"reference_version": "3", "reason": "", "notes": [], "sentences": [], "skew": [], **drift}
    show_drift({"drift": content})
    return capsys.readouterr().out.split("\n")[:-1]


def test_each_change_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, sentences=["income: moved", 'city: "[b]" is new'])
    assert lines == ["", "drift since version 3", "! income: moved", '! city: "[b]" is new']


def test_requests_have_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, skew=["requests: age: missing"])
    assert lines == ["", "not what version 3 was made for", "! requests: age: missing"]
    both = shown(capsys, sentences=["income: moved"], skew=["requests: age: missing"])
    assert both == ["", "drift since version 3", "! income: moved", "! requests: age: missing"]


def test_what_was_not_compared_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, notes=["its features are not compared"]) == [
        "note: drift: its features are not compared"
    ]
    assert shown(capsys, reason="segments.json is not JSON") == ["note: drift: segments.json is not JSON"]


def test_nothing_is_said_where_there_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys) == []
    assert shown(capsys, reference_version=None, reason="no model is served yet") == []
    show_drift({"status": "up_to_date"})
    assert capsys.readouterr().out == ""
