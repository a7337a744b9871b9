"""A table of attributes is read as a table of customers is, and its errors name its own keys."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from components.errors import DataError
from configs.attributes import AttributesConfig
from configs.data import DataConfig
from configs.errors import ConfigError

_KEYS = re.compile(r"\bdata\.(path|id|columns|types|missing|delimiter|encoding)\b(?=[:.,\s]|$)")


def table_config(config: AttributesConfig) -> DataConfig:
    """The section that reads the table of attributes as a table of customers; rows without an id join nobody."""
    return DataConfig(
        path=config.path,
        id=config.id,
        columns=config.columns,
        types=config.types,
        missing=config.missing,
        delimiter=config.delimiter,
        encoding=config.encoding,
        missing_ids="drop",
    )


@contextlib.contextmanager
def named_in_errors() -> Iterator[None]:
    """Errors within name the keys of `data.attributes` in place of those of `data`."""
    try:
        yield
    except (ConfigError, DataError) as error:
        raise type(error)(_KEYS.sub(r"data.attributes.\1", str(error))) from error
