"""A full disk, and artifacts that were damaged between runs."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.command import Segments, customer_table, write_csv
from tests.end_to_end.test_bad_input import snapshot

pytestmark = pytest.mark.slow

MEBIBYTE = 1 << 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, of 16 MB; skips where none can be mounted."""
    if os.getuid() != 0:
        pytest.skip("needs root to mount a small file system")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no small file system can be mounted: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(segments: Segments, small_disk: Path) -> None:
    workspace = small_disk / "workspace"
    options = ("--workspace", str(workspace))
    segments.json("run", *options)
    served = snapshot(workspace / "serving")
    ballast = small_disk / "ballast"
    # Room for the outputs of some components, but not for a model: a run takes 2 MB, half of it before the push.
    fill(ballast, leave=MEBIBYTE // 2)
    write_csv(segments.data, customer_table(600, seed=1))
    failed = segments.json("run", *options, code=1)
    assert failed["status"] == "failed"
    assert failed["message"].startswith("the disk is full: 0 MB free for the workspace")
    assert failed["component"] not in ("", "ExampleGen"), "it was full before anything was done"
    assert snapshot(workspace / "serving") == served
    # Nothing at all can be written.
    fill(ballast, leave=0)
    done = segments("run", *options)
    assert done.returncode in (1, 2)
    assert "No space left on device" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert snapshot(workspace / "serving") == served

    ballast.unlink()
    result = segments.json("run", *options)
    assert (result["status"], result["version"]) == ("pushed", "2")
    assert "ExampleGen" in result["cached"]
    kept = {
        name: content for name, content in snapshot(workspace / "serving").items() if "/serving/1/" in name
    }
    assert kept == {name: content for name, content in served.items() if "/serving/1/" in name}
    runs = segments.json("runs", *options)["runs"]
    assert [run["status"] for run in runs] == ["pushed", "pushed"]
    assert not [name for name in os.listdir(workspace / "serving") if name.startswith(".incoming")]


def fill(path: Path, leave: int) -> None:
    """Lets a file grow until so many bytes are free, or as many as can be taken."""
    status = os.statvfs(path.parent)
    with open(path, "ab", buffering=0) as file:
        left = status.f_bavail * status.f_frsize - leave
        while left > 0:
            try:
                left -= file.write(b"\0" * min(left, MEBIBYTE))
            except OSError:
                return


def test_damaged_artifacts_are_made_again(segments: Segments) -> None:
    first = segments.json("run")
    artifacts = segments.workspace / "artifacts"
    (variables,) = artifacts.glob("Trainer/model/*/Format-Serving/variables/variables.data-*")
    os.truncate(variables, variables.stat().st_size // 2)
    # Another threshold, so that the Evaluator has to load the model, and the Pusher to push it.
    segments.config["evaluation"] = {"thresholds": {"silhouette": {"min": 0.1}}}
    second = segments.json("run")
    assert second["status"] == "pushed"
    assert segments.node_ids(second, cached=True) >= {"ExampleGen", "StatisticsGen", "Transform"}
    assert "Trainer" not in second["cached"]
    log = Path(second["log"]).read_text()
    assert f"{variables.parents[2]} is made again: Format-Serving/variables/{variables.name} has" in log
    assert [s["size"] for s in second["segments"]] == [s["size"] for s in first["segments"]]

    # What all others depend on.
    (examples,) = artifacts.glob("ExampleGen/examples/*/Split-eval/*")
    os.truncate(examples, examples.stat().st_size // 2)
    third = segments.json("run", "--force")
    assert third["status"] == "pushed"
    assert third["cached"] == []
    assert [s["size"] for s in third["segments"]] == [s["size"] for s in first["segments"]]
