"""What all commands share: their options, their output, their exit codes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Annotated, Any, NoReturn, Optional

import typer
from rich.console import Console

from components.errors import DataError, ServingError
from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig
from pipeline.errors import MetadataError
from pipeline.workspace import Workspace, WorkspaceBusyError

ConfigArgument = Annotated[str, typer.Argument(metavar="CONFIG", help="The pipeline's YAML file.")]
WorkspaceOption = Annotated[
    Optional[str],
    typer.Option("--workspace", metavar="DIR", help="The pipeline's folder. Default: workspaces/NAME."),
]
SetOption = Annotated[
    Optional[list[str]],
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Overrides a key of the config, such as model.k=7. Repeatable."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object, for programs.")]

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def load(config: str, overrides: list[str] | None, workspace: str | None) -> tuple[PipelineConfig, Workspace]:
    """The configuration and its workspace."""
    loaded = load_config(config, overrides or ())
    if workspace and "://" in workspace:
        raise ConfigError(f"--workspace {workspace}: must be a local folder")
    return loaded, Workspace(os.path.abspath(workspace or os.path.join("workspaces", loaded.name)))


def print_json(content: Any) -> None:
    """One object on stdout."""
    json.dump(content, sys.stdout, indent=2, default=str)
    sys.stdout.write("\n")


def leave(code: int, status: str, message: str, as_json: bool, content: Mapping[str, Any]) -> NoReturn:
    """Ends the command with a message for people, or for programs."""
    if as_json:
        print_json({**content, "status": status, "message": message})
    else:
        err.print(f"[bold red]{status}[/]:", end=" ")
        err.print(message, markup=False)
    raise typer.Exit(code)


@contextmanager
def errors_for_people(as_json: bool, content: Mapping[str, Any] = MappingProxyType({})) -> Iterator[None]:
    """Turns expected errors into a message and an exit code.

    Args:
      as_json: print one JSON object in place of a line.
      content: what that object holds besides `status` and `message`.
    """
    try:
        yield
    except ConfigError as error:
        leave(2, "usage", str(error), as_json, content)
    except DataError as error:
        leave(4, "rejected", str(error), as_json, content)
    except (WorkspaceBusyError, ServingError, MetadataError) as error:
        leave(1, "failed", str(error), as_json, content)
    except OSError as error:
        where = error.filename or "the file system"
        leave(1, "failed", f"{where}: {error.strerror or error}", as_json, content)
    except KeyboardInterrupt:
        leave(130, "failed", "interrupted; the same command goes on from here", as_json, content)
