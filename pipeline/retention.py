"""What is removed of runs that are over: the config's section `retention`, and `segments clean`."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from components.atomic import STAGING_PREFIX, remove_leftovers
from components.served_model.restoring import restored_by
from components.served_model.versions import list_versions, numbered_folders, read_mark, served_version
from configs.metadata import MetadataConfig
from configs.pipeline import PipelineConfig
from configs.retention import RetentionConfig
from pipeline.plan import pushed_by
from pipeline.records import KEPT, PUSHED, ROLLBACK, RunRecord, read_records
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    import ml_metadata

    from pipeline.artifacts import UnneededArtifacts

_DAY_SECONDS = 86_400


@dataclass
class Removal:
    """What goes, or went.

    Attributes:
      models: versions in the served folder, oldest first.
      assignments: numbers of versions whose tables go.
      reports, logs: ids of runs.
      artifacts: what no kept run needs.
      bytes: on the disk, of all of it.
    """

    models: list[str] = field(default_factory=list)
    assignments: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    logs: list[str] = field(default_factory=list)
    artifacts: UnneededArtifacts | None = None
    bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """For programs: what and how many."""
        return {
            "models": self.models,
            "assignments": self.assignments,
            "reports": self.reports,
            "logs": self.logs,
            "artifacts": len(self.artifacts.artifacts) if self.artifacts else 0,
            "folders": len(self.artifacts.folders) if self.artifacts else 0,
            "bytes": self.bytes,
        }


def clean_up(config: PipelineConfig, workspace: Workspace, dry_run: bool = False) -> Removal:
    """`clean` as a pipeline's configuration says."""
    shared = config.metadata.backend != "sqlite"
    return clean(
        workspace,
        config.retention,
        dry_run,
        metadata=config.metadata,
        pipeline=config.name if shared else None,
    )


def clean(
    workspace: Workspace,
    config: RetentionConfig,
    dry_run: bool = False,
    now: float | None = None,
    *,
    metadata: MetadataConfig | None = None,
    pipeline: str | None = None,
) -> Removal:
    """Removes what the configuration does not keep. For who holds the workspace.

    Never removed: what serves with its table, its page and the artifacts of its run; the version the newest run began
    with and what that run had done; records.

    Args:
      workspace: of the pipeline.
      config: what to keep.
      dry_run: only look.
      now: seconds since 1970; the present by default.
      metadata: where ML Metadata is; the workspace's own file by default.
      pipeline: whose runs count where that is a database of several; all runs by default.
    """
    since = (time.time() if now is None else now) - config.days * _DAY_SECONDS
    records = [record for record in read_records(workspace.runs) if record.kind != ROLLBACK]
    removal = Removal()
    if not dry_run:
        for folder in (workspace.serving, workspace.assignments, workspace.reports):
            remove_leftovers(folder)
    kept_versions = _kept_versions(workspace, config, records, since)
    removal.models = [v for v in list_versions(workspace.serving) if v not in kept_versions]
    served = int(served_version(workspace.serving) or 0)
    # Also tables whose version was removed by hand.
    tables = (
        v for v in numbered_folders(workspace.assignments) if v not in kept_versions and int(v) < served
    )
    removal.assignments = [] if config.models is None else list(tables)
    if config.runs is not None:
        kept_runs = _kept_runs(workspace, config.runs, records, kept_versions, since)
        old = [record.run_id for record in records if record.run_id not in kept_runs]
        removal.reports = [run for run in old if os.path.isdir(_report(workspace, run))]
        removal.logs = [run for run in old if os.path.isfile(_log(workspace, run))]
        needed = _sources(workspace, records, kept_versions[-1:])
        store = _open(metadata or MetadataConfig(), workspace)
        if store is not None:
            _clean_artifacts(store, workspace, config.runs, since, needed, pipeline, removal, dry_run)
    paths = _paths(workspace, removal)
    removal.bytes += _size_of(paths)
    if not dry_run:
        for path in paths:
            _remove(path)
    return removal


def _open(metadata: MetadataConfig, workspace: Workspace) -> ml_metadata.MetadataStore | None:
    if metadata.backend == "sqlite" and not os.path.exists(workspace.metadata):
        return None
    # Here, not at the top: most commands need no database.
    from pipeline.metadata import open_store

    return open_store(metadata, workspace)


