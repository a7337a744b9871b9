"""An older version as the newest one: what a rollback does to the served folder. Imports neither TensorFlow nor TFX."""

from __future__ import annotations

import datetime
import json
import os
import shutil
import tempfile
from pathlib import Path

from components.atomic import remove_leftovers, whole_folder
from components.segments_file import SEGMENTS_FILE
from components.served_model.versions import (
    LAST_VERSION_FILE,
    PUSH_FILE,
    SAVED_MODEL_FILE,
    highest_number,
    read_mark,
    served_version,
)

# In segments.json of a copy: ids up to this one were given out at some time and are not free.
HIGHEST_SEGMENT_ID = "highest_segment_id"


def restore(serving_dir: str, version: str, run_id: str, highest_segment_id: int = 0) -> str:
    """Copies a version under the next number, so that a server which serves the highest serves it again.

    The copy is the same model with the same digest: a Pusher that is given it again recognizes it. Its mark says what
    it is (`restored`: `version`, `replaced`, `run_id`, `at`), and its segments.json that the ids which later models
    gave to new segments stay taken (`highest_segment_id`). It appears whole or not at all.

    Args:
      serving_dir: the served folder, a local one.
      version: a version in it.
      run_id: names the rollback.
      highest_segment_id: the highest id of any segment up to now.

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
        _keep_ids_taken(Path(staging, SEGMENTS_FILE), highest_segment_id)
    _replace_text(os.path.join(serving_dir, LAST_VERSION_FILE), f"{new}\n")
    return new


def restored_by(version_dir: str) -> str | None:
    """The rollback (its `run_id`) that made a version; None for a version that a run pushed."""
    restored = read_mark(version_dir).get("restored")
    return str(restored.get("run_id")) if isinstance(restored, dict) else None


def _keep_ids_taken(path: Path, highest: int) -> None:
    if not path.is_file():
        return
    content = json.loads(path.read_text(encoding="utf-8"))
    own = max((int(segment["id"]) for segment in content.get("segments", [])), default=0)
    content[HIGHEST_SEGMENT_ID] = max(highest, own, int(content.get(HIGHEST_SEGMENT_ID, 0)))
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def _replace_text(path: str, text: str) -> None:
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".version-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    os.chmod(temporary, 0o644)
    os.replace(temporary, path)
