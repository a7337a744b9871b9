"""Executor of `ServedModel`: copies the served version into an artifact."""

from __future__ import annotations

import os
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.dsl.io import fileio
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.errors import ServingError
from components.served_model.known import known_from_json, write_known
from components.served_model.ledger import known_segments
from components.served_model.versions import SAVED_MODEL_FILE, served_version

NEWEST = "newest"


class Executor(base_executor.BaseExecutor):
    """Publishes the model in production, or says that there is none."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Copies the version: the run keeps its parent, whatever happens to the served folder meanwhile.

        Args:
          input_dict: Empty.
          output_dict:
            - model: a Model artifact. Its custom property `served` is 1 or 0; when 1, `version` names the
              version and `<uri>/Format-Serving` is a copy of it. `<uri>/known.json` has the version, too, and
              every segment id that was ever served.
            - pushed_model: a PushedModel with the properties that the Pusher gives one: `pushed` is 1 or 0; when 1,
              `pushed_version` and `pushed_destination` say what is served and where. It holds no copy.
          exec_properties:
            - serving_dir: the served folder.
            - version: a version in it; "" for none; `NEWEST` for the one that is served now.
            - known: JSON of every segment id that was ever served; "" for none.

        Raises:
          ServingError: The version is not there, or it is not a SavedModel.
        """
        model = artifact_utils.get_single_instance(output_dict["model"])
        version, serving_dir = exec_properties["version"], exec_properties["serving_dir"]
        known = known_from_json(exec_properties.get("known") or "")
        if version == NEWEST:
            version, known = served_version(serving_dir) or "", known_segments(serving_dir)
        model.set_string_custom_property("version", version)
        model.set_int_custom_property("served", 1 if version else 0)
        pushed = artifact_utils.get_single_instance(output_dict["pushed_model"])
        pushed.set_int_custom_property("pushed", 1 if version else 0)
        write_known(model.uri, version, known)
        if not version:
            logging.info("No version is served yet: this run has no parent.")
            return
        source = os.path.join(serving_dir, version)
        pushed.set_string_custom_property("pushed_version", version)
        pushed.set_string_custom_property("pushed_destination", source)
        if not fileio.exists(os.path.join(source, SAVED_MODEL_FILE)):
            raise ServingError(
                f"version {version} is not there any more: no {SAVED_MODEL_FILE} in {source}; start a new run"
            )
        io_utils.copy_dir(source, path_utils.serving_model_dir(model.uri))
        logging.info("Version %s is the parent of this run.", version)
