"""Artifacts that no run needs any more: found in ML Metadata, marked there, then removed from the disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from dataclasses import dataclass

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from pipeline.workspace import Workspace

_DELETED = metadata_store_pb2.Artifact.DELETED
_OUTPUT = (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.DECLARED_OUTPUT)
_REPORT_TYPE = "components.SegmentReport"
# What a run that was killed twice had done by then is worth more than its disk space.
_LEAST_ATTEMPTS = 3


@dataclass(frozen=True)
class UnneededArtifacts:
    """What can go.

    Attributes:
      artifacts: to be marked as deleted.
      folders: to be removed, those of artifacts and those that ML Metadata knows nothing of any more.
    """

    artifacts: list[metadata_store_pb2.Artifact]
    folders: list[str]


def find_unneeded(
    store: ml_metadata.MetadataStore,
    workspace: Workspace,
    runs: int,
    since: float,
    needed_runs: Collection[str],
    pipeline: str | None = None,
) -> UnneededArtifacts:
    """Artifacts that only old runs wrote or read.

    ML Metadata's own order counts, not the clock: a run is needed if fewer than `runs` others have ended with a report
    of their own after it. Attempts that were cut short since are needed too, as many again: the next run may continue
    them.

    Args:
      store: of the workspace. No run is at work.
      workspace: only folders of its artifacts are found.
      runs: how many of the newest are needed.
      since: so are those that began since then, in seconds since 1970.
      needed_runs: so are these, by their ids.
      pipeline: whose runs count, by its name; those of all where None.
    """
    live = ml_metadata.ListOptions(filter_query="state != DELETED")
    artifacts = {artifact.id: artifact for artifact in store.get_artifacts(list_options=live)}
    kept, kept_executions = _needed(store, artifacts, runs, since, needed_runs, pipeline)
    inside = workspace.artifacts.rstrip("/") + "/"
    own = [artifact for artifact in artifacts.values() if artifact.uri.startswith(inside)]
    unneeded = [artifact for artifact in own if artifact.id not in kept]
    # By the end of the path: a workspace that was moved is recognized all the same.
    kept_ends = {_end(artifact.uri) for artifact in artifacts.values() if artifact.id in kept}
    folders = [folder for folder in _output_folders(workspace) if _end(folder) not in kept_ends]
    folders += [
        folder
        for folder in _execution_folders(workspace)
        if int(os.path.basename(folder)) not in kept_executions
    ]
    return UnneededArtifacts(unneeded, sorted(folders))


def remove_unneeded(store: ml_metadata.MetadataStore, unneeded: UnneededArtifacts) -> None:
    """Marks first and removes then: one that is killed in between leaves folders for the next to remove, while the
    other way round TFX's cache would hand out artifacts that are gone."""
    for artifact in unneeded.artifacts:
        artifact.state = _DELETED
    if unneeded.artifacts:
        store.put_artifacts(unneeded.artifacts)
    for folder in unneeded.folders:
        shutil.rmtree(folder, ignore_errors=True)


def _needed(
    store: ml_metadata.MetadataStore,
    artifacts: dict[int, metadata_store_pb2.Artifact],
    runs: int,
    since: float,
    needed_runs: Collection[str],
    pipeline: str | None,
) -> tuple[set[int], set[int]]:
    """Ids of the artifacts and of the executions of needed runs."""
    is_report = {id_ for id_, artifact in artifacts.items() if artifact.type == _REPORT_TYPE}
    kept: set[int] = set()
    kept_executions: set[int] = set()
    reports: set[int] = set()
    cut_short, wanted = 0, set(needed_runs)
    contexts = store.get_contexts_by_type("pipeline_run")
    own = _executions_of(store, pipeline) if pipeline is not None else None
    for context in sorted(contexts, key=lambda context: context.id, reverse=True):
        executions = {execution.id: execution for execution in store.get_executions_by_context(context.id)}
        if own is not None and not own & set(executions):
            continue
        events = store.get_events_by_execution_ids(list(executions)) if executions else []
        # Asking for the same run again ends with the same report, taken from the cache.
        ended_with = is_report & {event.artifact_id for event in events if event.type in _OUTPUT}
        among_newest = len(reports) < runs and (ended_with or cut_short < max(runs, _LEAST_ATTEMPTS))
        is_young = context.create_time_since_epoch / 1000 >= since
        worked_for = wanted & {_run_of(execution) for execution in executions.values()}
        if among_newest or is_young or worked_for:
            kept.update(event.artifact_id for event in events)
            kept_executions.update(executions)
        reports |= ended_with
        cut_short += not ended_with
        wanted -= worked_for if ended_with else set()
        if len(reports) >= runs and not is_young and not wanted:
            break
    produced = store.get_events_by_artifact_ids(list(kept)) if kept else []
    kept_executions.update(event.execution_id for event in produced if event.type in _OUTPUT)
    return kept, kept_executions


def _executions_of(store: ml_metadata.MetadataStore, pipeline: str) -> set[int]:
    context = store.get_context_by_type_and_name("pipeline", pipeline)
    return {execution.id for execution in store.get_executions_by_context(context.id)} if context else set()


def _run_of(execution: metadata_store_pb2.Execution) -> str | None:
    """The run that a Pusher worked for."""
    run = execution.custom_properties.get("run_key")
    return run.string_value if run is not None else None


def _end(path: str) -> str:
    """node/output/execution: where in the artifacts' folder an output is."""
    return "/".join(path.rstrip("/").split("/")[-3:])


def _output_folders(workspace: Workspace) -> list[str]:
    return [
        execution
        for node in _folders(workspace.artifacts)
        for output in _folders(node)
        if not os.path.basename(output).startswith(".")
        for execution in _folders(output)
        if os.path.basename(execution).isdecimal()
    ]


def _execution_folders(workspace: Workspace) -> list[str]:
    """Where TFX's executors leave a note each."""
    return [
        execution
        for node in _folders(workspace.artifacts)
        for execution in _folders(os.path.join(node, ".system", "executor_execution"))
        if os.path.basename(execution).isdecimal()
    ]


def _folders(parent: str) -> list[str]:
    try:
        return sorted(entry.path for entry in os.scandir(parent) if entry.is_dir(follow_symlinks=False))
    except FileNotFoundError:
        return []
