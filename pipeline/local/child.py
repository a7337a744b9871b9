"""The process that runs TFX. Started by `pipeline.local.parent`; its output is the run's log.

Reads a request (JSON) from standard input, writes events to the file descriptor named on the command line.
When standard input ends, the watching process is gone, and this one ends too.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import sys
import threading
import warnings
from typing import TYPE_CHECKING, Any

from pipeline.local.causes import cause, full_disk
from pipeline.local.events import FAILED, PLANNED, REJECTED, RESULT, USAGE, Event, EventWriter, NodeWatcher
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from configs.pipeline import PipelineConfig

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serves one request."""
    events = EventWriter(os.fdopen(int(sys.argv[1]), "w"))
    request = json.loads(sys.stdin.readline())
    _be_killed_with_parent()
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
        message = full_disk(error, request["workspace"]) or cause(error)
        events.write(Event(FAILED, watcher.node, message=message))


def _serve(request: dict[str, Any], events: EventWriter, watcher: NodeWatcher) -> dict[str, Any]:
    from absl import logging as absl_logging

    absl_logging.use_absl_handler()
    absl_logging.set_verbosity(absl_logging.INFO)

    from configs.pipeline import PipelineConfig
    from pipeline.errors import MetadataError
    from pipeline.metadata import lost_server
    from pipeline.recovery import Sealer, recover

    config = PipelineConfig.model_validate_json(request["config"])
    workspace = Workspace(request["workspace"])
    # Before TensorFlow is loaded: what is wrong with a database is said at once.
    recover(config, workspace)
    # In this order: what is told to be finished is sealed.
    absl_logging.get_absl_logger().addHandler(Sealer(workspace))
    absl_logging.get_absl_logger().addHandler(watcher)

    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from components.example_gen.source import source_from_json
    from components.served_model.known import known_to_json
    from components.served_model.ledger import known_segments
    from pipeline.dag import assemble, create_pipeline
    from pipeline.metadata import cancel_dead_executions, open_store
    from pipeline.nodes.data import data_nodes
    from pipeline.run_inputs import RunInputs
    from pipeline.schema_file import stage_schema

    source, _ = source_from_json(request["source"])
    inputs = RunInputs(
        source=request["source"],
        id_column=source.id_name,
        schema_file=stage_schema(config.validation.schema_path, workspace)
        if request["task"] == "run"
        else None,
        run_id=request["run_id"],
        parent=request["parent"],
        known=known_to_json(known_segments(workspace.serving, but_of_runs=request["own_runs"])),
        may_keep=request["may_keep"],
        requests=tuple(request["requests"]) if request["requests"] else None,
    )
    if request["task"] == "schema":
        pipeline = assemble(config, workspace, list(data_nodes(config, inputs).values()))
    else:
        pipeline = create_pipeline(config, inputs, workspace)
    events.write(Event(PLANNED, content=[component.id for component in pipeline.components]))
    cancel_dead_executions(open_store(config.metadata, workspace), config.name)
    try:
        LocalDagRunner().run(pipeline)
    except Exception as error:
        lost = lost_server(config.metadata, workspace, error)
        if lost:
            raise MetadataError(lost) from error
        raise
    watcher.node = ""
    if request["task"] == "schema":
        return {"schema": _inferred_schema(config, workspace)}
    with open(os.path.join(workspace.reports, request["run_id"], "report.json")) as file:
        content: dict[str, Any] = json.load(file)
    return content


def _inferred_schema(config: PipelineConfig, workspace: Workspace) -> str:
    """What the newest SchemaGen inferred; a curated schema that was imported is an artifact of the same type."""
    from tfx.components.schema_gen.component import SchemaGen

    with open(os.path.join(_newest_output(config, workspace, SchemaGen), "schema.pbtxt")) as file:
        return file.read()


def _newest_output(config: PipelineConfig, workspace: Workspace, component: type) -> str:
    """Where the only output of the newest finished execution of a component is."""
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.metadata import open_store

    store = open_store(config.metadata, workspace)
    # A database may hold other pipelines' outputs, too.
    pipeline = store.get_context_by_type_and_name("pipeline", config.name)
    kind = store.get_execution_type(f"{component.__module__}.{component.__name__}")
    done = (metadata_store_pb2.Execution.COMPLETE, metadata_store_pb2.Execution.CACHED)
    newest = max(
        execution.id
        for execution in store.get_executions_by_context(pipeline.id)
        if execution.type_id == kind.id and execution.last_known_state in done
    )
    events = store.get_events_by_execution_ids([newest])
    outputs = [event.artifact_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
    (artifact,) = store.get_artifacts_by_id(outputs)
    return str(artifact.uri)


def _be_killed_with_parent() -> None:
    """By the kernel, at once: the thread below waits for its turn while a library holds the interpreter's lock, and
    the workspace would be in use as long."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
        logging.getLogger().warning("prctl: %s", os.strerror(ctypes.get_errno()))


def _end_with_parent() -> None:
    # The parent may have ended before it was asked for.
    sys.stdin.read()
    # No clean-up: whatever is half done is what a kill leaves, and the next run knows how to go on from it.
    os._exit(1)


if __name__ == "__main__":
    main()
