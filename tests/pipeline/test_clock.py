"""A clock that is set back, by hand or by a time server, does not change which run is the newest."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from configs.loader import load_config
from pipeline import plan as plan_module
from pipeline.plan import begin, plan_run
from pipeline.records import read_records, write_record
from pipeline.workspace import Workspace


class Clock:
    """Stands in for `datetime` in the module that names runs."""

    def __init__(self, *times: str):
        self._times = [datetime.fromisoformat(time).replace(tzinfo=timezone.utc) for time in times]

    def now(self, zone: timezone) -> datetime:
        assert zone is timezone.utc, "local time is set back every autumn"
        return self._times.pop(0)


def test_runs_stay_in_the_order_they_were_begun_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "customers.csv").write_text("customer_id,income\n1,5\n2,6\n")
    (tmp_path / "c.yaml").write_text("data: {path: customers.csv}\n")
    workspace = Workspace(str(tmp_path / "w"))
    workspace.prepare()
    # An hour back, then eleven runs before the clock has caught up, then on as usual.
    times = ["2026-10-25 02:30:00", *[f"2026-10-25 01:30:{n:02d}" for n in range(11)], "2026-10-25 02:30:01"]
    monkeypatch.setattr(plan_module, "datetime", Clock(*times, "2026-10-25 00:00:00"))
    begun = []
    for k in range(len(times)):
        plan = plan_run(load_config(str(tmp_path / "c.yaml"), [f"model.k={k + 1}"]), workspace)
        record = begin(plan, workspace, "c.yaml")
        record.status = "failed"
        write_record(workspace.runs, record)
        begun.append(record.run_id)
    assert begun[:2] == ["20261025-023000", "20261025-023000-2"]
    assert begun[-2:] == ["20261025-023000-12", "20261025-023001"]
    assert [record.run_id for record in read_records(workspace.runs)] == begun
    # The newest is found, and so continued, on a clock that runs behind it.
    assert begin(plan, workspace, "c.yaml").run_id == begun[-1]
