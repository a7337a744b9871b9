"""Every version that was ever served: when, and who its segments were. Outlives the versions themselves.

The Pusher writes `.versions.json` beside the versions. Neither a rollback nor the removal of old versions takes
anything out of it, so an id that customers have seen is never given to other ones. Neither TensorFlow nor TFX is
imported, unless the folder is a remote one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from components.errors import ServingError
from components.identity.known import Known, Used
from components.paths import is_local
from components.segments_file import read_segments
from components.served_model.versions import PUSH_FILE, list_versions

LEDGER_FILE = ".versions.json"


@dataclass(frozen=True)
class Entry:
    """A version. run_id: the run that pushed it. segments: `id`, `name` and `share` of each, in their order."""

    version: str
    run_id: str | None = None
    next_id: int = 1
    segments: list[dict[str, Any]] = field(default_factory=list)
    retired: list[dict[str, Any]] = field(default_factory=list)


def read_ledger(serving_dir: str) -> list[Entry]:
    """The entries of all versions, oldest first: those written down, and those that are there without being so.

    Raises:
      ServingError: the ledger is there and cannot be read; without it ids could be used again.
    """
    folder = serving_dir.rstrip("/")
    text = _read(f"{folder}/{LEDGER_FILE}")
    entries: dict[str, Entry] = {}
    if text is not None:
        try:
            entries = {each["version"]: Entry(**each) for each in json.loads(text)["versions"]}
        except (ValueError, KeyError, TypeError) as error:
            raise ServingError(
                f"{folder}/{LEDGER_FILE} cannot be read ({error}); it says which segment ids were ever used: restore "
                "it, or remove it to take them from the versions that are still there"
            ) from error
    for version in list_versions(folder):
        if version not in entries:
            entry = entry_of(folder, version)
            if entry is not None:
                entries[version] = entry
    return sorted(entries.values(), key=lambda entry: int(entry.version))


def write_ledger(serving_dir: str) -> None:
    """Writes down what `read_ledger` finds, whole or not at all."""
    text = json.dumps({"versions": [asdict(entry) for entry in read_ledger(serving_dir)]}, indent=1) + "\n"
    path = f"{serving_dir.rstrip('/')}/{LEDGER_FILE}"
    if is_local(path):
        # One pusher at a time: what a killed one left is written over.
        with open(f"{path}.partial", "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
        return
    from tfx.dsl.io import fileio

    with fileio.open(path, "w") as opened:
        opened.write(text)


def entry_of(serving_dir: str, version: str) -> Entry | None:
    """The entry of a version that is there; None for one that does not say who its segments are."""
    folder = f"{serving_dir.rstrip('/')}/{version}"
    try:
        content = read_segments(folder)
        segments = [
            {"id": int(s["id"]), "name": str(s["name"]), "share": s.get("share")} for s in content["segments"]
        ]
        identity = content.get("identity") or {}
        retired = [
            {"id": int(r["id"]), "name": str(r["name"]), "last_version": r.get("last_version")}
            for r in identity.get("retired", [])
        ]
    except (ServingError, KeyError, TypeError, ValueError):
        return None
    # Models made before ids were for life had 1 to k.
    next_id = max([int(identity.get("next_id", 1)), *(s["id"] + 1 for s in segments)])
    return Entry(version, _run_of(folder), next_id, segments, retired)


def known_segments(serving_dir: str, but_of_runs: Collection[str] = ()) -> Known:
    """Every id that was ever served.

    Args:
      serving_dir: the served folder.
      but_of_runs: leaves out what these runs pushed: one that is resumed or done again must see what it saw at first.
    """
    used: dict[int, Used] = {}
    next_id = 1
    for entry in read_ledger(serving_dir):
        if entry.run_id in but_of_runs:
            continue
        next_id = max(next_id, entry.next_id)
        for each in entry.retired:
            used.setdefault(each["id"], Used(each["name"], each["last_version"]))
        for each in entry.segments:
            used[each["id"]] = Used(each["name"], entry.version)
    return Known(max([next_id, *(i + 1 for i in used)]), used)


def _run_of(folder: str) -> str | None:
    try:
        return str(json.loads(_read(f"{folder}/{PUSH_FILE}") or "{}")["run_key"])
    except (ValueError, KeyError, TypeError):
        return None


def _read(path: str) -> str | None:
    if is_local(path):
        file = Path(path)
        return file.read_text(encoding="utf-8") if file.exists() else None
    from tfx.dsl.io import fileio

    if not fileio.exists(path):
        return None
    with fileio.open(path, "r") as opened:
        return str(opened.read())
