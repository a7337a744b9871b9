"""The schedule for other systems, held against those systems' own tools where they are installed."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from configs.cron import parse_cron
from configs.schedule import ScheduleConfig
from pipeline.schedule.manifests import Place, crontab, kubernetes, systemd
from pipeline.schedule.trigger import WallClockTrigger
from tests.end_to_end.command import Segments

ANALYZE = shutil.which("systemd-analyze")
needs_systemd = pytest.mark.skipif(ANALYZE is None, reason="needs systemd-analyze")


def place(**changes: object) -> Place:
    arguments = [
        "schedule",
        "/etc/segments/c.yaml",
        "--once",
        "--workspace",
        "/var/w",
        "--set",
        "data.path=100% $x",
    ]
    given = {
        "name": "Our_Customers",
        "command": "/bin/true",
        "arguments": arguments,
        "folder": "/tmp",
        "workspace": "/var/w",
        "config_path": "/etc/segments/c.yaml",
        "image": "registry/segments:1",
    }
    return Place(**{**given, **changes})  # type: ignore[arg-type]


def config(cron: str = "0 3 * * 1") -> ScheduleConfig:
    return ScheduleConfig(cron=cron, timezone="Europe/Berlin", misfire_grace_seconds=90)


def test_crontab() -> None:
    *comments, zone, line = crontab(config("*/5 3 * * mon"), place()).splitlines()
    assert all(comment.startswith("#") for comment in comments)
    assert zone == "CRON_TZ=Europe/Berlin"
    fields, command = line.split(" ")[:5], line.split(" ", 5)[5]
    assert fields == ["*/5", "3", "*", "*", "mon"]
    assert re.findall(r"(?<!\\)%", command) == [], "cron would cut the command there"
    words = shlex.split(command.replace("\\%", "%"))
    assert words == ["cd", "/tmp", "&&", "/bin/true", *place().arguments]


def test_kubernetes() -> None:
    (manifest,) = yaml.safe_load_all(kubernetes(config("30 2 1 * 5-7"), place()))
    assert (manifest["apiVersion"], manifest["kind"]) == ("batch/v1", "CronJob")
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,50}[a-z0-9])?", manifest["metadata"]["name"])
    spec = manifest["spec"]
    assert spec["schedule"] == "30 2 1 * 0,5,6", "Kubernetes knows no weekday 7"
    assert (spec["timeZone"], spec["concurrencyPolicy"]) == ("Europe/Berlin", "Forbid")
    assert spec["startingDeadlineSeconds"] == 90
    job = spec["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    pod = job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"
    (container,) = pod["containers"]
    assert container["image"] == "registry/segments:1"
    assert container["args"] == [
        *("schedule", "/config/c.yaml", "--once", "--workspace", "/workspaces/Our_Customers"),
        *("--set", "data.path=100% $x"),
    ]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}


def units(text: str) -> dict[str, str]:
    """File name -> content."""
    parts = re.split(r"^# /etc/systemd/system/(\S+)\n", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@needs_systemd
@pytest.mark.parametrize("cron", ["0 3 * * 1", "*/15 3,22 1 * 7", "@daily", "* * * * *"])
def test_systemd_accepts_the_units(tmp_path: Path, cron: str) -> None:
    written = units(systemd(config(cron), place()))
    assert set(written) == {"segments-our-customers.service", "segments-our-customers.timer"}
    for name, content in written.items():
        (tmp_path / name).write_text(content)
    paths = [str(tmp_path / name) for name in written]
    done = subprocess.run([str(ANALYZE), "verify", *paths], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if "segments-our-customers" in line]
    assert ours == [], done.stderr


def elapses(cron: str, after: datetime, count: int) -> Sequence[datetime]:
    """When systemd says that the timer is due next."""
    calendars = re.findall("^OnCalendar=(.*)$", systemd(config(cron), place()), re.MULTILINE)
    base = after.strftime("%Y-%m-%d %H:%M:%S UTC")
    times: set[datetime] = set()
    for calendar in calendars:
        done = subprocess.run(
            [str(ANALYZE), "calendar", f"--iterations={count}", f"--base-time={base}", calendar],
            capture_output=True, text=True, check=True, env={"TZ": "UTC", "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
        for found in re.findall(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", done.stdout):
            times.add(datetime.fromisoformat(found).replace(tzinfo=ZoneInfo("UTC")))
    return sorted(times)[:count]


@needs_systemd
@pytest.mark.parametrize(
    "cron", ["0 3 * * 1", "30 4 1,15 * *", "*/20 5 * 2-3 *", "0 6 13 * 5", "15 10 * * mon-fri", "0 0 1 1 *"]
)
def test_systemd_means_the_same_times(cron: str) -> None:
    # In winter time all along: the two differ in what they make of a change of clocks.
    at = after = datetime(2026, 11, 2, 12, tzinfo=ZoneInfo("UTC"))
    trigger = WallClockTrigger(parse_cron(cron), ZoneInfo("Europe/Berlin"))
    expected: list[datetime] = []
    while len(expected) < 6:
        due = trigger.get_next_fire_time(expected[-1] if expected else None, at)
        assert due is not None
        at = due
        expected.append(due)
    assert elapses(cron, after, 6) == expected


def test_the_command_prints_and_runs_nothing(tmp_path: Path) -> None:
    segments = Segments(tmp_path)
    segments.config["schedule"] = {"cron": "0 3 * * 1", "timezone": "Europe/Berlin"}
    done = segments("schedule", "--print", "crontab")
    assert done.returncode == 0, done.stderr
    line = done.stdout.splitlines()[-1]
    assert line.startswith("0 3 * * 1 cd ")
    assert f"schedule {segments.config_path} --once --workspace {segments.workspace}" in line
    other = segments("schedule", "--print", "kubernetes", "--cron", "@daily", "--image", "x:2")
    (manifest,) = yaml.safe_load_all(other.stdout)
    assert manifest["spec"]["schedule"] == "0 0 * * *"
    assert not segments.workspace.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cron", "0 3 * *"], "'schedule.cron': '0 3 * *' has 4 fields where five are expected"),
        (["--cron", "@weekly", "--timezone", "Berlin"], "'schedule.timezone': 'Berlin' is no time zone"),
        ([], "schedule.cron: say when to run"),
    ],
)
def test_wrong_words_are_refused_before_anything_starts(
    tmp_path: Path, options: list[str], message: str
) -> None:
    segments = Segments(tmp_path)
    done = segments("schedule", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not segments.workspace.exists()
