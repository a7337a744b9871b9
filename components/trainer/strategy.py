"""The `tf.distribute` strategy of a fit, and this process's part in it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

import tensorflow as tf

from configs.errors import ConfigError
from configs.training import TrainingConfig


@dataclass(frozen=True)
class Placement:
    """Where a fit runs.

    strategy: None for one device. worker, workers: which of how many processes of a TF_CONFIG cluster this is.
    local_workers: how many processes of this machine it starts to share its rows; 1 is itself alone.
    """

    strategy: tf.distribute.Strategy | None
    worker: int = 0
    workers: int = 1
    local_workers: int = 1

    @property
    def is_chief(self) -> bool:
        """Whether this process exports the model."""
        return self.worker == 0


def place(training: TrainingConfig) -> Placement:
    """Makes the strategy that `training` asks for.

    `auto` is `multi_worker` where TF_CONFIG describes more than one worker, `mirrored` on several GPUs, and
    one device else. Must run before TensorFlow touches a device when there are several workers.

    Raises:
      ConfigError: `multi_worker` without a usable TF_CONFIG, or `training.workers` beside one.
    """
    name = training.strategy
    workers, index = _cluster()
    if training.workers > 1:
        if workers:
            raise ConfigError(
                f"training.workers is {training.workers}, but TF_CONFIG already says which workers share the fit: "
                "leave training.workers at 1 in a cluster, or unset TF_CONFIG to fit on this machine alone"
            )
        return Placement(None, local_workers=training.workers)
    if name == "auto":
        if workers > 1:
            name = "multi_worker"
        else:
            name = "mirrored" if len(tf.config.list_physical_devices("GPU")) > 1 else "one_device"
    if name == "multi_worker":
        if not workers:
            raise ConfigError(
                "training.strategy is multi_worker, but TF_CONFIG does not describe a cluster with this task in it, "
                "and training.workers is 1: set either"
            )
        return Placement(tf.distribute.MultiWorkerMirroredStrategy(), index, workers)
    if name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Placement(tf.distribute.MirroredStrategy([device.name for device in devices]))
    return Placement(None)


def _cluster() -> tuple[int, int]:
    """(number of workers, index of this one) from TF_CONFIG; the chief, where there is one, is index 0."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        cluster, task = config.get("cluster", {}), config.get("task", {})
        chiefs, workers = len(cluster.get("chief", [])), len(cluster.get("worker", []))
        if chiefs + workers == 0:
            return 0, 0
        index = int(task["index"]) + (chiefs if task["type"] == "worker" else 0)
        return chiefs + workers, index
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"TF_CONFIG cannot be read: {error!r}") from error
