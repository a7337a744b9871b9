"""`make soak`, shortened, with the real command; and that it sees what must never happen."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from benchmarks.soak.__main__ import main
from benchmarks.soak.command import SoakError
from benchmarks.soak.kills import soak_with_kills
from benchmarks.soak.months import retrain_by_month, source_file
from benchmarks.soak.served import ServedFolder

SEED = 20261124


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path: Path) -> None:
    result = soak_with_kills(tmp_path, kills=5, seed=SEED)
    assert result.kills == 5
    assert len(result.completed) >= 2
    assert len(result.versions) >= len(result.completed)
    # What was seen is what is there.
    served = tmp_path / "workspace" / "serving"
    assert sorted((name for name in os.listdir(served) if name.isdigit()), key=int) == result.versions
    harm(served / result.versions[-1])


def harm(version: Path) -> None:
    """Every harm that a kill could do to a version is seen by who looks for it."""
    folder = version.parent
    ServedFolder(folder).check()
    copy = folder / str(int(version.name) + 1)
    for spoil, words in (
        (lambda: (copy / "saved_model.pb").unlink(), "cannot be loaded"),
        (lambda: shutil.rmtree(copy / "variables"), "cannot be loaded"),
        (lambda: os.truncate(next((copy / "variables").glob("*.data-*")), 5), "cannot be loaded"),
        (lambda: (copy / "assets.extra" / "segments.json").write_text('{"segments": []}'), "none of"),
    ):
        shutil.copytree(version, copy)
        spoil()
        with pytest.raises(SoakError, match=words):
            ServedFolder(folder).check()
        shutil.rmtree(copy)
    looking = ServedFolder(folder)
    shutil.copytree(version, copy)
    looking.check()
    (copy / "assets.extra" / "push.json").write_text(json.dumps({}))
    with pytest.raises(SoakError, match="was changed"):
        looking.check()
    shutil.rmtree(copy)
    with pytest.raises(SoakError, match="are gone"):
        looking.check()


@pytest.mark.slow
def test_retrains_by_month(tmp_path: Path) -> None:
    try:
        source_file()
    except SoakError as error:
        pytest.skip(str(error))
    months = retrain_by_month(tmp_path, 2)
    assert [month.month for month in months] == [1, 2]
    assert 0 < months[0].transactions < months[1].transactions
    assert months[0].status == "pushed"


def test_the_command_says_what_failed_and_the_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kills-7").mkdir()
    # Whatever is asked of it, the command answers that it failed.
    monkeypatch.setattr("benchmarks.soak.command.Command.ask", lambda self, *words: (1, {"status": "failed"}))
    assert main(["--months", "0", "--kills", "3", "--seed", "7", "--folder", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("seed 7")
    assert "a run that was not killed ended with 1: failed" in said.err
    assert "(repeat with --seed 7 --kills 3)" in said.err
