"""The end of a run as a person reads it."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pipeline.cli import cleaning, summary


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    stream = io.StringIO()
    monkeypatch.setattr(summary, "out", Console(file=stream, width=80, highlight=False, soft_wrap=True))
    return stream


def threshold(metric: str, kind: str, bound: float, value: float | None, **more: object) -> dict[str, object]:
    return {
        "metric": metric, "kind": kind, "bound": bound, "value": value, "held": True, "compared": True,
        "sentence": f"{metric} is as it is", "rows": 2000, **more,
    }  # fmt: skip


def result(**more: object) -> dict[str, object]:
    return {
        "status": "not_blessed",
        "reasons": ["smallest_segment_share 0.0038 is below 0.01"],
        "segments": [{"id": 1, "name": "everybody", "size": 3920, "share": 1.0}],
        "baseline_metrics": {"silhouette": 0.3034},
        "metric_rows": {"silhouette": 2000, "stability": 500, "dunn": 500, "smallest_segment_share": 2000},
        "thresholds": [
            threshold("silhouette", "min", 0.0, 0.5921),
            threshold("silhouette", "max_regression", 0.05, 0.5921),
            threshold("stability", "min", 0.3, None, held=False),
            threshold("dunn", "max", 1e5, -0.00012345),
            threshold(
                "smallest_segment_share", "max_regression", 0.0001234, 0.00382653, compared=False,
                sentence="smallest_segment_share is not compared: the served model has another number",
            ),
            threshold("smallest_segment_share", "min", 0.01, 0.00382653, held=False),
        ],
        **more,
    }  # fmt: skip


def test_one_table_says_which_threshold_held_and_which_did_not(shown: io.StringIO) -> None:
    summary.show_result(result(), "customers")
    lines = [line.split() for line in shown.getvalue().splitlines()]
    assert ["metric", "value", "must", "be", "served"] in lines
    assert ["✓", "silhouette", "0.5921", "≥", "0", "0.3034", "held"] in lines
    assert ["✓", "silhouette", "0.5921", "≤", "0.05", "worse", "0.3034", "held"] in lines
    assert ["✗", "stability", "not", "finite", "≥", "0.3", "-", "not", "held"] in lines
    assert ["✗", "smallest_segment_share", "0.003827", "≥", "0.01", "-", "not", "held"] in lines
    assert "stability, dunn: from 500 of 2,000 customers" in shown.getvalue()
    assert "not compared: the served model has another number" in shown.getvalue()
    assert "  smallest_segment_share 0.0038 is below 0.01" in shown.getvalue().splitlines()


def test_the_table_fits_eighty_columns(shown: io.StringIO) -> None:
    summary.show_result(result(), "customers")
    widths = {len(line.rstrip()) for line in shown.getvalue().splitlines() if line[:1] in "✓✗-"}
    assert max(widths) <= 80


def test_without_thresholds_there_is_no_table(shown: io.StringIO) -> None:
    summary.show_result(result(thresholds=[]), "customers")
    assert "must be" not in shown.getvalue()


def test_what_cleaning_did(shown: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cleaning, "out", summary.out)
    data = {
        "rows_dropped": {"duplicate_rows": 1200, "age not within 0 to 120": 0},
        "values_changed": {"age": {"clipped": 3, "marked_missing": 4000}, "joined": {"unreadable": 2}},
    }
    summary.show_result(result(data=data), "customers")
    notes = [line for line in shown.getvalue().splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: 1,200 rows dropped by 'duplicate_rows'",
        "note: column 'age': 3 values were moved to the nearest bound, 4,000 values stood for missing",
        "note: column 'joined': 2 values could not be read as a time and are missing",
    ]
