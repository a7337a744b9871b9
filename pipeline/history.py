"""What happened in a workspace, as `segments runs` tells it. From records: no database, no TensorFlow."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from components.served_model.versions import served_version
from pipeline.plan import with_killed
from pipeline.records import KILLED, RunRecord, read_records
from pipeline.schedule.state import schedule_health
from pipeline.workspace import Workspace


def history(workspace: Workspace, now: datetime | None = None) -> dict[str, Any]:
    """The served version, the scheduler's state (None where there never was one), and all runs, newest first.

    Args:
      workspace: of the pipeline.
      now: for the runs that are at work; the present by default.
    """
    records = with_killed(read_records(workspace.runs), workspace)
    at = now or datetime.now(timezone.utc)
    return {
        "served": served_version(workspace.serving),
        "schedule": schedule_health(workspace, at),
        "runs": [describe(record, at) for record in reversed(records)],
    }


def describe(record: RunRecord, now: datetime) -> dict[str, Any]:
    """One run, for programs."""
    result = record.result
    return {
        "run_id": record.run_id,
        "kind": record.kind,
        "status": record.status,
        "started": record.started,
        "finished": record.finished,
        "seconds": _seconds(record, now),
        "attempts": record.attempts,
        "version": record.version,
        "parent": record.parent,
        "restored": record.restored,
        "span": record.span,
        "k": result.get("k"),
        "metrics": result.get("metrics") or {},
        "reasons": result.get("reasons") or [],
        "message": record.message,
    }


def _seconds(record: RunRecord, now: datetime) -> float | None:
    """How long the last attempt took, or has been going on; None where a kill left no end."""
    if record.status == KILLED:
        return None
    try:
        began = datetime.fromisoformat(record.resumed or record.started)
        ended = datetime.fromisoformat(record.finished) if record.finished else now
        # The clock may have been set back in between.
        return max(0.0, round((ended - began).total_seconds(), 1))
    except (ValueError, TypeError):
        return None
