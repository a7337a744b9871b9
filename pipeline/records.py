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


@dataclass
class RunRecord:
    """One run. `status` is one of the statuses of `segments run`, or `running`."""

    run_id: str
    fingerprint: str
    config: str
    parent: str | None
    started: str
    status: str = RUNNING
    finished: str | None = None
    version: str | None = None
    span: int | None = None
    message: str | None = None
    attempts: int = 1
    result: dict[str, Any] = field(default_factory=dict)


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
    for name in sorted(names, key=_by_time):
        content = read_json(os.path.join(folder, name))
        with contextlib.suppress(TypeError):
            records.append(RunRecord(**{key: value for key, value in content.items() if key in known}))
    return records


def _by_time(name: str) -> tuple[str, int]:
    """Runs of one second are numbered: `20260101-000000`, `20260101-000000-2`, ... `-10`."""
    date, _, time = name.removesuffix(".json").partition("-")
    second, _, number = time.partition("-")
    return f"{date}-{second}", int(number) if number.isdecimal() else 1


def read_json(path: str) -> dict[str, Any]:
    """A JSON object from a file, or an empty one where there is none to read."""
    try:
        with open(path) as file:
            content = json.load(file)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
