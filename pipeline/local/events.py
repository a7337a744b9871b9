"""What the process that runs the DAG tells the process that watches it: one JSON object a line."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, TextIO

# Kinds of events.
PLANNED = "planned"  # nodes: names in order
STARTED = "started"  # node
PROGRESS = "progress"  # node, message: how far it is, in a line
FINISHED = "finished"  # node, seconds, cached
SKIPPED = "skipped"  # node: it is on a way that the run does not take
REJECTED = "rejected"  # node, message
FAILED = "failed"  # node, message
USAGE = "usage"  # message
RESULT = "result"  # content

# A line that is replaced sooner than this would only be work for who shows it.
_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Event:
    """Something that happened in the child."""

    kind: str
    node: str = ""
    seconds: float = 0.0
    cached: bool = False
    message: str = ""
    content: Any = None


class EventWriter:
    """Writes events; the reader may be gone."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, event: Event) -> None:
        self._stream.write(json.dumps(asdict(event)) + "\n")
        self._stream.flush()


def read_events(stream: TextIO) -> Iterator[Event]:
    """Events until the writer ends."""
    for line in stream:
        yield Event(**json.loads(line))


class NodeWatcher(logging.Handler):
    """Turns what is logged into events: by LocalDagRunner, which has no hooks of its own, about its nodes, and by
    our components, which know nothing of who watches, about how far they are (records with a `progress`)."""

    def __init__(self, writer: EventWriter):
        super().__init__(level=logging.INFO)
        self._writer = writer
        self._began = 0.0
        self._told = float("-inf")
        self._cached = self._skipped = False
        self.node = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Listens for the runner's and the launcher's own messages, by their templates."""
        if record.msg == "Component %s is running." and isinstance(record.args, tuple):
            self.node, self._began = str(record.args[0]), time.monotonic()
            self._cached = self._skipped = False
            self._writer.write(Event(STARTED, self.node))
        elif record.msg == "A cached execution %d is used.":
            self._cached = True
        elif record.msg == "Skipping execution for %s":
            self._skipped = True
        elif record.msg == "Component %s is finished." and self._skipped:
            self._writer.write(Event(SKIPPED, self.node))
        elif record.msg == "Component %s is finished.":
            seconds = time.monotonic() - self._began
            self._writer.write(Event(FINISHED, self.node, seconds=seconds, cached=self._cached))
        elif hasattr(record, "progress") and time.monotonic() - self._told >= _PROGRESS_SECONDS:
            self._told = time.monotonic()
            self._writer.write(Event(PROGRESS, self.node, message=str(record.progress)))
