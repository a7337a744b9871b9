"""The SavedModels that `features` names: part of what a run depends on."""

from __future__ import annotations

import hashlib
import os

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig


def text_model_digests(config: PipelineConfig) -> dict[str, str]:
    """Of the content of each SavedModel that turns text into vectors: path -> 16 hexadecimal digits.

    Raises:
      ConfigError: there is no SavedModel there, or it cannot be read.
    """
    return {path: _digest(key, path) for path, key in sorted(config.features.text_models.items())}


def _digest(key: str, folder: str) -> str:
    names = ("saved_model.pb", "saved_model.pbtxt")
    if not any(os.path.isfile(os.path.join(folder, name)) for name in names):
        raise ConfigError(f"{key}: {folder} is no local folder with a SavedModel (a file saved_model.pb)")
    digest = hashlib.sha256()
    try:
        for parent, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                path = os.path.join(parent, name)
                digest.update(os.path.relpath(path, folder).encode() + b"\0")
                with open(path, "rb") as file:
                    digest.update(hashlib.sha256(file.read()).digest())
    except OSError as error:
        raise ConfigError(f"{key}: {error.filename} cannot be read: {error.strerror}") from error
    return digest.hexdigest()[:16]
