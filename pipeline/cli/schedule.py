"""`segments schedule`: runs that happen by themselves."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import datetime
from enum import Enum
from typing import Annotated, Optional

import typer

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    WorkspaceOption,
    err,
    errors_for_people,
    load,
    print_json,
)
from pipeline.workspace import Workspace

_ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# The current folder stays what it is, and is not where modules are looked for.
_SEGMENTS = "import sys; sys.path[0] = sys.argv.pop(1); from pipeline.cli.main import main; main()"


class Format(str, Enum):
    """Who else could keep the schedule."""

    CRONTAB = "crontab"
    SYSTEMD = "systemd"
    KUBERNETES = "kubernetes"


def schedule(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    cron: Annotated[
        Optional[str],
        typer.Option("--cron", metavar="CRON", help="When, such as '0 3 * * 1'; else schedule.cron."),
    ] = None,
    timezone: Annotated[
        Optional[str],
        typer.Option(
            "--timezone", metavar="ZONE", help="Such as Europe/Berlin; else schedule.timezone, or UTC."
        ),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="One run now, with the schedule's limits, retries and hooks.")
    ] = False,
    print_as: Annotated[
        Optional[Format], typer.Option("--print", help="Print the schedule for another system; run nothing.")
    ] = None,
    image: Annotated[
        str, typer.Option("--image", help="Container image, for --print kubernetes.")
    ] = "customer-segments",
) -> None:
    """Run the pipeline on a schedule, in the foreground, until SIGTERM or Ctrl-C.

    One run at a time; failures are tried again with growing pauses. All choices are in the config's 'schedule'.
    'segments runs' tells whether the scheduler is alive, when the next run is due and how the last one ended.
    """
    own = [
        f"schedule.{key}={json.dumps(v)}"
        for key, v in (("cron", cron), ("timezone", timezone))
        if v is not None
    ]
    with errors_for_people(as_json):
        loaded, place = load(config, [*(overrides or []), *own], workspace)
        if loaded.schedule.cron is None and not once:
            raise ConfigError(
                "schedule.cron: say when to run, such as --cron '0 3 * * 1' for Mondays at 3:00"
            )
        if print_as is not None:
            sys.stdout.write(_printed(print_as, loaded, place, config, [*(overrides or []), *own], image))
            return
        _keep(loaded, place, config, overrides or [], as_json, once)


def _keep(
    loaded: PipelineConfig, place: Workspace, config: str, overrides: list[str], as_json: bool, once: bool
) -> None:
    # Here, not at the top: the other commands need no scheduler.
    from pipeline.schedule.scheduler import Scheduled, keep_schedule, run_once

    scheduled = Scheduled(
        name=loaded.name,
        config=loaded.schedule,
        command=[
            *(sys.executable, "-c", _SEGMENTS, _ROOT, "run", config, "--json"),
            *_options(place, overrides),
        ],
        workspace=place,
        folder=os.path.dirname(os.path.abspath(config)),
    )
    if once:
        ending = run_once(scheduled, _say)
        if as_json:
            print_json({**ending.result, "status": ending.status, "attempts": ending.attempts})
        raise typer.Exit(ending.exit_code)
    _say(f"{loaded.name}: '{loaded.schedule.cron}' {loaded.schedule.timezone}, workspace {place.root}")
    state = keep_schedule(scheduled, _say)
    if as_json:
        print_json({"status": "stopped", **state})


def _options(place: Workspace, overrides: list[str]) -> list[str]:
    return ["--workspace", place.root, *(word for override in overrides for word in ("--set", override))]


def _printed(
    form: Format, loaded: PipelineConfig, place: Workspace, config: str, overrides: list[str], image: str
) -> str:
    from pipeline.schedule.manifests import PRINTERS, Place

    path = os.path.abspath(config)
    where = Place(
        name=loaded.name,
        command=os.path.abspath(shutil.which("segments") or sys.argv[0]),
        arguments=["schedule", path, "--once", *_options(place, overrides)],
        folder=os.getcwd(),
        workspace=place.root,
        config_path=path,
        image=image,
    )
    return PRINTERS[form.value](loaded.schedule, where)


def _say(line: str) -> None:
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    err.print(f"{now} {line}", markup=False)
