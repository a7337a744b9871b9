"""The folder where a fit that is cut short is found again: one per fit, named by what the fit depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf
from absl import logging

from components.trainer.kmeans import Checkpoint
from configs.training import TrainingConfig


def checkpoint_of(
    config: Mapping[str, Any],
    training: TrainingConfig,
    files: Sequence[str],
    graph: str,
    workers: int,
    base_model: str | None = None,
) -> Checkpoint | None:
    """The checkpoint of a fit, under `checkpoint_dir` of the Trainer's `custom_config`; None where none is wanted.

    Args:
      config: the Trainer's `custom_config`.
      training: its section `training`.
      files: of the train split; their names change with their content.
      graph: where the transform is; likewise.
      workers: how many share the rows.
      base_model: where the model in production is, from which the fit may start.
    """
    directory = config.get("checkpoint_dir")
    if training.checkpoint_seconds is None or not directory:
        return None
    content = json.dumps(
        [sorted(files), graph, config["model"], workers, config.get("code_version"), base_model]
    )
    name = hashlib.sha256(content.encode()).hexdigest()[:16]
    return Checkpoint(os.path.join(directory, name), training.checkpoint_seconds)


def remove_checkpoints(directory: str | None) -> None:
    """Removes what fits left that nobody will go on with: those of other data or another config."""
    if not directory or not tf.io.gfile.isdir(directory):
        return
    for name in tf.io.gfile.listdir(directory):
        path = os.path.join(directory, name)
        try:
            if tf.io.gfile.isdir(path):
                tf.io.gfile.rmtree(path)
        except tf.errors.OpError as error:
            logging.warning("The old checkpoint %s cannot be removed: %s", path, error.message)
