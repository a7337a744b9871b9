"""What the served model was asked: rows that whoever serves it wrote down, read as customers are."""

from __future__ import annotations

from components.errors import DataError
from components.example_gen.files import fingerprint_files, matching
from components.example_gen.source import resolve_source, source_to_json
from configs.data import DataConfig
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig


def find_requests(config: PipelineConfig) -> tuple[DataConfig, str] | None:
    """The files of `drift.requests`, for a CustomerExampleGen of their own.

    Types and markers are those of the customer table; a customer who was asked about several times counts as asked
    the last time.

    Returns:
      How they are read and, as JSON, the files and their digests; None where there are none (yet).

    Raises:
      ConfigError: they cannot be read.
    """
    patterns = config.drift.requests
    if patterns is None or not any(matching(pattern) for pattern in patterns):
        return None
    # Of transactions the model knows only what they were summed up in.
    said = DataConfig(path=patterns) if config.data.transactions else config.data
    data = DataConfig(
        path=[pattern for pattern in patterns if matching(pattern)],
        delimiter=config.data.delimiter,
        encoding=config.data.encoding,
        duplicate_ids="last",
        missing_ids="drop",
    )
    try:
        # Their columns are their own: what is not among them is missing, which is for the comparison to say.
        there = {*resolve_source(PipelineConfig(name=config.name, data=data)).columns, "*"}
        data = data.model_copy(
            update={
                name: {column: value for column, value in getattr(said, name).items() if column in there}
                for name in ("types", "missing")
            }
        )
        source = resolve_source(PipelineConfig(name=config.name, data=data))
    except (ConfigError, DataError) as error:
        raise ConfigError(f"drift.requests: {error}") from error
    return data, source_to_json(source, fingerprint_files(source.files, {}))
