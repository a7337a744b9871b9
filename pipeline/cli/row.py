"""A customer given on the command line or in a file, as one JSON object."""

from __future__ import annotations

import json
from typing import Any

from configs.errors import ConfigError


def given_row(text: str | None, path: str | None) -> dict[str, Any] | None:
    """Column -> value; None where neither is given.

    Args:
      text: JSON.
      path: of a file with JSON.

    Raises:
      ConfigError: the file cannot be read, or there is no JSON object in it.
    """
    where = "--row"
    if path is not None:
        where = f"--row-file {path}"
        try:
            with open(path, encoding="utf-8-sig") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"{where}: cannot be read: {error}") from error
    if text is None:
        return None
    try:
        content = json.loads(text)
    except ValueError as error:
        example = """'{"age": 34, "plan": "basic"}'"""
        raise ConfigError(f"{where}: is not JSON: {error}; write it like {example}") from error
    if not isinstance(content, dict):
        raise ConfigError(
            f"{where}: must be one JSON object, column to value, not a {type(content).__name__}"
        )
    return content
