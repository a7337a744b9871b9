"""What is remembered about each run, readable without TensorFlow or a database."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field, fields
from typing import Any

RUNNING = "running"
KILLED = "killed"
PUSHED = "pushed"
KEPT = "kept"
FAILED = "failed"
ROLLED_BACK = "rolled_back"

# Kinds of records.
RUN = "run"
ROLLBACK = "rollback"


@dataclass
class RunRecord:
    """One run, or one rollback.

    Attributes:
      run_id: UTC, to the second; names sort as the runs began.
      fingerprint: of all that a run's result depends on.
      model_fingerprint: of all that its model depends on, but the parent.
      parent: the version that its model follows: the one that was served when it began, unless `same_model_as`.
      same_model_as: the run that made the served version, where this one makes the very same model.
      started, resumed, finished: ISO 8601, UTC; `resumed` is when the last attempt of several began.
      status: one of the statuses of `segments run`, `running`, or `rolled_back`.
      version: what is served by it.
      span: the number, or the date, that the newest files had.
      kind: `run` or `rollback`.
      restored: of a rollback, the version whose model is served again.
      settled: of a rollback, the fingerprints that need no run as long as its version is served.
    """

    run_id: str
    fingerprint: str
    config: str
    parent: str | None
    started: str
    status: str = RUNNING
    finished: str | None = None
    version: str | None = None
    span: int | str | None = None
    message: str | None = None
    attempts: int = 1
    result: dict[str, Any] = field(default_factory=dict)
    kind: str = RUN
    resumed: str | None = None
    restored: str | None = None
    settled: list[str] = field(default_factory=list)
    model_fingerprint: str = ""
    same_model_as: str | None = None


def write_record(folder: str, record: RunRecord) -> None:
    """Writes a record whole or not at all."""
    descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=".record-")
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(record), file, indent=1)
    os.replace(temporary, os.path.join(folder, f"{record.run_id}.json"))


def read_records(folder: str) -> list[RunRecord]:
    """All records, oldest first. A file that is no record is left out."""
    try:
        names = [name for name in os.listdir(folder) if name.endswith(".json") and not name.startswith(".")]
    except FileNotFoundError:
        return []
    known = {f.name for f in fields(RunRecord)}
    records = []
    for name in sorted(names, key=lambda name: run_order(name.removesuffix(".json"))):
        content = read_json(os.path.join(folder, name))
        with contextlib.suppress(TypeError):
            records.append(RunRecord(**{key: value for key, value in content.items() if key in known}))
    return records


def run_order(run_id: str) -> tuple[str, int]:
    """What runs sort by: `20261124-093000`, then `20261124-093000-2`, ..., `-10`."""
    base, _, suffix = run_id.rpartition("-")
    if "-" in base and suffix.isdecimal():
        return base, int(suffix)
    return run_id, 1


def read_json(path: str) -> dict[str, Any]:
    """A JSON object from a file, or an empty one where there is none to read."""
    try:
        with open(path) as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
