"""An older version as the newest one: what a rollback does to the served folder. Imports neither TensorFlow nor TFX."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from pathlib import Path

from components.atomic import remove_leftovers, whole_folder
from components.served_model.ledger import write_ledger
from components.served_model.versions import (
    LAST_VERSION_FILE,
    PUSH_FILE,
    SAVED_MODEL_FILE,
    highest_number,
    read_mark,
    served_version,
)


def restore(serving_dir: str, version: str, run_id: str) -> str:
    """Copies a version under the next number, so that a server which serves the highest serves it again.

    The copy is the same model with the same digest: a Pusher that is given it again recognizes it. Its mark says what
    it is (`restored`: `version`, `replaced`, `run_id`, `at`). It appears whole or not at all. The ledger keeps the ids
    that later models gave to new segments.

    Args:
      serving_dir: the served folder, a local one.
      version: a version in it.
      run_id: names the rollback.

    Returns:
      The new version.
    """
    remove_leftovers(serving_dir)
    source = os.path.join(serving_dir, version)
    new = str(highest_number(serving_dir) + 1)
    restored = {
        "version": version,
        "replaced": served_version(serving_dir),
        "run_id": run_id,
        "at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
    }
    with whole_folder(os.path.join(serving_dir, new), last=SAVED_MODEL_FILE) as staging:
        shutil.copytree(source, staging, dirs_exist_ok=True)
        mark = Path(staging, PUSH_FILE)
        mark.parent.mkdir(exist_ok=True)
        mark.write_text(json.dumps({**read_mark(source), "restored": restored}, indent=2) + "\n")
    _replace_text(os.path.join(serving_dir, LAST_VERSION_FILE), f"{new}\n")
    write_ledger(serving_dir)
    return new


def restored_by(version_dir: str) -> str | None:
    """The rollback (its `run_id`) that made a version; None for a version that a run pushed."""
    restored = read_mark(version_dir).get("restored")
    return str(restored.get("run_id")) if isinstance(restored, dict) else None


def _replace_text(path: str, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".version-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
