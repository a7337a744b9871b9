"""Where the customers of the last run are, found in ML Metadata without TFX."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import ml_metadata
from ml_metadata.proto import metadata_store_pb2

from configs.pipeline import PipelineConfig
from pipeline.metadata import open_store
from pipeline.workspace import Workspace

EXAMPLE_GEN = "components.example_gen.component.CustomerExampleGen"
"""The type of ExampleGen's executions; held equal to the component's, whose import is heavy, by a test."""

_DONE = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
_OUTPUT = metadata_store_pb2.Event.OUTPUT


_SPLITS = ("train", "eval")


@dataclass(frozen=True)
class CustomerFiles:
    """What ExampleGen wrote: the folders of the tf.Examples and of the Parquet table, and its `ingest.json`."""

    examples: str
    table: str
    ingest: dict[str, Any]

    @property
    def examples_files(self) -> list[str]:
        """The TFRecord files of all splits."""
        return _files(self.examples)

    @property
    def table_files(self) -> list[str]:
        """The Parquet files of all splits."""
        return _files(self.table)

    @property
    def id_column(self) -> str:
        """The customer id's name."""
        return str(self.ingest["id_column"])


def _files(folder: str) -> list[str]:
    places = [os.path.join(folder, f"Split-{split}") for split in _SPLITS]
    return [
        os.path.join(place, name)
        for place in places
        if os.path.isdir(place)
        for name in sorted(os.listdir(place))
    ]


def newest_customers(config: PipelineConfig, workspace: Workspace) -> CustomerFiles | None:
    """What the newest reading of the data wrote, as far as it is there still; None where there is none.

    A run whose reading came from the cache counts as a reading of its own.

    Raises:
      configs.errors.ConfigError, pipeline.metadata.MetadataError: ML Metadata cannot be read.
    """
    if config.metadata.backend == "sqlite" and not os.path.exists(workspace.metadata):
        return None
    store = open_store(config.metadata, workspace)
    executions = store.get_executions_by_type(EXAMPLE_GEN)
    if config.metadata.backend != "sqlite":
        # A database may hold other pipelines' customers, too.
        pipeline = store.get_context_by_type_and_name("pipeline", config.name)
        own = {e.id for e in store.get_executions_by_context(pipeline.id)} if pipeline else set()
        executions = [execution for execution in executions if execution.id in own]
    newest_first = sorted((e.id for e in executions if e.last_known_state in _DONE), reverse=True)
    for outputs in _outputs(store, newest_first):
        folders = {name: _inside(workspace, uri) for name, uri in outputs.items()}
        ingest = os.path.join(folders.get("examples", ""), "ingest.json")
        if os.path.exists(ingest) and "table" in folders:
            with open(ingest) as file:
                return CustomerFiles(folders["examples"], folders["table"], json.load(file))
    return None


def _outputs(store: ml_metadata.MetadataStore, executions: list[int]) -> Iterator[dict[str, str]]:
    """Output name -> uri, of each execution."""
    for execution in executions:
        events = [event for event in store.get_events_by_execution_ids([execution]) if event.type == _OUTPUT]
        uris = {
            artifact.id: artifact.uri
            for artifact in store.get_artifacts_by_id([e.artifact_id for e in events])
        }
        yield {event.path.steps[0].key: uris[event.artifact_id] for event in events}


def _inside(workspace: Workspace, uri: str) -> str:
    """An artifact's folder in this workspace, which may have been moved: `<node>/<output>/<execution>` stays."""
    return os.path.join(workspace.artifacts, *uri.rstrip("/").split("/")[-3:])
