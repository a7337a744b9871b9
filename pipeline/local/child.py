"""The process that runs TFX. Started by `pipeline.local.parent`; its output is the run's log.

Reads a request (JSON) from standard input, writes events to the file descriptor named on the command line.
When standard input ends, the watching process is gone, and this one ends too.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import warnings
from typing import Any

from pipeline.code_version import PACKAGES
from pipeline.local.events import FAILED, PLANNED, REJECTED, RESULT, USAGE, Event, EventWriter, NodeWatcher
from pipeline.workspace import Workspace


def main() -> None:
    """Serves one request."""
    events = EventWriter(os.fdopen(int(sys.argv[1]), "w"))
    request = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")
    # Or this process takes all the memory of the GPUs, and the workers of a fit find none.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    warnings.simplefilter("ignore")
    watcher = NodeWatcher(events)
    # Not import errors alone: whatever goes wrong from here on must reach the person who waits.
    try:
        from components.errors import DataError
        from configs.errors import ConfigError

        try:
            content = _serve(request, events, watcher)
            events.write(Event(RESULT, content=content))
        except DataError as error:
            events.write(Event(REJECTED, watcher.node, message=str(error)))
        except ConfigError as error:
            events.write(Event(USAGE, watcher.node, message=str(error)))
    except Exception as error:
        logging.getLogger().exception("The run failed.")
        events.write(Event(FAILED, watcher.node, message=_cause(error)))


def _serve(request: dict[str, Any], events: EventWriter, watcher: NodeWatcher) -> dict[str, Any]:
    from absl import logging as absl_logging

    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.INFO)
    absl_logging.get_absl_logger().addHandler(watcher)

    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from components.example_gen.source import source_from_json
    from configs.pipeline import PipelineConfig
    from pipeline.dag import RunInputs, assemble, create_pipeline, data_nodes
    from pipeline.schema_file import stage_schema

    config = PipelineConfig.model_validate_json(request["config"])
    source, _ = source_from_json(request["source"])
    workspace = Workspace(request["workspace"])
    inputs = RunInputs(
        source=request["source"],
        id_column=source.id_name,
        schema_file=stage_schema(config.validation.schema_path, workspace)
        if request["task"] == "run"
        else None,
        run_id=request["run_id"],
        parent=request["parent"],
    )
    if request["task"] == "schema":
        pipeline = assemble(config, workspace, list(data_nodes(config, inputs).values()))
    else:
        pipeline = create_pipeline(config, inputs, workspace)
    events.write(Event(PLANNED, content=[component.id for component in pipeline.components]))
    LocalDagRunner().run(pipeline)
    watcher.node = ""
    if request["task"] == "schema":
        return {"schema": _inferred_schema(workspace)}
    with open(os.path.join(workspace.reports, request["run_id"], "report.json")) as file:
        content: dict[str, Any] = json.load(file)
    return {**content, "drift": _drift(workspace)}


def _inferred_schema(workspace: Workspace) -> str:
    """What the newest SchemaGen inferred; a curated schema that was imported is an artifact of the same type."""
    from tfx.components.schema_gen.component import SchemaGen

    with open(os.path.join(_newest_output(workspace, SchemaGen), "schema.pbtxt")) as file:
        return file.read()


def _drift(workspace: Workspace) -> dict[str, Any]:
    """What the run's DriftCheck found; also when a killed attempt of the run found it."""
    from components.drift.component import DriftCheck
    from components.drift.executor import DRIFT_FILE

    with open(os.path.join(_newest_output(workspace, DriftCheck), DRIFT_FILE)) as file:
        content: dict[str, Any] = json.load(file)
    return content


def _newest_output(workspace: Workspace, component: type) -> str:
    """Where the only output of the newest finished execution of a component is."""
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata

    connection = metadata.sqlite_metadata_connection_config(workspace.metadata)
    with metadata.Metadata(connection) as handle:
        done = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
        executions = handle.store.get_executions_by_type(f"{component.__module__}.{component.__name__}")
        newest = max(execution.id for execution in executions if execution.last_known_state in done)
        events = handle.store.get_events_by_execution_ids([newest])
        outputs = [e.artifact_id for e in events if e.type == metadata_store_pb2.Event.OUTPUT]
        (artifact,) = handle.store.get_artifacts_by_id(outputs)
    return str(artifact.uri)


def _end_with_parent() -> None:
    sys.stdin.read()
    # No clean-up: whatever is half done is what a kill leaves, and the next run knows how to go on from it.
    os._exit(1)


def _cause(error: BaseException) -> str:
    """The innermost cause in one sentence; Beam wraps a whole traceback into its message.

    An error of ours is said as it is: it was written for people, and what caused it was not.
    """
    while error.__cause__ is not None and not _is_ours(error):
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    wrapped = not _is_ours(error) and any(line.startswith("Traceback") for line in lines)
    text = lines[-1] if wrapped else lines[0]
    return text if len(text) <= 400 else text[:397] + "..."


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in PACKAGES


if __name__ == "__main__":
    main()
