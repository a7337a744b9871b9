"""Executor of `Migration`: asks both models, joins with what was published, writes down who moved."""

from __future__ import annotations

import json
import os
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.assignments.table import PARQUET_FILE
from components.example_files import example_files, read_ingest
from components.migration.content import MIGRATION_FILE, build_content
from components.migration.moves import find_moves
from components.migration.scoring import NOWHERE, Segments, Table, ask, read_table
from components.migration.table import MOVED_FILE, moved_table, write_whole
from components.segments_file import read_segments
from components.served_model.ledger import read_ledger

SAMPLE = 131_072
"""So many customers are compared when the new model was not pushed."""


class Executor(base_executor.BaseExecutor):
    """Compares the new model with the one in production, customer by customer."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `migration.json`, and `<assignments_dir>/<version>/moved.parquet` when a version was pushed.

        Args:
          input_dict: the inputs of `component.MigrationSpec`, one artifact each.
          output_dict:
            - migration: a SegmentMigration with `migration.json`. Its custom property `served` is 1 or 0; `table`
              is the file of the customers who moved, when it was written.
          exec_properties:
            - serving_dir: the served folder.
            - assignments_dir: where the tables of all versions are.
            - id_column: the customer id; "" for the one that ExampleGen names in `ingest.json`.

        Raises:
          ValueError: The id column is not known.
        """
        inputs = {name: artifact_utils.get_single_instance(found) for name, found in input_dict.items()}
        output = artifact_utils.get_single_instance(output_dict["migration"])
        served = inputs["served_model"]
        is_served = served.get_int_custom_property("served") == 1
        output.set_int_custom_property("served", int(is_served))
        if not is_served:
            _write(output.uri, {"parent_version": None})
            return
        ingest = read_ingest(inputs["examples"].uri)
        id_column = exec_properties["id_column"] or ingest.get("id_column")
        if not id_column:
            raise ValueError("the customer id is not known: name it under data.id")

        version = served.get_string_custom_property("version")
        folders = {"parent": _saved_model(served), "model": _saved_model(inputs["model"])}
        assignments_dir = exec_properties["assignments_dir"].rstrip("/")
        now = _assignments(inputs["assignments"])
        before = read_table(f"{assignments_dir}/{version}/{PARQUET_FILE}")
        files = example_files(inputs["examples"])
        if now is None:
            customers = sum(ingest.get("customers", {}).values())
            share = min(1.0, SAMPLE / customers) if customers else 1.0
            ids, answers = _ask(folders, files, id_column, share)
            after, published = answers["model"], None if before is None else before.look_up(ids)
            parent_now = answers.get("parent")
        else:
            ids, after = now.ids, now.segments
            published = None if before is None else before.look_up(ids)
            parent_now = _of_parent(folders["parent"], files, id_column, now, published)
        moves = find_moves(after, parent_now, published, NOWHERE)

        parent, model = read_segments(folders["parent"]), read_segments(folders["model"])
        table = None
        if now is not None:
            pushed_version = inputs["pushed_model"].get_string_custom_property("pushed_version")
            table = f"{assignments_dir}/{pushed_version}/{MOVED_FILE}"
            names = [{each["id"]: each["name"] for each in found["segments"]} for found in (parent, model)]
            write_whole(moved_table(ids, id_column, moves, *names), table)
            output.set_string_custom_property("table", table)
        history = read_ledger(exec_properties["serving_dir"])
        content = build_content(version, parent, model, moves, history, table)
        _write(output.uri, content)
        logging.info(
            "Of %d customers %d moved (%.2f %%).",
            content["customers"],
            content["moved"]["customers"],
            100 * content["moved"]["share"],
        )


def _ask(
    folders: dict[str, str],
    files: list[str],
    id_column: str,
    share: float = 1.0,
    only: npt.NDArray[np.bool_] | None = None,
) -> tuple[pa.StringArray, dict[str, Segments]]:
    """What models say of customers; a parent that fails is left out."""
    try:
        return ask(folders, files, id_column, share, only)
    # A broken SavedModel breaks in as many ways as it has files; its successor is there all the same.
    except Exception as error:
        logging.warning("The model in production cannot be asked about today's customers: %s", error)
        others = {name: folder for name, folder in folders.items() if name != "parent"}
        return ask(others, files, id_column, share, only)


def _of_parent(
    folder: str, files: list[str], id_column: str, now: Table, published: Segments | None
) -> Segments | None:
    """Where the parent puts today's customers, int64 [n]; NOWHERE for those that it need not be asked about.

    Where most were published, only those who moved are of interest: a small part, of whom alone it is asked.
    """
    only = None
    if published is not None and (published != NOWHERE).any():
        only = (published != NOWHERE) & (published != now.segments)
    ids, answers = _ask({"parent": folder}, files, id_column, only=only)
    if only is not None and not ids.equals(now.ids.filter(pa.array(only))):
        # Not the order of the files: whoever wrote the table read them otherwise.
        ids, answers = _ask({"parent": folder}, files, id_column)
    if "parent" not in answers:
        return None
    found = np.full(len(now.ids), NOWHERE, np.int64)
    places = pc.index_in(ids, value_set=now.ids).to_numpy(zero_copy_only=False)
    found[places.astype(np.int64)] = answers["parent"]
    return found


def _assignments(assignments: types.Artifact) -> Table | None:
    if assignments.get_int_custom_property("written") != 1:
        return None
    return read_table(assignments.get_string_custom_property("path"))


def _saved_model(model: types.Artifact) -> str:
    return str(path_utils.serving_model_path(model.uri, path_utils.is_old_model_artifact(model)))


def _write(uri: str, content: dict[str, Any]) -> None:
    fileio.makedirs(uri)
    text = json.dumps(content, indent=1, allow_nan=False)
    io_utils.write_string_file(os.path.join(uri, MIGRATION_FILE), text + "\n")
