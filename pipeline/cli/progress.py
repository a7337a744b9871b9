"""One line per component with its time, live where there is a terminal."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipeline.local.events import (
    FAILED,
    FINISHED,
    PLANNED,
    PROGRESS,
    REJECTED,
    SKIPPED,
    STARTED,
    USAGE,
    Event,
)


class Progress:
    """Shows events as they come. Without a terminal a finished line is printed per component, and no more."""

    def __init__(self, console: Console):
        self._console = console
        self._began = time.monotonic()
        self._node = "Starting"
        self._node_began = self._began
        self._note = ""
        self._lines: list[Text] = []
        self._total = 0
        self._spinner = Spinner("dots")
        self._live = (
            Live(console=console, get_renderable=self._render, refresh_per_second=8, transient=True)
            if console.is_terminal
            else None
        )

    def __enter__(self) -> Progress:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()
            for line in self._lines:
                self._console.print(line)

    def on_event(self, event: Event) -> None:
        """Takes an event of the child process."""
        if event.kind == PLANNED:
            self._total = len(event.content)
            self._finish("Starting", time.monotonic() - self._began, "TensorFlow and TFX loaded")
        elif event.kind == STARTED:
            self._node, self._node_began, self._note = event.node, time.monotonic(), ""
        elif event.kind == PROGRESS:
            self._note = event.message
        elif event.kind == FINISHED:
            self._finish(event.node, event.seconds, "unchanged" if event.cached else "")
            self._node = ""
        elif event.kind == SKIPPED:
            self._total -= 1
            self._node = ""
        elif event.kind in (REJECTED, FAILED, USAGE) and self._node:
            self._line("✗", "red", self._node, time.monotonic() - self._node_began, "")
            self._node = ""

    def _finish(self, node: str, seconds: float, note: str) -> None:
        self._line("✓", "green", node, seconds, note)

    def _line(self, mark: str, style: str, node: str, seconds: float, note: str) -> None:
        line = Text.assemble((mark, style), f" {node:<22}{seconds:7.1f} s", (f"  {note}", "dim"))
        self._lines.append(line)
        if not self._live:
            self._console.print(line)

    def _render(self) -> RenderableType:
        grid = Table.grid()
        # One line each, however narrow the terminal is, or those below would jump.
        grid.add_column(no_wrap=True, overflow="ellipsis")
        for line in self._lines:
            grid.add_row(line)
        if self._node:
            running = f"{self._node:<22}{time.monotonic() - self._node_began:7.1f} s"
            self._spinner.update(text=Text.assemble(running, (f"  {self._note}", "dim")))
            grid.add_row(self._spinner)
        done = max(0, len(self._lines) - 1)
        if self._total:
            elapsed = time.monotonic() - self._began
            grid.add_row(Text(f"  {done} of {self._total} components, {elapsed:.0f} s", "dim"))
        return grid
