"""A scheduler in a process of its own: reads what is scheduled as JSON, tells its last state as JSON."""

import json
import sys

from configs.schedule import ScheduleConfig
from pipeline.schedule.scheduler import Scheduled, keep_schedule, run_once
from pipeline.workspace import Workspace, WorkspaceBusyError

spec = json.loads(sys.argv[1])
scheduled = Scheduled(
    name="customers",
    config=ScheduleConfig.model_validate_json(json.dumps(spec["config"])),
    command=spec["command"],
    workspace=Workspace(spec["workspace"]),
    folder=spec["folder"],
)


def tell(line: str) -> None:
    """For whoever looks at a test that failed."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


try:
    if spec.get("once"):
        sys.stdout.write(run_once(scheduled, tell).status)
    else:
        sys.stdout.write(json.dumps(keep_schedule(scheduled, tell)))
except WorkspaceBusyError as error:
    sys.exit(str(error))
