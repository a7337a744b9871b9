"""`segments clean`: remove what the config's section `retention` does not keep."""

from __future__ import annotations

from typing import Annotated

import typer

from configs.errors import ConfigError
from pipeline.cli.common import (
    ConfigArgument,
    JsonOption,
    SetOption,
    WorkspaceOption,
    errors_for_people,
    load,
    out,
    print_json,
)
from pipeline.retention import Removal, clean_up

_NAMED = {
    "models": "models",
    "assignments": "assignments of models",
    "reports": "reports of runs",
    "logs": "logs of runs",
}


def clean(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove old artifacts, models, assignments, reports and logs, as the config's 'retention' says.

    Every run does the same when it ends. What serves and what the next run needs always stays.
    """
    with errors_for_people(as_json):
        loaded, place = load(config, overrides, workspace)
        if not place.exists():
            raise ConfigError(f"there is no workspace {place.root} yet; 'segments run {config}' makes one")
        with place.lock():
            removal = clean_up(loaded, place, dry_run)
    if as_json:
        print_json({"status": "ok", "dry_run": dry_run, **removal.to_dict()})
    else:
        _show(removal, dry_run)


def _show(removal: Removal, dry_run: bool) -> None:
    content = removal.to_dict()
    if not any(content.values()):
        out.print("nothing to remove: the config's 'retention' keeps all there is")
        return
    out.print("would remove" if dry_run else "removed", style="bold")
    for what, key in _NAMED.items():
        names = content[key]
        some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        if names:
            out.print(f"  {what}: {some}", markup=False)
    if content["folders"]:
        out.print(f"  {content['artifacts']} artifacts in {content['folders']} folders")
    out.print(f"  {content['bytes'] / 1e6:,.1f} MB in all")
