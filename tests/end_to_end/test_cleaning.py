"""A messy table by the real command: the same segments as the clean one's, what was cleaned told everywhere."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow

RULES: dict[str, Any] = {
    "duplicate_rows": "drop",
    "duplicate_ids": {"keep": "last", "by": "updated"},
    "missing": {"plan": ["unknown", " "], "age": [-1]},
    "numbers": {"income": {"thousands": ",", "strip": "$"}},
    "dates": {
        "joined": {
            "formats": ["%d.%m.%Y", "%Y-%m-%d"], "as": "days_since", "as_of": "2026-01-01", "max_bad": 0.02,
        },
        "updated": {},
    },
    "bounds": {
        "age": {"min": 0, "max": 120, "otherwise": "clip"},
        "plan": {"allowed": ["basic", "plus", "pro"], "otherwise": "missing"},
    },
}  # fmt: skip
CHANGED = {
    "age": {"clipped": 2, "marked_missing": 3},
    "joined": {"unreadable": 4},
    "plan": {"marked_missing": 2, "out_of_bounds": 1},
}


def messy_table(rows: int) -> dict[str, Sequence[Any]]:
    """Customers as they come, one of them three times: a copy and an older state."""
    table = {name: list(values) for name, values in customer_table(rows).items()}
    first = datetime.date(2020, 1, 1)
    days = [first + datetime.timedelta(days=n) for n in range(rows)]
    table["joined"] = [day.strftime("%d.%m.%Y" if n % 3 else "%Y-%m-%d") for n, day in enumerate(days)]
    table["joined"][10:14] = ["soon", "2020-02-30", "31.4.2020", "01/02/2020"]
    table["income"] = [f"${value:,.2f}" for value in table["income"]]
    table["age"][:5] = [-1, -1, -1, 999, -7]
    table["plan"][:3] = ["unknown", " ", "gold"]
    table["updated"] = ["2026-01-01"] * rows
    for values in table.values():
        values += [values[-1], values[-1]]
    table["updated"][-1], table["plan"][-1] = "2025-12-31", "basic"
    return table


def test_a_messy_table(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    write_csv(segments.data, messy_table(600))
    # YAML in JSON: a date has to be one.
    segments.config["data"].update(RULES)
    segments.config["features"] = {"exclude": ["updated"]}
    text = json.dumps(segments.config).replace('"2026-01-01"', "2026-01-01")
    segments.config_path.write_text(text)
    result = run_as_written(segments, "run")
    assert result["status"] == "pushed"
    assert result["data"]["values_changed"] == CHANGED
    assert result["data"]["rows_dropped"] == {"duplicate_ids": 1, "duplicate_rows": 1}
    assert sum(result["data"]["customers"].values()) == 600
    assert result["data"]["columns"] == {
        "customer_id": "text", "age": "integer", "income": "number", "visits": "integer", "plan": "text",
        "joined": "number", "updated": "number",
    }  # fmt: skip
    page = re.sub(r"<[^>]+>", "", Path(result["report"]).read_text())
    assert "joined: 4 could not be read as a time and are missing" in page

    # The file that the model was made of, given as one of new customers.
    out = tmp_path / "out.parquet"
    again = run_as_written(segments, "assign", "--input", str(segments.data), "-o", str(out))
    assert again["values_changed"] == CHANGED
    table = {name: dict(rows_of(path)) for name, path in (("run", result["assignments"]), ("assign", out))}
    assert len(table["run"]) == 600
    assert table["run"] == table["assign"]


def rows_of(path: Any) -> list[tuple[str, tuple[Any, ...]]]:
    table = pq.read_table(path)
    columns = [table[name].to_pylist() for name in ("segment_id", "segment_name", "distance", "is_outlier")]
    return list(zip(table["customer_id"].to_pylist(), zip(*columns, strict=True), strict=True))


def run_as_written(segments: Segments, command: str, *options: str) -> dict[str, Any]:
    """The command without writing the config anew."""
    done = subprocess.run(
        [*segments.command, command, str(segments.config_path), *options, "--json"],
        cwd=segments.folder, env=segments.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    return content
