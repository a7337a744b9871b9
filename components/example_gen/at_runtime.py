"""Files that nobody could look for before the run: on Kubeflow and Vertex the component finds them itself."""

from __future__ import annotations

import datetime
import json
from typing import Any

from pydantic import ValidationError

from components.example_gen.files import fingerprint_files
from components.example_gen.source import Source, resolve_source
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig


def as_submitted(data: DataConfig, path: str | None, span: str | None) -> DataConfig:
    """The section `data` with what was asked for when the run was submitted.

    Args:
      data: the section.
      path: a path, or several as a JSON list; empty for the section's own.
      span: a number or a date; empty for the section's own.

    Raises:
      ConfigError: they cannot be meant.
    """
    asked: dict[str, Any] = {}
    if path and path.startswith("["):
        try:
            asked["path"] = json.loads(path)
        except ValueError as error:
            raise ConfigError(f"data.path: {path} is no JSON list of paths ({error})") from error
    elif path:
        asked["path"] = path
    if span:
        asked["span"] = _span(span)
    try:
        return DataConfig.model_validate({**data.model_dump(by_alias=True), **asked})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"data.{first['loc'][0]}: {first['msg']}, found {first['input']!r}") from error


def _span(text: str) -> int | datetime.date:
    if text.isdecimal():
        return int(text)
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"data.span: '{text}' is neither a number nor a date such as 2026-11-24") from error


def find_source(data: DataConfig) -> tuple[Source, list[list[Any]]]:
    """The files, and their digests.

    Raises:
      ConfigError, DataError: as `resolve_source`.
    """
    source = resolve_source(PipelineConfig(name="source", data=data))
    return source, fingerprint_files(source.all_files, {})