def _clean_artifacts(
    store: ml_metadata.MetadataStore,
    workspace: Workspace,
    runs: int,
    since: float,
    needed: Sequence[str],
    pipeline: str | None,
    removal: Removal,
    dry_run: bool,
) -> None:
    from pipeline.artifacts import find_unneeded, remove_unneeded

    removal.artifacts = find_unneeded(store, workspace, runs, since, needed, pipeline)
    removal.bytes += _size_of(removal.artifacts.folders)
    if not dry_run:
        remove_unneeded(store, removal.artifacts)


def may_find_something(workspace: Workspace, config: RetentionConfig) -> bool:
    """Whether there are more runs or versions than are kept by number: quick, after each run."""
    records = [record for record in read_records(workspace.runs) if record.kind != ROLLBACK]
    too_many_runs = config.runs is not None and len(records) > config.runs
    return too_many_runs or (
        config.models is not None and len(list_versions(workspace.serving)) > config.models
    )


def _kept_versions(
    workspace: Workspace, config: RetentionConfig, records: Sequence[RunRecord], since: float
) -> list[str]:
    """Oldest first; the served one is the last."""
    versions = list_versions(workspace.serving)
    if config.models is None:
        return versions
    kept = set(versions[-config.models :])
    # What the newest run would be compared with again, if it was continued.
    kept.update(
        record.parent for record in records[-1:] if record.parent and record.status not in (PUSHED, KEPT)
    )
    return [v for v in versions if v in kept or _made_at(workspace, v) >= since]


def _made_at(workspace: Workspace, version: str) -> float:
    """When a version was made, in seconds since 1970."""
    folder = os.path.join(workspace.serving, version)
    mark = read_mark(folder)
    restored = mark.get("restored")
    said = restored.get("at") if isinstance(restored, dict) else mark.get("pushed_at")
    return _seconds(said) or os.path.getmtime(folder)


def _kept_runs(
    workspace: Workspace, runs: int, records: Sequence[RunRecord], kept_versions: Sequence[str], since: float
) -> set[str]:
    """The newest runs that came to a report, all attempts in between and since, and those behind kept versions."""
    kept = set(_sources(workspace, records, kept_versions))
    ended = 0
    for record in reversed(records):
        if ended < runs or (_seconds(record.finished or record.started) or 0) >= since:
            kept.add(record.run_id)
        ended += os.path.isdir(_report(workspace, record.run_id))
    return kept


def _sources(workspace: Workspace, records: Sequence[RunRecord], versions: Sequence[str]) -> list[str]:
    """The runs that trained these versions; of a copy that a rollback made, the run of its original."""
    runs = []
    for version in versions:
        folder = os.path.join(workspace.serving, version)
        if restored_by(folder) is not None:
            runs.append(str(read_mark(folder).get("run_key")))
        runs += [record.run_id for record in pushed_by(version, list(records), workspace)]
    return runs


def _paths(workspace: Workspace, removal: Removal) -> list[str]:
    return [
        *(os.path.join(workspace.serving, version) for version in removal.models),
        *(os.path.join(workspace.assignments, version) for version in removal.assignments),
        *(_report(workspace, run) for run in removal.reports),
        *(_log(workspace, run) for run in removal.logs),
    ]


def _report(workspace: Workspace, run_id: str) -> str:
    return os.path.join(workspace.reports, run_id)


def _log(workspace: Workspace, run_id: str) -> str:
    return os.path.join(workspace.logs, f"{run_id}.log")


def _remove(path: str) -> None:
    if os.path.isfile(path):
        os.remove(path)
        return
    # Away from under its name first: a version that lacks half its files must not be there for a server to load.
    # What a kill leaves of it, the next one to write there removes.
    parent, name = os.path.split(path)
    doomed = os.path.join(parent, f"{STAGING_PREFIX}removed-{name}")
    shutil.rmtree(doomed, ignore_errors=True)
    os.rename(path, doomed)
    shutil.rmtree(doomed)


def _size_of(paths: Sequence[str]) -> int:
    """Bytes that go with them. A file that has another name elsewhere stays."""
    total = 0
    for path in paths:
        names = [path] if os.path.isfile(path) else []
        for parent, _, files in os.walk(path):
            names += [os.path.join(parent, name) for name in files]
        for name in names:
            stat = os.stat(name, follow_symlinks=False)
            total += stat.st_size if stat.st_nlink == 1 else 0
    return total


def _seconds(text: Any) -> float | None:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None
