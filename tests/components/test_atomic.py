"""Folders that appear whole or not at all: also when the process is killed, and where there is no rename."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from components.atomic import STAGING_PREFIX, remove_leftovers, whole_folder
from components.paths import is_local

ROOT = Path(__file__).parents[2]


def test_the_folder_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "new" / "1"
    with whole_folder(str(target)) as staging:
        Path(staging, "a").write_text("x")
        Path(staging, "sub").mkdir()
        Path(staging, "sub", "b").write_text("y")
        assert not target.exists()
    assert (target / "a").read_text() + (target / "sub" / "b").read_text() == "xy"
    assert [path.name for path in target.parent.iterdir()] == ["1"]


def test_others_may_read_it(tmp_path):
    before = os.umask(0o022)
    try:
        with whole_folder(str(tmp_path / "1")):
            pass
    finally:
        os.umask(before)
    assert (tmp_path / "1").stat().st_mode & 0o777 == 0o755


def test_an_error_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), whole_folder(str(tmp_path / "1")) as staging:
        Path(staging, "a").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_stays_unless_it_is_to_be_replaced(tmp_path):
    target = tmp_path / "1"
    target.mkdir()
    (target / "old").write_text("old")
    with pytest.raises(FileExistsError), whole_folder(str(target)):
        pass
    assert (target / "old").read_text() == "old"
    with pytest.raises(RuntimeError), whole_folder(str(target), replace=True):
        raise RuntimeError
    assert (target / "old").read_text() == "old"
    with whole_folder(str(target), replace=True) as staging:
        Path(staging, "new").write_text("new")
    assert [path.name for path in target.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


KILLED = """
import os, signal, sys
from pathlib import Path
from components import atomic
at, target = sys.argv[1:]
def kill(*args): os.kill(os.getpid(), signal.SIGKILL)
if at == "flush": atomic._flush = kill
if at == "rename": atomic.os.rename = kill
with atomic.whole_folder(target) as staging:
    Path(staging, "a").write_text("x")
    if at == "fill": kill()
    Path(staging, "b").write_text("y")
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", ["fill", "flush", "rename"])
def test_a_killed_process_leaves_no_half_folder(tmp_path, at):
    target = tmp_path / "1"
    process = subprocess.run([sys.executable, "-c", KILLED, at, str(target)], cwd=ROOT, capture_output=True)
    assert process.returncode == -signal.SIGKILL
    assert not target.exists()
    (leftover,) = tmp_path.iterdir()
    assert leftover.name.startswith(f"{STAGING_PREFIX}1-")
    assert remove_leftovers(str(tmp_path)) == [leftover.name]
    assert list(tmp_path.iterdir()) == []


def test_only_leftovers_are_removed(tmp_path):
    for name in ("1", ".hidden", f"{STAGING_PREFIX}2-abc", "incoming"):
        (tmp_path / name).mkdir()
    assert remove_leftovers(str(tmp_path)) == [f"{STAGING_PREFIX}2-abc"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [".hidden", "1", "incoming"]
    assert remove_leftovers(str(tmp_path / "not there")) == []


def test_without_a_rename_the_deciding_file_goes_last(store, tmp_path):
    assert not is_local("store://bucket/1")
    with whole_folder("store://bucket/1", last="saved_model.pb") as staging:
        for name in ("saved_model.pb", "variables/data", "zzz"):
            Path(staging, name).parent.mkdir(exist_ok=True)
            Path(staging, name).write_text(name)
        assert store.written == []
    assert [name.removeprefix("store://bucket/1/") for name in store.written] == [
        "variables/data",
        "zzz",
        "saved_model.pb",
    ]
    assert (tmp_path / "bucket/1/variables/data").read_text() == "variables/data"


def test_without_a_rename_a_failed_upload_lacks_the_deciding_file(store, tmp_path):
    store.fail_at = "zzz"
    with pytest.raises(ConnectionError), whole_folder("store://bucket/1", last="saved_model.pb") as staging:
        for name in ("saved_model.pb", "a", "zzz"):
            Path(staging, name).write_text(name)
    assert [path.name for path in (tmp_path / "bucket/1").iterdir()] == ["a"]


def test_without_a_rename_nothing_is_replaced_unasked(store):
    with whole_folder("store://bucket/1") as staging:
        Path(staging, "a").write_text("x")
    with pytest.raises(FileExistsError), whole_folder("store://bucket/1"):
        pass
