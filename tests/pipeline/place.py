"""A pipeline without its work: a config, data, a workspace, and what runs would have left in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from configs.loader import load_config
from pipeline.plan import RunPlan, begin, plan_run
from pipeline.records import RunRecord, write_record
from pipeline.workspace import Workspace


class Place:
    """A config with its data and workspace."""

    def __init__(self, folder: Path):
        self.data = folder / "customers.csv"
        self.data.write_text("customer_id,income\n1,5\n2,6\n")
        self.schema = folder / "schema.pbtxt"
        self.schema.write_text("")
        self.config = folder / "c.yaml"
        self.config.write_text("data: {path: customers.csv}\nvalidation: {schema: schema.pbtxt}\n")
        self.workspace = Workspace(str(folder / "w"))
        self.workspace.prepare()

    def plan(self, *overrides: str) -> RunPlan:
        return plan_run(load_config(str(self.config), overrides), self.workspace)

    def serve(self, version: str, ids: Sequence[int] = (), **mark: Any) -> None:
        """Puts a version into the served folder, marked as the Pusher marks one if there is a mark."""
        folder = Path(self.workspace.serving, version)
        folder.mkdir()
        folder.joinpath("saved_model.pb").write_text(version)
        if mark:
            folder.joinpath("assets.extra").mkdir()
            folder.joinpath("assets.extra", "push.json").write_text(json.dumps(mark))
            content = {"k": len(ids), "segments": [{"id": i, "name": f"segment {i}"} for i in ids]}
            folder.joinpath("assets.extra", "segments.json").write_text(json.dumps(content))

    def end(self, record: RunRecord, status: str, version: str | None = None) -> None:
        record.status, record.version = status, version
        write_record(self.workspace.runs, record)

    def pushed(self, version: str, *overrides: str, ids: Sequence[int] = (1, 2)) -> RunRecord:
        """A run that pushed a version, with its table and its page."""
        record = begin(self.plan(*overrides), self.workspace, "c.yaml", force=True)
        self.serve(version, ids, digest=f"digest-{version}", run_key=record.run_id)
        table = Path(self.workspace.assignments, version, "assignments.parquet")
        table.parent.mkdir()
        table.write_text(f"table of {version}")
        page = Path(self.workspace.reports, record.run_id, "report.html")
        page.parent.mkdir()
        page.write_text(f"page of {version}")
        record.result = {
            "k": len(ids),
            "metrics": {"silhouette": int(version) / 10},
            "segments": [{"id": i, "name": f"segment {i}"} for i in ids],
            "assignments": str(table),
            "report": str(page),
            "model": str(Path(self.workspace.serving, version)),
            "version": version,
        }
        self.end(record, "pushed", version)
        return record
