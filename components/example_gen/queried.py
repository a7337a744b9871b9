"""What of a query in place of files can be known to be wrong before it has run."""

from __future__ import annotations

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig


def check_query(config: PipelineConfig) -> None:
    """Refuses a configuration whose rows are those of a query and that asks for what only files have.

    Raises:
      ConfigError: names the key.
    """
    data = config.data
    if data.id is None:
        raise ConfigError("data.id: say which column of the query's result is the customer id")
    for key, is_said in (
        ("span", data.span is not None),
        ("window", data.window > 1),
        ("format", data.format != "auto"),
    ):
        if is_said:
            raise ConfigError(f"data.{key}: is for files; say in data.bigquery.query which rows to read")
    if not any(argument.startswith("--temp_location=") for argument in config.beam_args):
        raise ConfigError(
            "beam_args: Beam reads BigQuery through a bucket; name a folder in it, such as"
            " beam_args: ['--temp_location=gs://BUCKET/tmp']"
        )
