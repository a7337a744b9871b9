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


def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        ConfigError, match="cannot be written: Not a directory; choose another with --workspace"
    ):
        Workspace(str(tmp_path / "file" / "w")).prepare()


def test_artifacts_without_their_metadata_are_kept_but_not_written_into(workspace: Workspace) -> None:
    old = Path(workspace.artifacts, "Trainer", "7", "model")
    old.parent.mkdir(parents=True)
    old.write_text("old")
    Path(workspace.checkpoints, "fit").mkdir()
    aside = workspace.set_aside_orphaned_artifacts()
    assert aside is not None
    assert Path(aside, "Trainer", "7", "model").read_text() == "old"
    assert os.listdir(workspace.artifacts) == []
    assert os.listdir(workspace.checkpoints) == [], "new artifacts get the old names"
    assert workspace.set_aside_orphaned_artifacts() is None
    Path(workspace.metadata).write_text("")
    Path(workspace.artifacts, "Trainer").mkdir()
    assert workspace.set_aside_orphaned_artifacts() is None
