"""Which `tf.distribute` strategy a config and an environment mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from components.trainer.strategy import place


def test_one_device_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    placement = place("auto")
    assert placement.strategy is None
    assert placement.is_chief


def test_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    placement = place("mirrored")
    assert isinstance(placement.strategy, tf.distribute.MirroredStrategy)


@pytest.mark.parametrize("value", ["", "{}", '{"cluster": {}}'])
def test_multi_worker_needs_a_cluster(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ValueError, match="TF_CONFIG does not describe a cluster"):
        place("multi_worker")


def test_a_damaged_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["localhost:1"]}}')
    with pytest.raises(ValueError, match="TF_CONFIG cannot be read: KeyError"):
        place("auto")


@pytest.mark.slow
def test_a_cluster_is_found_by_itself() -> None:
    """In a process of its own: the collective runtime starts once per process."""
    cluster = {"cluster": {"worker": ["localhost:0"]}, "task": {"type": "worker", "index": 0}}
    code = (
        "from components.trainer.strategy import place\n"
        "p = place('multi_worker')\n"
        "print(type(p.strategy).__name__, p.worker, p.workers)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TF_CONFIG": json.dumps(cluster)},
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["CollectiveAllReduceStrategy", "0", "1"] or done.stdout.split() == [
        "MultiWorkerMirroredStrategy",
        "0",
        "1",
    ]
