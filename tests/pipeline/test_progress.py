"""How far a component is: from its log to the line of whoever watches."""

from __future__ import annotations

import io
import logging
import time

import pytest
from rich.console import Console

from pipeline.cli.progress import Progress
from pipeline.local import events
from pipeline.local.events import (
    FINISHED,
    PLANNED,
    PROGRESS,
    STARTED,
    Event,
    EventWriter,
    NodeWatcher,
    read_events,
)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def logger(stream: io.StringIO) -> logging.Logger:
    made = logging.Logger("runner", logging.INFO)
    made.addHandler(NodeWatcher(EventWriter(stream)))
    return made


def told(stream: io.StringIO) -> list[Event]:
    stream.seek(0)
    return list(read_events(stream))


def test_a_record_with_progress_is_an_event_of_the_component_at_work(
    stream: io.StringIO, logger: logging.Logger
) -> None:
    logger.info("Component %s is running.", "Trainer")
    logger.info("k-means: pass 7", extra={"progress": "pass 7"})
    logger.info("no progress")
    logger.info("Component %s is finished.", "Trainer")
    assert [(event.kind, event.node, event.message) for event in told(stream)] == [
        (STARTED, "Trainer", ""),
        (PROGRESS, "Trainer", "pass 7"),
        (FINISHED, "Trainer", ""),
    ]


def test_no_more_progress_than_can_be_read(
    stream: io.StringIO, logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(events.time, "monotonic", lambda: now)
    for number in range(100):
        now += 0.01
        logger.info("", extra={"progress": f"pass {number}"})
    assert 9 <= len(told(stream)) <= 11


def feed(progress: Progress) -> None:
    progress.on_event(Event(PLANNED, content=["Trainer", "Pusher"]))
    progress.on_event(Event(STARTED, "Trainer"))
    progress.on_event(Event(PROGRESS, "Trainer", message="pass 7: inertia 1.2e+05, moved 0.012"))


def test_the_line_of_the_component_that_runs_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=100, color_system=None)
    with Progress(console) as progress:
        feed(progress)
        time.sleep(0.4)
        live = shown.getvalue()
        progress.on_event(Event(FINISHED, "Trainer", seconds=3.0))
        progress.on_event(Event(STARTED, "Pusher"))
        shown.truncate(0)
        time.sleep(0.4)
        after = shown.getvalue()
    lines = [line for line in live.splitlines() if "Trainer" in line]
    assert any("pass 7: inertia 1.2e+05, moved 0.012" in line for line in lines)
    assert "Pusher" in after
    assert "pass 7" not in after, "it is said of the component that it was about"


def test_a_narrow_terminal_cuts_the_line_off() -> None:
    shown = io.StringIO()
    progress = Progress(Console(file=shown, force_terminal=True, width=50, color_system=None))
    feed(progress)
    console = Console(file=shown, width=50, color_system=None)
    console.print(progress._render())
    (line,) = (line for line in shown.getvalue().splitlines() if "pass 7" in line)
    assert line.rstrip().endswith("…")
    assert len(line) <= 50


def test_without_a_terminal_only_what_is_finished_is_printed() -> None:
    shown = io.StringIO()
    with Progress(Console(file=shown, width=100)) as progress:
        feed(progress)
        progress.on_event(Event(FINISHED, "Trainer", seconds=3.0))
    assert "pass" not in shown.getvalue()
    assert [line.split()[1] for line in shown.getvalue().splitlines()] == ["Starting", "Trainer"]
