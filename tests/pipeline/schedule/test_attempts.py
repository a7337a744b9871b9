"""One scheduled run: limits and retries."""

from __future__ import annotations

import sys
import time
from typing import Any

import pytest

from pipeline.plan import begin
from pipeline.records import read_records
from pipeline.schedule import attempts
from pipeline.schedule.attempts import Stop, run_with_retries
from tests.pipeline.place import Place
from tests.pipeline.schedule.conftest import Pipeline

FAILED = {"result": {"status": "failed", "message": "no memory"}, "exit": 1}


def test_a_run_that_succeeds_is_run_once(pipeline: Pipeline) -> None:
    pipeline.script({"result": {"status": "pushed", "version": "4"}})
    ending = run_with_retries(pipeline.command, pipeline.config(), pipeline.workspace, Stop())
    assert (ending.status, ending.attempts, ending.exit_code) == ("pushed", 1, 0)
    assert ending.result["version"] == "4"


def test_failures_are_tried_again_after_growing_pauses(pipeline: Pipeline) -> None:
    pipeline.script(FAILED, FAILED, FAILED, {})
    waits: list[float] = []
    config = pipeline.config(retries=3, max_backoff_seconds=0.5)
    ending = run_with_retries(
        pipeline.command, config, pipeline.workspace, Stop(), on_wait=lambda _, seconds: waits.append(seconds)
    )
    assert (ending.status, ending.attempts) == ("pushed", 4)
    assert waits == [0.2, 0.4, 0.5], "doubled, up to the limit"
    gaps = [b - a for a, b in zip(pipeline.calls, pipeline.calls[1:])]  # noqa: B905
    assert all(gap >= wait for gap, wait in zip(gaps, waits, strict=True))


def test_the_attempts_are_used_up(pipeline: Pipeline) -> None:
    pipeline.script(FAILED)
    ending = run_with_retries(pipeline.command, pipeline.config(retries=1), pipeline.workspace, Stop())
    assert (ending.status, ending.attempts, ending.exit_code) == ("failed", 2, 1)
    assert ending.result["message"] == "no memory"


@pytest.mark.parametrize(("status", "code"), [("not_blessed", 3), ("rejected", 4), ("usage", 2)])
def test_a_verdict_is_no_failure_unless_it_is_said_so(pipeline: Pipeline, status: str, code: int) -> None:
    pipeline.script({"result": {"status": status}, "exit": code})
    ending = run_with_retries(pipeline.command, pipeline.config(), pipeline.workspace, Stop())
    assert (ending.status, ending.attempts, ending.exit_code) == (status, 1, code)
    config = pipeline.config(retries=1, retry_on=[status])
    assert run_with_retries(pipeline.command, config, pipeline.workspace, Stop()).attempts == 2


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ({"kill": True}, "the run was ended by SIGKILL and told no result"),
        ({"say": "not JSON", "exit": 7}, "the run ended with exit code 7 and told no result"),
        ({"say": "[]"}, "the run ended with exit code 0 and told no result"),
    ],
)
def test_a_run_that_tells_nothing_has_failed(pipeline: Pipeline, step: dict[str, Any], message: str) -> None:
    pipeline.script(step)
    ending = run_with_retries(pipeline.command, pipeline.config(retries=0), pipeline.workspace, Stop())
    assert (ending.status, ending.result["message"]) == ("failed", message)


def test_a_command_that_is_not_there(pipeline: Pipeline) -> None:
    ending = run_with_retries(["/not/there"], pipeline.config(retries=0), pipeline.workspace, Stop())
    assert ending.result["message"] == "/not/there cannot be run: No such file or directory"


def test_a_run_that_takes_too_long_is_ended_in_order_and_tried_again(pipeline: Pipeline) -> None:
    pipeline.script({"sleep": 60}, {})
    ending = run_with_retries(
        pipeline.command, pipeline.config(timeout_seconds=1.5), pipeline.workspace, Stop()
    )
    assert pipeline.was_terminated
    assert (ending.status, ending.attempts) == ("pushed", 2)


def test_one_that_does_not_listen_is_killed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attempts, "_END_SECONDS", 0.5)
    pipeline.script({"sleep": 60, "on_term": "ignore"})
    began = time.monotonic()
    config = pipeline.config(timeout_seconds=1.5, retries=0)
    ending = run_with_retries(pipeline.command, config, pipeline.workspace, Stop())
    assert (ending.status, ending.exit_code) == ("timed_out", 1)
    assert "it took more than 1.5 s (schedule.timeout_seconds)" in ending.result["message"]
    assert time.monotonic() - began < 20


def test_the_history_says_why_a_run_was_cut_short(pipeline: Pipeline, tmp_path: Any) -> None:
    (tmp_path / "p").mkdir()
    place = Place(tmp_path / "p")
    record = begin(place.plan(), place.workspace, "c.yaml")
    place.end(record, "running")
    pipeline.script({"sleep": 60})
    config = pipeline.config(timeout_seconds=1, retries=0)
    run_with_retries(pipeline.command, config, place.workspace, Stop())
    (listed,) = read_records(place.workspace.runs)
    assert listed.status == "failed"
    assert listed.message is not None and listed.message.startswith("timed out: it took more than 1 s")


def test_told_to_stop_while_waiting(pipeline: Pipeline) -> None:
    pipeline.script(FAILED)
    stop = Stop()
    config = pipeline.config(backoff_seconds=60)
    ending = run_with_retries(
        pipeline.command, config, pipeline.workspace, stop, on_wait=lambda *_: stop.ask()
    )
    assert (ending.status, ending.attempts) == ("failed", 1)


def test_output_of_any_length_blocks_nothing(pipeline: Pipeline) -> None:
    program = "import json; print(json.dumps({'status': 'pushed', 'x': 'x' * 1_000_000}))"
    ending = run_with_retries([sys.executable, "-c", program], pipeline.config(), pipeline.workspace, Stop())
    assert len(ending.result["x"]) == 1_000_000
