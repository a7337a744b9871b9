"""What a run will do, decided before TensorFlow is imported: its inputs, their fingerprint, its parent."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone

from components.example_gen.source import Source, fingerprint_files, resolve_source, source_to_json
from components.served_model.versions import list_versions, served_version
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.columns import planned_features
from pipeline.entry_points import project_version
from pipeline.records import KILLED, RUNNING, RunRecord, read_json, read_records
from pipeline.workspace import Workspace

PUSHED = "pushed"
FAILED = "failed"


@dataclass(frozen=True)
class RunPlan:
    """The inputs of one run.

    source_json: the files and their digests, for the process that runs the DAG. fingerprint: of everything that
    the run's result depends on.
    """

    config: PipelineConfig
    source: Source
    source_json: str
    fingerprint: str


def plan_run(config: PipelineConfig, workspace: Workspace) -> RunPlan:
    """Looks at everything that a run depends on.

    Raises:
      ConfigError, components.errors.DataError: the inputs cannot be used.
    """
    source = resolve_source(config)
    # What the first rows already show to be wrong is said now, and not after TensorFlow is loaded.
    planned_features(config, source)
    cache_path = os.path.join(workspace.inputs, "digests.json")
    cache = read_json(cache_path)
    fingerprints = fingerprint_files(source.files, cache)
    with open(cache_path, "w") as file:
        json.dump(cache, file)
    source_json = source_to_json(source, fingerprints)
    parts = [
        # Where records are kept makes no other model.
        config.model_dump_json(by_alias=True, exclude={"metadata"}),
        source_json,
        str(schema_digest(config)),
        project_version(),
    ]
    fingerprint = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return RunPlan(config, source, source_json, fingerprint)


def up_to_date(plan: RunPlan, workspace: Workspace) -> RunRecord | None:
    """The run that already did this, if the model it pushed is served and what it wrote is still there."""
    version = served_version(workspace.serving)
    for record in reversed(read_records(workspace.runs)):
        if record.status == PUSHED and record.version == version is not None:
            outputs = [record.result.get(name) for name in ("assignments", "report")]
            whole = all(path is None or os.path.exists(path) for path in outputs)
            return record if whole and record.fingerprint == plan.fingerprint else None
    return None


def begin(plan: RunPlan | None, workspace: Workspace, config_path: str, force: bool = False) -> RunRecord:
    """A record for the run: the one that this continues, or a new one.

    A run that was killed or failed is continued by the next one with the same inputs: it keeps its id and the
    parent it began with, so that what it finished is found in TFX's cache. One that was refused is continued
    too, to the same end, unless another model is served now, which it must be compared with. `force` asks for
    a new run.
    Without a plan (the data was refused before there could be one) the record is always new.
    """
    records = read_records(workspace.runs)
    now = datetime.now(timezone.utc)
    newest = records[-1] if records else None
    if (
        plan
        and newest
        and not force
        and newest.fingerprint == plan.fingerprint
        and _continues(newest, workspace)
    ):
        newest.status, newest.message, newest.finished = RUNNING, None, None
        newest.attempts += 1
        return newest
    stamp = now.strftime("%Y%m%d-%H%M%S")
    if newest:
        # A clock that was set back must not put this run before the one it follows.
        stamp = max(stamp, newest.run_id[: len(stamp)])
    taken = {record.run_id for record in records}
    run_id, suffix = stamp, 1
    while run_id in taken:
        suffix += 1
        run_id = f"{stamp}-{suffix}"
    return RunRecord(
        run_id=run_id,
        fingerprint=plan.fingerprint if plan else "",
        config=config_path,
        parent=served_version(workspace.serving),
        started=now.isoformat(timespec="seconds"),
        span=plan.source.span if plan else None,
    )


def _continues(record: RunRecord, workspace: Workspace) -> bool:
    if record.status == PUSHED:
        return False
    if record.status in (RUNNING, FAILED):
        return record.parent is None or record.parent in list_versions(workspace.serving)
    return record.parent == served_version(workspace.serving)


def with_killed(records: list[RunRecord], workspace: Workspace) -> list[RunRecord]:
    """The records, those that say running while no run holds the workspace as killed."""
    if not workspace.is_locked():
        for record in records:
            if record.status == RUNNING:
                record.status = KILLED
    return records


def schema_digest(config: PipelineConfig) -> str | None:
    """Of the curated schema, where there is one.

    Raises:
      ConfigError: it cannot be read.
    """
    path = config.validation.schema_path
    if path is None:
        return None
    try:
        with open(path, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()[:16]
    except OSError as error:
        raise ConfigError(f"validation.schema: {path} cannot be read: {error.strerror}") from error
