"""Which `tf.distribute` strategy a config and an environment mean."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import tensorflow as tf

from components.trainer.strategy import place
from configs.errors import ConfigError
from configs.training import TrainingConfig


def test_one_device_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    placement = place(TrainingConfig())
    assert placement.strategy is None
    assert placement.is_chief
    assert placement.local_workers == 1


@pytest.mark.parametrize("strategy", ["auto", "multi_worker"])
def test_local_workers_have_their_strategy_themselves(monkeypatch: pytest.MonkeyPatch, strategy: str) -> None:
    monkeypatch.setenv("TF_CONFIG", "{}")
    placement = place(TrainingConfig(strategy=strategy, workers=3))
    assert placement.strategy is None
    assert (placement.worker, placement.workers, placement.local_workers) == (0, 1, 3)


def test_local_workers_beside_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = {"cluster": {"chief": ["a:1"], "worker": ["b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ConfigError, match=r"leave training\.workers at 1 in a cluster, or unset TF_CONFIG"):
        place(TrainingConfig(workers=2))


def test_mirrored(monkeypatch: pytest.MonkeyPatch) -> None:
    placement = place(TrainingConfig(strategy="mirrored"))
    assert isinstance(placement.strategy, tf.distribute.MirroredStrategy)


@pytest.mark.parametrize("value", ["", "{}", '{"cluster": {}}'])
def test_multi_worker_needs_a_cluster(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TF_CONFIG", value)
    with pytest.raises(ConfigError, match="TF_CONFIG does not describe a cluster"):
        place(TrainingConfig(strategy="multi_worker"))


def test_a_damaged_cluster_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CONFIG", '{"cluster": {"worker": ["localhost:1"]}}')
    with pytest.raises(ConfigError, match="TF_CONFIG cannot be read: KeyError"):
        place(TrainingConfig())


@pytest.mark.slow
def test_a_cluster_is_found_by_itself() -> None:
    """In a process of its own: the collective runtime starts once per process."""
    cluster = {"cluster": {"worker": ["localhost:0"]}, "task": {"type": "worker", "index": 0}}
    code = (
        "from components.trainer.strategy import place\n"
        "from configs.training import TrainingConfig\n"
        "p = place(TrainingConfig(strategy='multi_worker'))\n"
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
