"""A scheduled pipeline whose runs are a tiny script's."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from configs.schedule import ScheduleConfig
from pipeline.workspace import Workspace

FAKE_RUN = Path(__file__).with_name("fake_run.py")


class Pipeline:
    """Where things are; `script` says what the runs will do."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.workspace = Workspace(str(folder / "w"))
        self.workspace.prepare()
        self.command = [sys.executable, str(FAKE_RUN), str(folder)]
        self.script({})

    def script(self, *steps: dict[str, Any]) -> None:
        (self.folder / "script").write_text("".join(json.dumps(step) + "\n" for step in steps))

    @property
    def calls(self) -> list[float]:
        """When runs were started, in seconds since 1970."""
        path = self.folder / "calls"
        return [float(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def was_terminated(self) -> bool:
        return (self.folder / "terminated").exists()

    @staticmethod
    def config(**keys: Any) -> ScheduleConfig:
        return ScheduleConfig.model_validate({"backoff_seconds": 0.2, **keys})


@pytest.fixture
def pipeline(tmp_path: Path) -> Pipeline:
    return Pipeline(tmp_path)
