"""The real command in a folder of its own, started and looked at from outside."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]


class SoakError(AssertionError):
    """What must never happen has happened; says what, and what the run can be repeated with."""


def require(condition: object, message: str) -> None:
    """Raises SoakError unless the condition holds."""
    if not condition:
        raise SoakError(message)


@dataclass
class Command:
    """`segments` with one config and one workspace, both in `folder`."""

    folder: Path
    config: dict[str, Any]

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML.
        (self.folder / "soak.yaml").write_text(json.dumps(self.config))

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts `segments` with these arguments; `answer` has what it says, once it has ended."""
        command = [sys.executable, "-m", "pipeline.cli.main", *arguments]
        # Not a pipe: whoever looks at the process in place of reading would let it wait for ever.
        with self._answer.open("wb") as file:
            return subprocess.Popen(
                [*command, "soak.yaml", "--workspace", str(self.workspace), "--json"],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(PROJECT)},
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.DEVNULL,
            )

    def answer(self, process: subprocess.Popen[bytes]) -> str:
        """Waits for the end of what was started last; returns what it said."""
        process.wait()
        return self._answer.read_text()

    @property
    def _answer(self) -> Path:
        return self.folder / "answer.json"

    def ask(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Runs a command to its end; returns its exit code and its answer."""
        process = self.start(*arguments)
        output = self.answer(process)
        require(
            output.strip(), f"segments {' '.join(arguments)} said nothing; exit code {process.returncode}"
        )
        return process.returncode, json.loads(output)

    def new_words(self) -> Callable[[str], bool]:
        """Whether the runs' logs have said something since this was called."""
        sizes = {path: path.stat().st_size for path in self._logs()}

        def said(words: str) -> bool:
            for path in self._logs():
                with open(path, "rb") as file:
                    file.seek(sizes.get(path, 0))
                    if words.encode() in file.read():
                        return True
            return False

        return said

    def _logs(self) -> list[Path]:
        return list((self.workspace / "logs").glob("*.log"))
