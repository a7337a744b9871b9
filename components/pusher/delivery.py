"""Versions of a model in the served folder: made whole or not at all, and recognized when made before."""

from __future__ import annotations

import datetime
import json

from absl import logging
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.atomic import remove_leftovers, whole_folder
from components.errors import ServingError
from components.paths import is_local
from components.segments_file import SEGMENTS_FILE, read_segments
from components.served_model.versions import (
    SAVED_MODEL_FILE,
    list_versions,
    numbered_folders,
    served_version,
)

PUSH_FILE = "assets.extra/push.json"
LAST_VERSION_FILE = ".last_version"


def deliver(source: str, serving_dir: str, model_uri: str, run_key: str) -> str:
    """Makes a SavedModel the next version in the served folder, once per run; returns the version.

    Versions are 1, 2, 3, ...; a number is never used again, also when its folder was removed (a rollback).
    A version is marked (`assets.extra/push.json`) with the model, the run and the time: if the served one
    is this model of this run, an earlier attempt delivered it and was killed before it was recorded.
    Its segments.json tells the version that it replaces (`parent`).
    What killed attempts left behind is removed. One pusher at a time.

    Args:
      source: Folder of the SavedModel.
      serving_dir: The served folder; made where it is missing.
      model_uri: The model's artifact.
      run_key: Names the run.

    Raises:
      ServingError: `source` holds no `saved_model.pb`.
    """
    _tidy(serving_dir)
    version = served_version(serving_dir)
    if version is None or _mark_of(_join(serving_dir, version)) != (model_uri, run_key):
        if not fileio.exists(_join(source, SAVED_MODEL_FILE)):
            raise ServingError(f"{source} holds no {SAVED_MODEL_FILE}: nothing was exported, nothing to push")
        version_before, version = version, str(_highest_number(serving_dir) + 1)
        with whole_folder(_join(serving_dir, version), last=SAVED_MODEL_FILE) as staging:
            io_utils.copy_dir(source, staging)
            _write_mark(staging, model_uri, run_key)
            _write_parent(staging, version_before)
    else:
        logging.info("Version %s is this model, pushed by an attempt that was not recorded.", version)
    io_utils.write_string_file(_join(serving_dir, LAST_VERSION_FILE), f"{version}\n")
    return version


def _tidy(serving_dir: str) -> None:
    removed = remove_leftovers(serving_dir)
    if not is_local(serving_dir):
        # An interrupted upload: a numbered folder that has everything but the file that goes last.
        whole = set(list_versions(serving_dir))
        removed = [name for name in numbered_folders(serving_dir) if name not in whole]
        for name in removed:
            fileio.rmtree(_join(serving_dir, name))
    if removed:
        logging.info("Removed what a killed push left in %s: %s.", serving_dir, ", ".join(removed))


def _highest_number(serving_dir: str) -> int:
    """The highest number that a version has or had; folders that are no version keep theirs, too."""
    there = int((numbered_folders(serving_dir) or ["0"])[-1])
    path = _join(serving_dir, LAST_VERSION_FILE)
    text = io_utils.read_string_file(path).strip() if fileio.exists(path) else ""
    return max(there, int(text)) if text.isdecimal() else there


def _write_mark(folder: str, model_uri: str, run_key: str) -> None:
    pushed_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    mark = {"model": model_uri, "run_key": run_key, "pushed_at": pushed_at}
    path = _join(folder, PUSH_FILE)
    fileio.makedirs(path.rpartition("/")[0])
    io_utils.write_string_file(path, json.dumps(mark, indent=2) + "\n")


def _write_parent(folder: str, version: str | None) -> None:
    path = _join(folder, SEGMENTS_FILE)
    content = read_segments(folder)
    content["parent"] = None if version is None else {"version": version}
    io_utils.write_string_file(path, json.dumps(content, indent=1) + "\n")


def _mark_of(version_dir: str) -> tuple[str, str] | None:
    """The model and the run of a version; None for one that this Pusher did not make."""
    path = _join(version_dir, PUSH_FILE)
    if not fileio.exists(path):
        return None
    try:
        mark = json.loads(io_utils.read_string_file(path))
        return mark["model"], mark["run_key"]
    except (ValueError, KeyError, TypeError):
        return None


def _join(folder: str, *names: str) -> str:
    return "/".join((folder.rstrip("/"), *names))
