"""What a run makes of the state that those before it left, before any component works."""

from __future__ import annotations

import logging

import ml_metadata
from absl import logging as absl_logging
from ml_metadata.proto import metadata_store_pb2

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.half_written import remove_half_written
from pipeline.metadata import newest_execution, open_store
from pipeline.seals import damage, seal_outputs
from pipeline.workspace import Workspace

# TFX's own name for what holds all runs of a pipeline.
_PIPELINE = "pipeline"
_WORKSPACE = "customer_segments.workspace"


def recover(config: PipelineConfig, workspace: Workspace) -> None:
    """Makes sure that the run can build on what there is; sets aside what it cannot.

    Raises:
      ConfigError: another workspace has a pipeline of this name in the database.
      pipeline.metadata.MetadataError: ML Metadata cannot be used.
    """
    store = open_store(config.metadata, workspace)
    if config.metadata.backend == "sqlite":
        removed = remove_half_written(workspace.metadata)
        if removed:
            absl_logging.warning("ML Metadata was half written (a full disk?): %d rows are removed.", removed)
    else:
        _claim(store, config, workspace)
    aside = workspace.set_aside_orphaned_artifacts(newest_execution(store))
    if aside:
        absl_logging.warning(
            "ML Metadata knows nothing of the artifacts that were here; they are in %s.", aside
        )
    _forget_damaged_artifacts(store, config.name, workspace)


class Sealer(logging.Handler):
    """Seals the outputs of each component as LocalDagRunner, which has no hooks of its own, logs that it is done."""

    def __init__(self, workspace: Workspace):
        super().__init__(level=logging.INFO)
        self._artifacts = workspace.artifacts

    def emit(self, record: logging.LogRecord) -> None:
        """Listens for the runner's message, by its template."""
        if record.msg == "Component %s is finished." and isinstance(record.args, tuple):
            seal_outputs(self._artifacts, str(record.args[0]))


def _claim(store: ml_metadata.MetadataStore, config: PipelineConfig, workspace: Workspace) -> None:
    """Gives the pipeline's name in this database to the workspace, or refuses.

    ML Metadata tells pipelines apart by their names alone: two of one name would take outputs from one another.
    """
    found = store.get_context_by_type_and_name(_WORKSPACE, config.name)
    if found is None:
        owner = metadata_store_pb2.Context(name=config.name)
        owner.type_id = store.put_context_type(metadata_store_pb2.ContextType(name=_WORKSPACE))
        owner.custom_properties["id"].string_value = workspace.identity()
        owner.custom_properties["path"].string_value = workspace.root
        try:
            store.put_contexts([owner])
        except ml_metadata.errors.AlreadyExistsError:
            # Someone else was faster.
            found = store.get_context_by_type_and_name(_WORKSPACE, config.name)
    if found is None or found.custom_properties["id"].string_value == workspace.identity():
        return
    identity, path = (found.custom_properties[name].string_value for name in ("id", "path"))
    raise ConfigError(
        f"name: a pipeline '{config.name}' in the database {config.metadata.database} belongs to another "
        f"workspace ({path}): give this one another name, or a database of its own; if this workspace takes "
        f"the place of that one, write {identity} into {workspace.identity_file}"
    )


def _forget_damaged_artifacts(store: ml_metadata.MetadataStore, name: str, workspace: Workspace) -> None:
    """Marks artifacts that are not as they were written, so that TFX's cache does not offer them any more."""
    pipeline = store.get_context_by_type_and_name(_PIPELINE, name)
    if pipeline is None:
        return
    damaged = []
    for artifact in store.get_artifacts_by_context(pipeline.id):
        wrong = (
            damage(workspace.artifacts, artifact.uri)
            if artifact.state == metadata_store_pb2.Artifact.LIVE
            else None
        )
        if wrong:
            absl_logging.warning("%s is made again: %s.", artifact.uri, wrong)
            artifact.state = metadata_store_pb2.Artifact.DELETED
            damaged.append(artifact)
    if damaged:
        store.put_artifacts(damaged)
