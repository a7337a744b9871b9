"""What a run will do, decided before TensorFlow is imported: its inputs, their fingerprint, its parent."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import datetime, timezone

from components.example_gen.source import Source, fingerprint_source, resolve_source, source_to_json
from components.served_model.restoring import restored_by
from components.served_model.versions import list_versions, read_mark, served_version
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.columns import planned_features
from pipeline.entry_points import project_version
from pipeline.records import (
    FAILED,
    KEPT,
    KILLED,
    PUSHED,
    ROLLBACK,
    ROLLED_BACK,
    RUNNING,
    RunRecord,
    read_json,
    read_records,
    run_order,
)
from pipeline.requests import find_requests
from pipeline.text_models import text_model_digests
from pipeline.workspace import Workspace

# Sections that say when runs happen and what is kept of them: no run's result depends on them.
_NOT_OF_THE_RESULT = {"schedule", "retention", "metadata", "deployment"}
# What is done with a model once it is there, and whether there may be one.
_NOT_OF_THE_MODEL = {*_NOT_OF_THE_RESULT, "validation", "drift", "evaluation", "assignments", "report"}


@dataclass(frozen=True)
class RunPlan:
    """The inputs of one run. `requests` are no reason for one, so that a log that grows starts none.

    source_json: the files and their digests, for the process that runs the DAG. fingerprint: of everything that
    the run's result depends on. model_fingerprint: of everything but the parent that the model depends on.
    """

    config: PipelineConfig
    source: Source
    source_json: str
    fingerprint: str
    model_fingerprint: str
    requests: tuple[str, str] | None = None


def plan_run(config: PipelineConfig, workspace: Workspace) -> RunPlan:
    """Looks at everything that a run depends on.

    Raises:
      ConfigError, components.errors.DataError: the inputs cannot be used.
    """
    source = resolve_source(config)
    # What the first rows already show to be wrong is said now, and not after TensorFlow is loaded.
    if not source.is_queried:
        planned_features(config, source)
    cache_path = os.path.join(workspace.inputs, "digests.json")
    cache = read_json(cache_path)
    fingerprints = fingerprint_source(source, cache)
    with open(cache_path, "w") as file:
        json.dump(cache, file)
    source_json = source_to_json(source, fingerprints)
    asked = find_requests(config)
    text_models = json.dumps(text_model_digests(config))
    others = [source_json, str(schema_digest(config)), text_models, project_version()]
    # A search for k tries only what the evaluation would let through.
    left_out = _NOT_OF_THE_MODEL - ({"evaluation"} if config.model.k == "auto" else set())
    return RunPlan(
        config,
        source,
        source_json,
        fingerprint=_digest(config, _NOT_OF_THE_RESULT, others),
        model_fingerprint=_digest(config, left_out, others),
        requests=None if asked is None else (asked[0].model_dump_json(by_alias=True), asked[1]),
    )


def _digest(config: PipelineConfig, left_out: set[str], others: list[str]) -> str:
    parts = [config.model_dump_json(by_alias=True, exclude=left_out), *others]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def up_to_date(plan: RunPlan, workspace: Workspace) -> RunRecord | None:
    """The record of what already did this: a run, or a rollback.

    A run did, if the model that it pushed or kept is served and what it wrote is still there. After a rollback there
    is nothing to do while neither data nor config nor code differ from those of the models that were rolled back from
    or to: a run would only train again what was taken out of service.
    """
    version = served_version(workspace.serving)
    if version is None:
        return None
    for record in reversed(read_records(workspace.runs)):
        if record.version != version:
            continue
        if record.kind == ROLLBACK and _is_done(record, workspace):
            return record if plan.fingerprint in record.settled else None
        if record.status in (PUSHED, KEPT):
            outputs = [record.result.get(name) for name in ("assignments", "report")]
            whole = all(path is None or os.path.exists(path) for path in outputs)
            return record if whole and record.fingerprint == plan.fingerprint else None
    return None


def pushed_by(version: str, records: list[RunRecord], workspace: Workspace) -> list[RunRecord]:
    """The runs that pushed a version, newest first: also one that was killed before it could say so."""
    run_key = _run_that_pushed(version, workspace)
    return [
        record
        for record in reversed(records)
        if (record.status == PUSHED and record.version == version) or record.run_id == run_key
    ]


def settled_by(version: str, records: list[RunRecord], workspace: Workspace) -> set[str]:
    """The fingerprints that made a version, or that a rollback to it settled."""
    settled = {record.fingerprint for record in pushed_by(version, records, workspace)}
    for record in records:
        if record.kind == ROLLBACK and record.version == version and _is_done(record, workspace):
            settled.update(record.settled)
    return settled - {""}


def _is_done(rollback: RunRecord, workspace: Workspace) -> bool:
    """Whether a rollback came to its end, also where it was killed before it could say so."""
    return restored_by(os.path.join(workspace.serving, str(rollback.version))) == rollback.run_id


def begin(plan: RunPlan | None, workspace: Workspace, config_path: str, force: bool = False) -> RunRecord:
    """A record for the run: the one that this continues, or a new one.

    A run that was killed or failed is continued by the next one with the same inputs: it keeps its id and the
    parent it began with, so that what it finished is found in TFX's cache. One that was refused is continued
    too, to the same end, unless another model is served now, which it must be compared with.
    Where the served model was made from all that this run's model would be made from, the run has that model's
    parent: its components are found in the cache, and changing a threshold or a title makes no new version.
    `force` asks for a new run and a new model.
    Without a plan (the data was refused before there could be one) the record is always new.
    """
    records = read_records(workspace.runs)
    now = datetime.now(timezone.utc)
    newest = records[-1] if records else None
    served = served_version(workspace.serving)
    same = None if plan is None or force else _maker_of_the_same(plan, served, records, workspace)
    parent = same.parent if same else served
    if (
        plan
        and newest
        and not force
        and newest.fingerprint == plan.fingerprint
        and _continues(newest, parent, workspace)
    ):
        newest.status, newest.message, newest.finished = RUNNING, None, None
        newest.attempts += 1
        newest.resumed = now.isoformat(timespec="seconds")
        return newest
    return RunRecord(
        run_id=new_run_id(records, now),
        fingerprint=plan.fingerprint if plan else "",
        model_fingerprint=plan.model_fingerprint if plan else "",
        config=config_path,
        parent=parent,
        same_model_as=same.same_model_as or same.run_id if same else None,
        started=now.isoformat(timespec="seconds"),
        span=plan.source.span_name if plan else None,
    )


def _maker_of_the_same(
    plan: RunPlan, served: str | None, records: list[RunRecord], workspace: Workspace
) -> RunRecord | None:
    """The run that pushed the served version, if its model is what this run would make from the same parent."""
    if served is None or restored_by(os.path.join(workspace.serving, served)):
        return None
    maker = next(iter(pushed_by(served, records, workspace)), None)
    if maker is None or maker.model_fingerprint != plan.model_fingerprint:
        return None
    return maker if maker.parent is None or maker.parent in list_versions(workspace.serving) else None


def new_run_id(records: list[RunRecord], now: datetime) -> str:
    """A name that no record has and that sorts behind all of them, also when the clock was set back."""
    name = now.strftime("%Y%m%d-%H%M%S")
    if not records or run_order(name) > run_order(records[-1].run_id):
        return name
    base, suffix = run_order(records[-1].run_id)
    return f"{base}-{suffix + 1}"


def _continues(record: RunRecord, parent: str | None, workspace: Workspace) -> bool:
    """Whether a run goes on; `parent`: of a new one."""
    if record.status in (PUSHED, KEPT):
        return False
    if record.status in (RUNNING, FAILED):
        return record.parent is None or record.parent in list_versions(workspace.serving)
    return record.parent == parent


def with_killed(records: list[RunRecord], workspace: Workspace) -> list[RunRecord]:
    """The records, those that say running while no run holds the workspace as killed.

    A model that a killed run had pushed already is its model all the same, and a rollback whose version is there is
    done.
    """
    if workspace.is_locked():
        return records
    for record in records:
        if record.status == RUNNING:
            if record.kind == ROLLBACK and _is_done(record, workspace):
                record.status = ROLLED_BACK
                continue
            record.status, record.version = KILLED, None
    if any(record.status == KILLED for record in records):
        pushed = {
            _run_that_pushed(version, workspace): version for version in list_versions(workspace.serving)
        }
        for record in records:
            if record.status == KILLED:
                record.version = pushed.get(record.run_id)
    return records


def _run_that_pushed(version: str, workspace: Workspace) -> str | None:
    folder = os.path.join(workspace.serving, version)
    return None if restored_by(folder) else read_mark(folder).get("run_key")


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
