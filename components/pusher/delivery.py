"""Versions of a model in the served folder: made whole or not at all, and recognized when made before."""

from __future__ import annotations

import datetime
import json

from absl import logging
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.atomic import is_local, remove_leftovers, whole_folder
from components.errors import ServingError
from components.served_model.versions import SAVED_MODEL_FILE, list_versions, numbered_folders, served_version

PUSH_FILE = "assets.extra/push.json"


def tidy(serving_dir: str) -> None:
    """Removes what killed pushes left in the served folder; never a version. One pusher at a time."""
    removed = remove_leftovers(serving_dir)
    if not is_local(serving_dir):
        # An interrupted upload: a numbered folder that has everything but the file that goes last.
        whole = set(list_versions(serving_dir))
        removed = [name for name in numbered_folders(serving_dir) if name not in whole]
        for name in removed:
            fileio.rmtree(_join(serving_dir, name))
    if removed:
        logging.info("Removed what a killed push left in %s: %s.", serving_dir, ", ".join(removed))


def delivered_version(serving_dir: str, model_uri: str, run_key: str) -> str | None:
    """The served version, if it is `model_uri` as pushed by the run `run_key`; else None."""
    version = served_version(serving_dir)
    if version is None:
        return None
    marker = _join(serving_dir, version, PUSH_FILE)
    if not fileio.exists(marker):
        return None
    try:
        pushed = json.loads(io_utils.read_string_file(marker))
    except ValueError:
        return None
    same = isinstance(pushed, dict) and (pushed.get("model"), pushed.get("run_key")) == (model_uri, run_key)
    return version if same else None


def deliver(source: str, serving_dir: str, model_uri: str, run_key: str) -> str:
    """Copies a SavedModel into the served folder as its next version and returns that version.

    The version is marked (`assets.extra/push.json`) with the model, the run and the time.

    Args:
      source: Folder of the SavedModel.
      serving_dir: The served folder; made where it is missing.
      model_uri: The model's artifact.
      run_key: Names the run.

    Raises:
      ServingError: `source` holds no `saved_model.pb`.
    """
    if not fileio.exists(_join(source, SAVED_MODEL_FILE)):
        raise ServingError(f"{source} holds no {SAVED_MODEL_FILE}: nothing was exported, nothing to push")
    # The next number is above folders that are no version too: what stands there is left alone.
    version = str(int((numbered_folders(serving_dir) or ["0"])[-1]) + 1)
    with whole_folder(_join(serving_dir, version), last=SAVED_MODEL_FILE) as staging:
        io_utils.copy_dir(source, staging)
        pushed_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
        mark = {"model": model_uri, "run_key": run_key, "pushed_at": pushed_at}
        marker = _join(staging, PUSH_FILE)
        fileio.makedirs(marker.rpartition("/")[0])
        io_utils.write_string_file(marker, json.dumps(mark, indent=2) + "\n")
    return version


def _join(folder: str, *names: str) -> str:
    return "/".join((folder.rstrip("/"), *names))
