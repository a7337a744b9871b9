"""Versions of a model in the served folder: made whole or not at all, and recognized when made before."""

from __future__ import annotations

import datetime
import hashlib
import json

from absl import logging
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio
from tfx.utils import io_utils

from components.atomic import remove_leftovers, whole_folder
from components.errors import ServingError
from components.paths import is_local
from components.reference_statistics import write_reference_statistics
from components.segments_file import SEGMENTS_FILE, read_segments
from components.served_model.ledger import write_ledger
from components.served_model.versions import (
    LAST_VERSION_FILE,
    PUSH_FILE,
    SAVED_MODEL_FILE,
    highest_number,
    list_versions,
    numbered_folders,
    read_mark,
    served_version,
)


def deliver(
    source: str,
    serving_dir: str,
    model_uri: str,
    run_key: str,
    statistics: statistics_pb2.DatasetFeatureStatisticsList | None = None,
) -> str:
    """Makes a SavedModel the next version in the served folder, unless it is served already; returns the version.

    Versions are 1, 2, 3, ...; a number is never used again, also when its folder was removed (a rollback).
    A version is marked (`assets.extra/push.json`) with a digest of the model's files, where it came from, and
    when: if the served one has the same digest, either an earlier attempt delivered it and was killed before it
    was recorded, or nothing about the model has changed since.
    Its segments.json tells the version that it replaces (`parent`), and it brings the statistics of its features.
    The ledger (`components.served_model.ledger`) keeps who its segments were, whatever becomes of the version.
    What killed attempts left behind is removed. One pusher at a time.

    Args:
      source: Folder of the SavedModel.
      serving_dir: The served folder; made where it is missing.
      model_uri: The model's artifact.
      run_key: Names the run.
      statistics: Of the customers that the model was made from.

    Raises:
      ServingError: `source` holds no `saved_model.pb`.
    """
    _tidy(serving_dir)
    version = served_version(serving_dir)
    if not fileio.exists(_join(source, SAVED_MODEL_FILE)):
        raise ServingError(f"{source} holds no {SAVED_MODEL_FILE}: nothing was exported, nothing to push")
    digest = _digest(source)
    if version is None or read_mark(_join(serving_dir, version)).get("digest") != digest:
        version_before, version = version, str(highest_number(serving_dir) + 1)
        with whole_folder(_join(serving_dir, version), last=SAVED_MODEL_FILE) as staging:
            io_utils.copy_dir(source, staging)
            _write_mark(staging, digest, model_uri, run_key)
            _write_parent(staging, version_before)
            if statistics is not None:
                features = {feature["name"] for feature in read_segments(staging).get("features", ())}
                write_reference_statistics(staging, statistics, features)
    else:
        logging.info("Version %s is this very model.", version)
    io_utils.write_string_file(_join(serving_dir, LAST_VERSION_FILE), f"{version}\n")
    write_ledger(serving_dir)
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


def _write_mark(folder: str, digest: str, model_uri: str, run_key: str) -> None:
    pushed_at = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    mark = {"digest": digest, "model": model_uri, "run_key": run_key, "pushed_at": pushed_at}
    path = _join(folder, PUSH_FILE)
    fileio.makedirs(path.rpartition("/")[0])
    io_utils.write_string_file(path, json.dumps(mark, indent=2) + "\n")


def _write_parent(folder: str, version: str | None) -> None:
    path = _join(folder, SEGMENTS_FILE)
    content = read_segments(folder)
    content["parent"] = None if version is None else {"version": version}
    io_utils.write_string_file(path, json.dumps(content, indent=1) + "\n")


def _digest(folder: str) -> str:
    """Of the names and contents of all files, which for a SavedModel fit into memory one by one."""
    digest = hashlib.sha256()
    for parent, _, names in sorted(fileio.walk(folder)):
        for name in sorted(names):
            path = _join(parent, name)
            with fileio.open(path, "rb") as file:
                content = file.read()
            digest.update(path.removeprefix(folder).encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _join(folder: str, *names: str) -> str:
    return "/".join((folder.rstrip("/"), *names))
