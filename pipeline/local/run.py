"""One run from config to verdict: what `segments run` does."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

from components.errors import DataError
from configs.pipeline import PipelineConfig
from pipeline.local.events import REJECTED, RESULT, USAGE, Event
from pipeline.local.parent import Outcome, run_child
from pipeline.plan import RunPlan, begin, plan_run, up_to_date
from pipeline.records import KEPT, PUSHED, ROLLBACK, RunRecord, write_record
from pipeline.retention import clean_up, may_find_something
from pipeline.workspace import Workspace

# What a result holds in any case, for programs that look before they ask for the status.
NOTHING: dict[str, Any] = {
    **dict.fromkeys(("run_id", "model", "assignments", "report", "k")),
    "metrics": {},
    "segments": [],
    "seconds": {},
}

EXIT_CODES = {
    "pushed": 0,
    "kept": 0,
    "up_to_date": 0,
    "failed": 1,
    "usage": 2,
    "not_blessed": 3,
    "rejected": 4,
}


def run_pipeline(
    config: PipelineConfig,
    config_path: str,
    workspace: Workspace,
    force: bool = False,
    on_event: Callable[[Event], None] = lambda event: None,
) -> dict[str, Any]:
    """Runs the pipeline unless there is nothing new.

    Args:
      config: what to run.
      config_path: for the record.
      workspace: where.
      force: run even when nothing is new.
      on_event: called as components start and finish.

    Returns:
      What `segments run --json` prints; `status` is a key of `EXIT_CODES`.

    Raises:
      ConfigError, DataError: refused before work started.
      WorkspaceBusyError: another run holds the workspace.
    """
    workspace.prepare()
    with workspace.lock() as lock:
        try:
            plan = plan_run(config, workspace)
        except DataError as error:
            _close(begin(None, workspace, config_path), workspace, "rejected", message=str(error))
            raise
        done = None if force else up_to_date(plan, workspace)
        if done is not None:
            said = {"status": "up_to_date", "message": _why_nothing(done), "seconds": {}}
            return {**NOTHING, **done.result, **said}
        record = begin(plan, workspace, config_path, force)
        write_record(workspace.runs, record)
        log = os.path.join(workspace.logs, f"{record.run_id}.log")
        try:
            with _sigterm_as_ctrl_c():
                outcome = run_child(_request("run", plan, workspace, record, force), log, lock, on_event)
        except KeyboardInterrupt:
            _close(record, workspace, "failed", message="interrupted")
            raise
        result = _result(outcome, record, log)
        _close(record, workspace, result["status"], message=result.get("message"), result=result)
        return {**result, **_tidy(config, workspace, log)}


def _tidy(config: PipelineConfig, workspace: Workspace, log: str) -> dict[str, Any]:
    """Removes what is not kept. That it fails is reported and makes no run fail."""
    try:
        if not may_find_something(workspace, config.retention):
            return {}
        return {"removed": clean_up(config, workspace).to_dict()}
    except Exception as error:
        with open(log, "a") as file:
            file.write(f"Old runs could not be removed:\n{traceback.format_exc()}")
        return {"removed": {"error": f"old runs could not be removed: {error}"}}


def infer_schema(config: PipelineConfig, workspace: Workspace, on_event: Callable[[Event], None]) -> Outcome:
    """Runs the nodes up to the schema; the outcome's content holds it as text under `schema`."""
    workspace.prepare()
    with workspace.lock() as lock:
        plan = plan_run(config, workspace)
        record = RunRecord(run_id="schema", fingerprint="", config="", parent=None, started="")
        log = os.path.join(workspace.logs, "schema.log")
        return run_child(_request("schema", plan, workspace, record), log, lock, on_event)


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    """Whoever ends the command in order (a scheduler, systemd, a cluster): its child ends and its record is closed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _why_nothing(done: RunRecord) -> str:
    if done.kind == ROLLBACK:
        return (
            f"nothing is new since version {done.parent} was rolled back to version {done.restored}, which is "
            f"served as version {done.version}"
        )
    return f"nothing is new; version {done.version} is served"


def _request(
    task: str, plan: RunPlan, workspace: Workspace, record: RunRecord, force: bool = False
) -> dict[str, Any]:
    return {
        "task": task,
        "config": plan.config.model_dump_json(by_alias=True),
        "source": plan.source_json,
        "workspace": workspace.root,
        "run_id": record.run_id,
        "own_runs": [run for run in (record.run_id, record.same_model_as) if run],
        "parent": record.parent,
        # A run that makes the served model again compares with what was served before that.
        "requests": None if record.same_model_as else plan.requests,
        # What was asked for by --force, and what costs nothing, is done.
        "may_keep": not (force or record.same_model_as),
    }


def _result(outcome: Outcome, record: RunRecord, log: str) -> dict[str, Any]:
    common = {"run_id": record.run_id, "seconds": outcome.seconds, "cached": outcome.cached, "log": log}
    if outcome.kind == RESULT:
        content = dict(outcome.content)
        if content["status"] == "failed_serving_check":
            # A refusal all the same; `reasons` says what failed.
            content["status"] = "not_blessed"
        if content["status"] == "kept":
            content["message"] = f"nothing has drifted since version {content['version']}"
        elif content["status"] != "pushed":
            # For the history, which has a line per run.
            content["message"] = "; ".join(content.get("reasons", []))
        return {**content, **common}
    status = {REJECTED: "rejected", USAGE: "usage"}.get(outcome.kind, "failed")
    return {**NOTHING, "status": status, "component": outcome.node, "message": outcome.message, **common}


def _close(
    record: RunRecord,
    workspace: Workspace,
    status: str,
    message: str | None = None,
    result: dict[str, Any] | None = None,
) -> None:
    record.status = status
    record.finished = datetime.now(timezone.utc).isoformat(timespec="seconds")
    record.message = message
    record.result = result or {}
    if status in (PUSHED, KEPT):
        record.version = str(record.result.get("version"))
    write_record(workspace.runs, record)
