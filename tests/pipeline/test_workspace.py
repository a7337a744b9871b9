"""One run at a time, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from configs.errors import ConfigError
from pipeline.workspace import Workspace, WorkspaceBusyError


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace(str(tmp_path / "w"))
    made.prepare()
    return made


def test_a_held_workspace_is_refused_and_let_go(workspace: Workspace) -> None:
    with workspace.lock():
        assert workspace.is_locked()
        with (
            pytest.raises(WorkspaceBusyError, match=f"in use by another run .process {os.getpid()}."),
            workspace.lock(),
        ):
            pass
    assert not workspace.is_locked()
    with workspace.lock():
        pass


def test_a_child_that_inherits_the_lock_holds_it(workspace: Workspace) -> None:
    with workspace.lock() as descriptor:
        child = subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.stdin.read()"],
            stdin=subprocess.PIPE,
            pass_fds=[descriptor],
        )
    try:
        assert workspace.is_locked()
    finally:
        child.kill()
        child.communicate()
    assert not workspace.is_locked()


def test_a_run_waits_for_what_a_killed_one_left(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with workspace.lock() as descriptor:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"], pass_fds=[descriptor])
    # As if the command that held it, this process, had been killed.
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    Path(workspace.root, ".lock").write_text(f"process {dead.pid}")
    try:
        assert workspace.is_locked()
        with workspace.lock():
            assert child.wait(10) == 0, "the lock was not held"
        monkeypatch.setattr("pipeline.workspace._RELEASE_SECONDS", 0.1)
        with workspace.lock() as descriptor:
            child = subprocess.Popen(
                [sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[descriptor]
            )
        Path(workspace.root, ".lock").write_text(f"process {dead.pid}")
        with pytest.raises(WorkspaceBusyError), workspace.lock():
            pass
    finally:
        child.kill()
        child.wait()


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ConfigError, match="cannot be written: Not a directory; choose another with --workspace"
    ):
        Workspace(str(tmp_path / "file" / "w")).prepare()


def test_artifacts_without_their_metadata_are_kept_but_not_written_into(workspace: Workspace) -> None:
    old = Path(workspace.artifacts, "Trainer", "model", "7", "saved")
    old.parent.mkdir(parents=True)
    old.write_text("old")
    Path(workspace.checkpoints, "fit").mkdir()
    assert workspace.set_aside_orphaned_artifacts(newest_execution=7) is None, "it is known"
    aside = workspace.set_aside_orphaned_artifacts(newest_execution=6)
    assert aside is not None
    assert Path(aside, "Trainer", "model", "7", "saved").read_text() == "old"
    assert os.listdir(workspace.artifacts) == []
    assert os.listdir(workspace.checkpoints) == [], "new artifacts get the old names"
    assert workspace.set_aside_orphaned_artifacts(newest_execution=0) is None
    Path(workspace.artifacts, "Trainer", ".system", "executor_execution", "3").mkdir(parents=True)
    assert workspace.set_aside_orphaned_artifacts(newest_execution=2) is not None


def test_a_workspace_keeps_its_identity_where_it_is_moved(workspace: Workspace, tmp_path: Path) -> None:
    identity = workspace.identity()
    assert len(identity) == 32
    os.rename(workspace.root, tmp_path / "moved")
    assert Workspace(str(tmp_path / "moved")).identity() == identity
    assert workspace.root != str(tmp_path / "moved")
    workspace.prepare()
    assert workspace.identity() != identity
