"""Where the checkpoint of a fit is, and what is left of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from components.trainer.checkpoints import checkpoint_of, remove_checkpoints
from configs.training import TrainingConfig

CONFIG = {"model": "{}", "checkpoint_dir": "workspace/checkpoints", "code_version": "1"}
FIT: dict[str, Any] = {
    "config": CONFIG, "training": TrainingConfig(), "files": ["a", "b"], "graph": "g/7", "workers": 1
}  # fmt: skip


def folder(**changed: Any) -> str:
    checkpoint = checkpoint_of(**{**FIT, **changed})
    assert checkpoint is not None
    return checkpoint.directory


def test_a_fit_finds_its_own_again() -> None:
    assert folder() == folder(files=["b", "a"], training=TrainingConfig(checkpoint_seconds=0))
    assert Path(folder()).parent == Path("workspace/checkpoints")
    checkpoint = checkpoint_of(**{**FIT, "training": TrainingConfig(checkpoint_seconds=7)})
    assert checkpoint is not None
    assert checkpoint.every_seconds == 7.0


@pytest.mark.parametrize(
    "changed",
    [
        {"files": ["a", "c"]},
        {"graph": "g/8"},
        {"workers": 2},
        {"config": {**CONFIG, "model": '{"k": 4}'}},
        {"config": {**CONFIG, "code_version": "2"}},
    ],
)
def test_another_fit_has_another(changed: dict[str, Any]) -> None:
    assert folder(**changed) != folder()


def test_none_where_none_is_wanted_or_there_is_no_place() -> None:
    assert checkpoint_of(**{**FIT, "training": TrainingConfig(checkpoint_seconds=None)}) is None
    assert checkpoint_of(**{**FIT, "config": {"model": "{}"}}) is None


def test_all_are_removed(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "part").mkdir(parents=True)
        (tmp_path / name / "state").write_text("x")
    remove_checkpoints(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
    remove_checkpoints(str(tmp_path / "never made"))
    remove_checkpoints(None)
