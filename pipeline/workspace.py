"""The folder that belongs to one pipeline, and the lock that one run at a time holds."""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from configs.errors import ConfigError

# How long a child may take to follow the command that was killed.
_RELEASE_SECONDS = 10.0


class WorkspaceBusyError(RuntimeError):
    """Another run holds the workspace."""


@dataclass(frozen=True)
class Workspace:
    """Paths inside a workspace. Nothing is created until `prepare`."""

    root: str

    @property
    def metadata(self) -> str:
        """ML Metadata's SQLite file."""
        return os.path.join(self.root, "metadata.sqlite")

    @property
    def artifacts(self) -> str:
        """TFX's pipeline root."""
        return os.path.join(self.root, "artifacts")

    @property
    def serving(self) -> str:
        """Model versions 1, 2, 3, ...; a server watches this folder."""
        return os.path.join(self.root, "serving")

    @property
    def assignments(self) -> str:
        """Tables of who is in which segment, by model version."""
        return os.path.join(self.root, "assignments")

    @property
    def reports(self) -> str:
        """Pages, by run."""
        return os.path.join(self.root, "reports")

    @property
    def logs(self) -> str:
        """The full log of each run."""
        return os.path.join(self.root, "logs")

    @property
    def runs(self) -> str:
        """One record per run."""
        return os.path.join(self.root, "runs")

    @property
    def inputs(self) -> str:
        """Copies of external files under names that change with their content."""
        return os.path.join(self.root, "inputs")

    @property
    def checkpoints(self) -> str:
        """Fits that were cut short, for the next run to go on with."""
        return os.path.join(self.root, "checkpoints")

    def exists(self) -> bool:
        """Whether anything ran here."""
        return os.path.isdir(self.runs)

    def prepare(self) -> None:
        """Creates the folders and makes sure that they can be written.

        Raises:
          ConfigError: naming the folder and the reason.
        """
        for folder in (
            self.root,
            self.artifacts,
            self.serving,
            self.assignments,
            self.reports,
            self.logs,
            self.runs,
            self.inputs,
            self.checkpoints,
        ):
            try:
                os.makedirs(folder, exist_ok=True)
                probe = os.path.join(folder, f".probe-{os.getpid()}")
                with open(probe, "w"):
                    pass
                os.remove(probe)
            except OSError as error:
                raise ConfigError(
                    f"the workspace {folder} cannot be written: {error.strerror}; choose another with --workspace"
                ) from error

    @property
    def identity_file(self) -> str:
        """Tells this workspace from others, wherever it is moved."""
        return os.path.join(self.root, ".workspace-id")

    def identity(self) -> str:
        """What is in `identity_file`; made when it is asked for first. One process at a time."""
        try:
            with open(self.identity_file) as file:
                found = file.read().strip()
        except FileNotFoundError:
            found = ""
        if not found:
            found = uuid.uuid4().hex
            with open(self.identity_file, "w") as file:
                file.write(f"{found}\n")
        return found

    def set_aside_orphaned_artifacts(self, newest_execution: int) -> str | None:
        """Moves artifacts away that are of later executions than ML Metadata knows; returns where to.

        Its records were lost, replaced by older ones, or are in another database now. It numbers executions on
        from the newest it knows, and new outputs would land in old folders.

        Args:
          newest_execution: the highest id that ML Metadata has given to an execution.
        """
        if max(self._executions_with_outputs(), default=0) <= newest_execution:
            return None
        aside = f"{self.artifacts}.without-metadata-{time.strftime('%Y%m%d-%H%M%S')}"
        while os.path.exists(aside):
            aside += "-again"
        os.rename(self.artifacts, aside)
        os.makedirs(self.artifacts)
        # Fits are told apart by the names of the artifacts they read.
        shutil.rmtree(self.checkpoints)
        os.makedirs(self.checkpoints)
        return aside

    def _executions_with_outputs(self) -> Iterator[int]:
        """Ids of executions that have a folder: `artifacts/<node>/<output>/<id>`, or deeper in `.system`."""
        for pattern in ("*/*/*", "*/.system/*/*"):
            for path in glob.iglob(os.path.join(glob.escape(self.artifacts), pattern)):
                name = os.path.basename(path)
                if name.isascii() and name.isdigit():
                    yield int(name)

    @contextmanager
    def lock(self) -> Iterator[int]:
        """Holds the workspace; yields the lock's file descriptor for a child process to inherit.

        The kernel lets go of the lock when every process that inherited it has ended, however it ended.

        Raises:
          WorkspaceBusyError: another run holds it.
        """
        path = os.path.join(self.root, ".lock")
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._take(descriptor)
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()}".encode(), 0)
            yield descriptor
        finally:
            os.close(descriptor)

    def _take(self, descriptor: int) -> None:
        deadline = time.monotonic() + _RELEASE_SECONDS
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                holder = os.pread(descriptor, 100, 0).decode(errors="replace").strip()
                if _is_alive(holder) or time.monotonic() > deadline:
                    raise WorkspaceBusyError(
                        f"the workspace {self.root} is in use by another run{f' ({holder})' if holder else ''}; "
                        "wait for it to end, or choose another with --workspace"
                    ) from error
            # The command was killed; the kernel is still clearing its child away.
            time.sleep(0.02)

    def is_locked(self) -> bool:
        """Whether a run holds the workspace now."""
        try:
            descriptor = os.open(os.path.join(self.root, ".lock"), os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False


def _is_alive(holder: str) -> bool:
    """Whether the process that wrote its name into the lock is there; a name that cannot be read is taken as one."""
    number = holder.removeprefix("process ")
    return not number.isdecimal() or os.path.exists(f"/proc/{number}")
