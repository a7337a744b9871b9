"""Executor of `Assignments`: the table of the version that was just pushed."""

from __future__ import annotations

from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils

from components.assignments.table import PARQUET_FILE, score, table_schema, write_table
from components.atomic import remove_leftovers, whole_folder
from components.errors import ServingError
from components.example_files import example_files, read_ingest
from components.migration.table import MOVED_FILE
from components.served_model.versions import list_versions
from configs.outputs import AssignmentsConfig


class Executor(base_executor.BaseExecutor):
    """Assigns every customer with the served model, if one was pushed."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `<assignments_dir>/<version>/assignments.parquet`, whole or not at all.

        Args:
          input_dict:
            - examples: the customer table, all splits.
            - pushed_model: what the Pusher did.
          output_dict:
            - assignments: a SegmentAssignments. Its custom property `written` is 1 or 0; when 1, `path` is
              the Parquet file and `customers` its number of rows.
          exec_properties:
            - assignments_config: `configs.outputs.AssignmentsConfig` as JSON.
            - assignments_dir: where the tables of all versions are.
            - id_column: the customer id; "" for the one that ExampleGen names in `ingest.json`.

        Raises:
          ServingError: The pushed version is not in the served folder any more.
          ValueError: The id column is not known, or has the name of another column of the table.
        """
        pushed = artifact_utils.get_single_instance(input_dict["pushed_model"])
        assignments = artifact_utils.get_single_instance(output_dict["assignments"])
        if pushed.get_int_custom_property("pushed") != 1:
            assignments.set_int_custom_property("written", 0)
            logging.info("No model was pushed: the assignments stay as they are.")
            return
        config = AssignmentsConfig.model_validate_json(exec_properties["assignments_config"])
        examples = artifact_utils.get_single_instance(input_dict["examples"])
        id_column = exec_properties["id_column"] or read_ingest(examples.uri).get("id_column")
        if not id_column:
            raise ValueError("the customer id is not known: name it under data.id")

        version = pushed.get_string_custom_property("pushed_version")
        model_dir = pushed.get_string_custom_property("pushed_destination")
        if version not in list_versions(model_dir.rstrip("/").rpartition("/")[0]):
            raise ServingError(f"version {version} was pushed to {model_dir} and is not there any more")
        assignments_dir = exec_properties["assignments_dir"].rstrip("/")
        remove_leftovers(assignments_dir)
        target = f"{assignments_dir}/{version}"
        # A table of this version can be there from an attempt that was killed before it was recorded.
        with whole_folder(target, last=PARQUET_FILE, replace=True) as staging:
            batches = score(model_dir, example_files(examples), id_column)
            customers = write_table(batches, table_schema(id_column), staging, config.csv)
            # Who moved when this version came: of a version that is kept, a new table changes nothing about that.
            if fileio.exists(f"{target}/{MOVED_FILE}"):
                fileio.copy(f"{target}/{MOVED_FILE}", f"{staging}/{MOVED_FILE}")
        assignments.set_int_custom_property("written", 1)
        assignments.set_int_custom_property("customers", customers)
        assignments.set_string_custom_property("path", f"{target}/{PARQUET_FILE}")
        logging.info("Wrote the segments of %d customers to %s.", customers, target)
