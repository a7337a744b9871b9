"""The same schedule for other systems: a crontab line, a systemd timer, a Kubernetes CronJob.

Each runs `segments schedule CONFIG --once`: with the limits, retries and hooks of the config.
"""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from configs.cron import WEEKDAY_NAMES, Cron, listed, parse_cron
from configs.schedule import ScheduleConfig

# From the end of `stop_seconds` until a process is killed: the run's record is closed meanwhile.
_CLOSING_SECONDS = 30


@dataclass(frozen=True)
class Place:
    """Where the schedule would run.

    Attributes:
      name: of the pipeline.
      command: absolute path of `segments`.
      arguments: of `segments schedule --once`, with absolute paths.
      folder: the current folder, absolute.
      workspace: absolute.
      config_path: absolute.
      image: the container image.
    """

    name: str
    command: str
    arguments: Sequence[str]
    folder: str
    workspace: str
    config_path: str
    image: str


def crontab(config: ScheduleConfig, place: Place) -> str:
    """A crontab entry. Time zones are an extension of cronie and fcron; Debian's cron goes by the machine's."""
    cron = _cron(config)
    # A percent sign ends the command in a crontab.
    command = " ".join(shlex.quote(word) for word in (place.command, *place.arguments)).replace("%", "\\%")
    folder = shlex.quote(place.folder).replace("%", "\\%")
    return (
        f"# {place.name}: cronie and fcron know CRON_TZ; where cron does not, the machine's own time zone counts and\n"
        f"# must be {config.timezone}.\n"
        f"CRON_TZ={config.timezone}\n"
        f"{cron.text} cd {folder} && {command}\n"
    )


def systemd(config: ScheduleConfig, place: Place) -> str:
    """A service and its timer, one after the other."""
    unit = f"segments-{_dns_name(place.name)}"
    words = " ".join(_systemd_word(word) for word in (place.command, *place.arguments))
    calendars = "\n".join(f"OnCalendar={line}" for line in _on_calendar(_cron(config), config.timezone))
    return f"""\
# /etc/systemd/system/{unit}.service
[Unit]
Description=Customer segments: retrain {place.name.replace("%", "%%")}
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={place.folder.replace("%", "%%")}
ExecStart={words}
TimeoutStartSec=infinity
TimeoutStopSec={_CLOSING_SECONDS}
# Only the scheduler is told to stop: it ends the run in order.
KillMode=mixed
# A model that was refused (3) and data that were rejected (4) are no failures of the service.
SuccessExitStatus=3 4

# /etc/systemd/system/{unit}.timer
[Unit]
Description=When {place.name.replace("%", "%%")} is retrained

[Timer]
{calendars}
Persistent=true
AccuracySec=1s

[Install]
WantedBy=timers.target
"""


def kubernetes(config: ScheduleConfig, place: Place) -> str:
    """A CronJob. The config comes from a ConfigMap, workspace and data from a volume claim, both of its name."""
    cron, name = _cron(config), _dns_name(place.name)[:50].rstrip("-")
    weekday = cron.text.split()[4]
    # Kubernetes knows no weekday 7.
    weekday = listed(cron.weekdays) if "7" in weekday else weekday
    file = place.config_path.rsplit("/", 1)[-1]
    arguments = _replace_paths(place, f"/config/{file}", f"/workspaces/{place.name}")
    container = {
        "name": "segments",
        "image": place.image,
        "args": arguments,
        "volumeMounts": [
            {"name": "config", "mountPath": "/config", "readOnly": True},
            {"name": "workspaces", "mountPath": "/workspaces"},
        ],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": _CLOSING_SECONDS,
        "containers": [container],
        "volumes": [
            {"name": "config", "configMap": {"name": name}},
            {"name": "workspaces", "persistentVolumeClaim": {"claimName": name}},
        ],
    }
    manifest = {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name, "labels": {"app.kubernetes.io/name": "customer-segments"}},
        "spec": {
            "schedule": " ".join([*cron.text.split()[:4], weekday]),
            "timeZone": config.timezone,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": math.ceil(config.misfire_grace_seconds),
            "successfulJobsHistoryLimit": 3,
            "failedJobsHistoryLimit": 3,
            # Retries are the scheduler's own: it knows a refused model from a failure.
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
        },
    }
    text: str = yaml.safe_dump(manifest, sort_keys=False)
    return (
        f"# Needs a ConfigMap {name} with {file}, whose data.path must be readable in the container,\n"
        f"# and a volume claim {name} for the workspace.\n{text}"
    )


PRINTERS: dict[str, Callable[[ScheduleConfig, Place], str]] = {
    "crontab": crontab,
    "systemd": systemd,
    "kubernetes": kubernetes,
}


def _cron(config: ScheduleConfig) -> Cron:
    assert config.cron is not None
    return parse_cron(config.cron)


def _on_calendar(cron: Cron, zone: str) -> list[str]:
    """systemd's calendar expressions: two where a day of the month or a weekday is enough, since timers add up."""
    time = f"{_field(cron.hours, 24)}:{_field(cron.minutes, 60)}:00 {zone}"
    months = _field(cron.months, 12)
    weekdays = ",".join(WEEKDAY_NAMES[number].capitalize() for number in cron.weekdays)
    on_days, any_day = f"*-{months}-{_field(cron.days, 31)}", f"*-{months}-*"
    if cron.days_or_weekdays:
        return [f"{on_days} {time}", f"{weekdays} {any_day} {time}"]
    every_weekday = len(cron.weekdays) == 7
    return [f"{on_days} {time}" if every_weekday else f"{weekdays} {on_days} {time}"]


def _field(numbers: Sequence[int], size: int) -> str:
    return "*" if len(numbers) == size else ",".join(f"{number:02d}" for number in numbers)


def _systemd_word(word: str) -> str:
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return escaped if re.fullmatch(r"[\w@+=:,./%-]+", escaped) else f'"{escaped}"'


def _replace_paths(place: Place, config_path: str, workspace: str) -> list[str]:
    names = {place.config_path: config_path, place.workspace: workspace}
    return [names.get(word, word) for word in place.arguments]


def _dns_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "segments"
