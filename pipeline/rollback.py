"""Making an older model the served one: what `segments rollback` does."""

from __future__ import annotations

import os
import shutil
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from components.atomic import remove_leftovers, whole_folder
from components.errors import ServingError
from components.segments_file import read_segments
from components.served_model.restoring import restore
from components.served_model.versions import highest_number, list_versions, read_mark
from configs.errors import ConfigError
from pipeline.plan import new_run_id, pushed_by, settled_by
from pipeline.records import PUSHED, ROLLBACK, ROLLED_BACK, RunRecord, read_records, write_record
from pipeline.workspace import Workspace


def roll_back(workspace: Workspace, config_path: str, version: str) -> RunRecord:
    """Serves an older version again, as a new version that is a copy of it.

    The record is written before the version appears and says so: however the process ends, the next run knows that
    what was refused by hand is not to be trained again (`pipeline.plan.up_to_date`).

    Args:
      workspace: where.
      config_path: for the record.
      version: a version in the served folder.

    Returns:
      The record of the rollback. Its `result` is what `segments rollback --json` prints.

    Raises:
      ConfigError: there is no such version, or its model is served already.
      WorkspaceBusyError: a run holds the workspace.
    """
    _check(workspace, version)
    workspace.prepare()
    with workspace.lock():
        # Again: a run may have ended since.
        served = _check(workspace, version)
        records = read_records(workspace.runs)
        now = datetime.now(timezone.utc)
        record = RunRecord(
            run_id=new_run_id(records, now),
            kind=ROLLBACK,
            fingerprint="",
            config=config_path,
            parent=served,
            started=now.isoformat(timespec="seconds"),
            version=str(highest_number(workspace.serving) + 1),
            restored=version,
            message=f"version {version} in place of version {served}",
            settled=sorted(settled_by(version, records, workspace) | settled_by(served, records, workspace)),
        )
        write_record(workspace.runs, record)
        # Before the model: whoever sees the version finds its table.
        table = _link_assignments(workspace, version, str(record.version))
        new = restore(workspace.serving, version, record.run_id)
        assert new == record.version
        record.result = {**_outputs(workspace, version, records), **_places(workspace, record, table)}
        record.status = ROLLED_BACK
        record.finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
        write_record(workspace.runs, record)
        return record


def _check(workspace: Workspace, version: str) -> str:
    """The served version.

    Raises:
      ConfigError: `version` is not there, or it is the model that is served.
    """
    versions = list_versions(workspace.serving)
    if not versions:
        raise ConfigError(f"--to {version}: no model is served yet from {workspace.serving}")
    served = versions[-1]
    if version not in versions:
        there = ", ".join(f"{v} (served)" if v == served else v for v in versions)
        raise ConfigError(
            f"--to {version}: there is no such version in {workspace.serving}; there are {there}"
        )
    if version == served:
        raise ConfigError(f"--to {version}: this version is served already")
    digests = [read_mark(os.path.join(workspace.serving, v)).get("digest") for v in (version, served)]
    if digests[0] is not None and digests[0] == digests[1]:
        raise ConfigError(f"--to {version}: this model is served already, as version {served}")
    return served


def _link_assignments(workspace: Workspace, version: str, new: str) -> str | None:
    """The table of the version under the new one's number, without a second copy of its rows; None without one."""
    source = os.path.join(workspace.assignments, version)
    remove_leftovers(workspace.assignments)
    if not os.path.isdir(source):
        return None
    target = os.path.join(workspace.assignments, new)
    with whole_folder(target, replace=True) as staging:
        # Tables are replaced and never changed, so two names for one file do no harm.
        shutil.copytree(source, staging, dirs_exist_ok=True, copy_function=_link_or_copy)
    path = os.path.join(target, "assignments.parquet")
    return path if os.path.exists(path) else None


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def _outputs(workspace: Workspace, version: str, records: list[RunRecord]) -> dict[str, Any]:
    """What the history says about a version's model, else what the model says itself."""
    for record in reversed(records):
        if record.version == version and record.result and record.status in (PUSHED, ROLLED_BACK):
            kept = ("k", "metrics", "segments", "report", "thresholds")
            return {key: record.result[key] for key in kept if key in record.result}
    for record in pushed_by(version, records, workspace):
        page = Path(workspace.reports, record.run_id, "report.html")
        return {**_described(workspace, version), "report": str(page) if page.exists() else None}
    return _described(workspace, version)


def _described(workspace: Workspace, version: str) -> dict[str, Any]:
    try:
        content = read_segments(os.path.join(workspace.serving, version))
    except ServingError:
        return {}
    keys = ("id", "name", "size", "share")
    segments = [{key: segment.get(key) for key in keys} for segment in content.get("segments", [])]
    return {"k": content.get("k", len(segments)), "segments": segments}


def _places(workspace: Workspace, record: RunRecord, table: str | None) -> dict[str, Any]:
    return {
        "status": ROLLED_BACK,
        "run_id": record.run_id,
        "version": record.version,
        "restored": record.restored,
        "replaced": record.parent,
        "model": os.path.join(workspace.serving, str(record.version)),
        "assignments": table,
        "message": record.message,
    }
