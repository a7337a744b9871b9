"""`assets.extra/segments.json` of a model: who its segments are. Neither TensorFlow nor TFX for a local one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from components.errors import ServingError
from components.paths import is_local

SEGMENTS_FILE = "assets.extra/segments.json"


def read_segments(model_dir: str) -> dict[str, Any]:
    """The description of a SavedModel's segments.

    Raises:
      ServingError: It is missing or is not a JSON object.
    """
    path = f"{model_dir.rstrip('/')}/{SEGMENTS_FILE}"
    try:
        text = _read(path)
        if text is None:
            raise ServingError(f"{path} is missing: {model_dir} was not exported by this pipeline")
        content = json.loads(text)
    except ValueError as error:
        raise ServingError(f"{path} is not JSON: {error}") from error
    if not isinstance(content, dict):
        raise ServingError(f"{path} holds a {type(content).__name__} where an object is expected")
    return content


def _read(path: str) -> str | None:
    if is_local(path):
        file = Path(path)
        return file.read_text(encoding="utf-8") if file.exists() else None
    from tfx.dsl.io import fileio

    if not fileio.exists(path):
        return None
    with fileio.open(path, "r") as opened:
        return str(opened.read())
