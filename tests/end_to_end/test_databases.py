"""Runs whose ML Metadata is on a database server: pushed, up to date, cached, killed and continued; secrets kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.end_to_end.command import Segments
from tests.servers import PASSWORD, Server, mysql, postgresql

pytestmark = pytest.mark.slow


@pytest.fixture(params=[postgresql, mysql], ids=["postgresql", "mysql"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Each server in turn, empty; its password is in the environment of the commands."""
    start: Callable[[], AbstractContextManager[Server]] = request.param
    with start() as started:
        monkeypatch.setenv("SEGMENTS_PASSWORD", PASSWORD)
        yield started


def test_runs_with_a_database_server(server: Server, segments: Segments) -> None:
    segments.config["metadata"] = server.config()
    # A text with a backslash in the parameters of ExampleGen, which has two outputs.
    segments.config["data"]["keep"] = [{"column": "customer_id", "matches": r"^c\d+$"}]
    kill_in(segments, "Trainer")
    first = segments.json("run")
    assert first["status"] == "pushed"
    before = {"ExampleGen", "StatisticsGen", "SchemaGen", "DataGate", "Transform"}
    assert before <= set(first["cached"]), "what had finished before the kill was done again"
    assert segments.json("runs")["runs"][0]["attempts"] == 2
    assert segments.json("run")["status"] == "up_to_date"

    segments.config["model"]["seed"] = 1
    second = segments.json("run")
    assert (second["status"], second["version"]) == ("pushed", "2")
    assert segments.node_ids(second, cached=True) == before | {"ExampleValidator"}
    assert [s["size"] for s in second["segments"]] == [s["size"] for s in first["segments"]]
    assert not (segments.workspace / "metadata.sqlite").exists()

    # The same name in another workspace would share TFX's cache, and so its files.
    refused = segments.json("run", "--workspace", str(segments.folder / "other"), code=2)
    assert f"belongs to another workspace ({segments.workspace})" in refused["message"]

    # Lost in the middle of a run: a sentence, and nothing is lost.
    segments.config["model"]["seed"] = 2
    process = start(segments)
    wait_for(segments, process, "Component Trainer is running.")
    server.stop()
    output, _ = process.communicate(timeout=300)
    lost = json.loads(output)
    assert (process.returncode, lost["status"]) == (1, "failed")
    assert f"server at 127.0.0.1:{server.port} cannot be reached" in lost["message"]
    assert "the same command goes on from here" in lost["message"]
    assert segments.versions() == ["1", "2"]
    assert segments.json("runs")["served"] == "2"

    # And at the start of one: at once, in a line.
    done = segments("run")
    assert done.returncode == 1
    assert f"server at 127.0.0.1:{server.port} cannot be reached" in done.stderr
    assert files_with(segments.folder, "se cr=et") == []


def start(segments: Segments) -> subprocess.Popen[str]:
    return subprocess.Popen(
        segments.arguments("run", "--json"),
        cwd=segments.folder,
        env=segments.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def kill_in(segments: Segments, component: str) -> None:
    process = start(segments)
    wait_for(segments, process, f"Component {component} is running.")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 60
    while segments.json("runs")["runs"][0]["status"] == "running":
        assert time.monotonic() < deadline


def wait_for(segments: Segments, process: subprocess.Popen[str], words: str) -> None:
    """Waits until the newest log says so."""
    known = {path: path.stat().st_size for path in logs(segments)}
    deadline = time.monotonic() + 300
    while not any(words in path.read_text(errors="replace")[known.get(path, 0) :] for path in logs(segments)):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def logs(segments: Segments) -> list[Path]:
    return list((segments.workspace / "logs").glob("*.log"))


def files_with(folder: Path, words: str) -> list[str]:
    found = []
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            if os.path.isfile(path) and words.encode() in Path(path).read_bytes():
                found.append(path)
    return found
