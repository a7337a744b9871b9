"""Commands and webhooks that hear how runs ended."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from configs.schedule import HookConfig
from pipeline.schedule.hooks import HookResult, call_hooks

CONTENT = {"status": "pushed", "version": "3"}


def call(folder: Path, hook: dict[str, Any], content: dict[str, Any] = CONTENT) -> list[HookResult]:
    return call_hooks([HookConfig.model_validate(hook)], content, str(folder), wait=lambda seconds: None)


class Listener:
    """A web server that answers with the next of some codes and keeps what it was sent."""

    def __init__(self) -> None:
        self.codes: list[int] = []
        self.seconds = 0.0
        self.heard: list[tuple[str, Any]] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((self.headers["Content-Type"], json.loads(body)))
                time.sleep(listener.seconds)
                self.send_response(listener.codes.pop(0) if listener.codes else 204)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    made = Listener()
    thread = threading.Thread(target=made.server.serve_forever, daemon=True)
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_command_reads_the_result(tmp_path: Path) -> None:
    (result,) = call(tmp_path, {"command": ["tee", "heard.json"]})
    assert result == HookResult("tee heard.json", True, 1)
    assert json.loads((tmp_path / "heard.json").read_text()) == CONTENT


def test_a_line_is_for_the_shell(tmp_path: Path) -> None:
    (result,) = call(tmp_path, {"command": "cat > one && cp one 'two 2'"})
    assert result.ok
    assert json.loads((tmp_path / "two 2").read_text()) == CONTENT


@pytest.mark.parametrize(
    ("status", "when", "called"),
    [
        ("pushed", None, True),
        ("up_to_date", None, False),
        ("up_to_date", ["up_to_date"], True),
        ("not_blessed", ["not_blessed"], True),
        ("rejected", ["failed"], False),
        ("timed_out", ["failed"], True),
        ("usage", ["failed"], True),
        ("failed", ["pushed"], False),
    ],
)
def test_only_the_endings_that_a_hook_waits_for(
    tmp_path: Path, status: str, when: list[str] | None, called: bool
) -> None:
    hook = {"command": "cat > heard", **({"when": when} if when else {})}
    assert bool(call(tmp_path, hook, {"status": status})) == called == (tmp_path / "heard").exists()


def test_a_command_that_fails_is_tried_again_and_then_told(tmp_path: Path) -> None:
    command = "echo >> calls; echo no mail server >&2; exit 3"
    (result,) = call(tmp_path, {"command": command, "retries": 1})
    assert (result.ok, result.attempts) == (False, 2)
    assert result.message == "ended with exit code 3: no mail server"
    assert len((tmp_path / "calls").read_text().splitlines()) == 2


def test_a_command_that_hangs_is_ended_with_its_children(tmp_path: Path) -> None:
    began = time.monotonic()
    command = "(sleep 3; touch late) & sleep 60"
    (result,) = call(tmp_path, {"command": command, "timeout_seconds": 0.5, "retries": 0})
    assert result.message == "did not end within 0.5 s"
    assert time.monotonic() - began < 10
    time.sleep(max(0, began + 4 - time.monotonic()))
    assert not (tmp_path / "late").exists()


def test_a_command_that_is_not_there_or_reads_nothing(tmp_path: Path) -> None:
    (result,) = call(tmp_path, {"command": ["./not-there"], "retries": 0})
    assert not result.ok and "not-there" in result.message
    assert call(tmp_path, {"command": ["true"]}, {"status": "pushed", "x": "x" * 1_000_000})[0].ok


def test_a_url_gets_the_result_as_json(tmp_path: Path, listener: Listener) -> None:
    (result,) = call(tmp_path, {"url": listener.url})
    assert (result.ok, result.target) == (True, listener.url)
    assert listener.heard == [("application/json", CONTENT)]


def test_a_url_that_answers_with_an_error_is_tried_again(tmp_path: Path, listener: Listener) -> None:
    listener.codes = [500, 503]
    (result,) = call(tmp_path, {"url": listener.url})
    assert (result.ok, result.attempts) == (True, 3)
    listener.codes = [404] * 3
    (result,) = call(tmp_path, {"url": listener.url, "retries": 2})
    assert (result.ok, result.attempts, result.message) == (False, 3, "answered 404 Not Found")


def test_a_url_that_is_slow_or_not_there(tmp_path: Path, listener: Listener) -> None:
    listener.seconds = 1.0
    (result,) = call(tmp_path, {"url": listener.url, "timeout_seconds": 0.2, "retries": 0})
    assert not result.ok and "timed out" in result.message
    (result,) = call(tmp_path, {"url": "http://127.0.0.1:1/", "retries": 0})
    assert result.message == "cannot be reached: [Errno 111] Connection refused"


def test_pauses_grow_and_a_stop_ends_them(tmp_path: Path) -> None:
    waits: list[float] = []
    hook = HookConfig.model_validate({"command": ["false"], "retries": 3})
    call_hooks([hook], CONTENT, str(tmp_path), wait=waits.append)
    assert waits == [1, 2, 4]
    (result,) = call_hooks([hook], CONTENT, str(tmp_path), wait=lambda seconds: True)
    assert result.attempts == 1
