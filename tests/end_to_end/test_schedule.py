"""The real scheduler and a real run: from cron to a served model, its hook, and the end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv

pytestmark = pytest.mark.slow


def test_a_run_by_the_clock_on_the_newest_days(segments: Segments) -> None:
    segments.data.unlink()
    # Partitions by day, the older one of them partly superseded.
    for day, seed, rows in (("2026-03-01", 0, 300), ("2026-03-02", 1, 200)):
        folder = segments.folder / f"date={day}"
        folder.mkdir()
        write_csv(folder / "customers.csv", customer_table(rows, seed))
    segments.config["data"] = {"path": "date={DATE}/*.csv", "window": 2}
    segments.config["schedule"] = {
        "cron": "* * * * *",
        "timezone": "Europe/Berlin",
        "hooks": [{"when": ["pushed"], "command": ["tee", "heard.json"]}],
    }
    process = subprocess.Popen(
        segments.arguments("schedule"),
        cwd=segments.folder,
        env=segments.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 420
        seen: set[str] = set()
        while not (segments.folder / "heard.json").exists():
            assert process.poll() is None and time.monotonic() < deadline
            schedule = segments.json("runs")["schedule"]
            if schedule is not None:
                seen |= {schedule["health"], *(["running"] if schedule["running"] else [])}
            time.sleep(1)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    assert seen == {"alive", "running"}
    heard: dict[str, Any] = json.loads((segments.folder / "heard.json").read_text())
    assert (heard["status"], heard["version"], heard["pipeline"]) == ("pushed", "1", "customers")
    content = segments.json("runs")
    assert content["schedule"]["health"] == "stopped"
    first = content["runs"][-1]
    assert (first["status"], first["version"], first["span"]) == ("pushed", "1", "2026-03-02")
    assert sum(segment["size"] for segment in heard["segments"]) == 300, "a customer of both days is one"

    # Once more, as cron would: nothing is new.
    done = segments("schedule", "--once", "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (0, "up_to_date"), done.stderr
