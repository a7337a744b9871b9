"""Executor of `ServingCheck`: runs the probe in a process of its own and writes the InfraBlessing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import logging
from tfx import types
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils
from tfx.utils import io_utils, path_utils

from components.example_files import example_files

PROBE = Path(__file__).with_name("probe.py")
CHECK_FILE = "check.json"
# As TFX's InfraValidator writes them.
BLESSED_FILE, NOT_BLESSED_FILE = "INFRA_BLESSED", "INFRA_NOT_BLESSED"


class Executor(base_executor.BaseExecutor):
    """Blesses a model that a server can load and that answers as the contract says."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Checks the model. A model that fails is not an error of the run: it is not blessed.

        Args:
          input_dict:
            - model: the exported model.
            - examples: the customer table; its eval split gives the real rows.
          output_dict:
            - blessing: an InfraBlessing with the custom property `blessed` and the file that TFX writes, and
              `check.json`: `blessed`, `failures` (a line per failed check), `checks` (how many were made),
              `imported` (the modules of the probe's process), `seconds`.
          exec_properties:
            - rows: how many real rows are asked about.
            - timeout_seconds: the time the probe has.
        """
        model = artifact_utils.get_single_instance(input_dict["model"])
        blessing = artifact_utils.get_single_instance(output_dict["blessing"])
        request = {
            "model": path_utils.serving_model_path(model.uri),
            "examples": example_files(artifact_utils.get_single_instance(input_dict["examples"]), ["eval"]),
            "rows": exec_properties["rows"],
        }
        start = time.monotonic()
        result = run_probe(request, exec_properties["timeout_seconds"])
        blessed = not result["failures"]
        check = {"blessed": blessed, **result, "seconds": round(time.monotonic() - start, 3)}
        content = json.dumps(check, indent=2, ensure_ascii=False) + "\n"
        io_utils.write_string_file(os.path.join(blessing.uri, CHECK_FILE), content)
        flag = BLESSED_FILE if blessed else NOT_BLESSED_FILE
        io_utils.write_string_file(os.path.join(blessing.uri, flag), "")
        blessing.set_int_custom_property("blessed", int(blessed))
        for failure in result["failures"]:
            logging.error("Serving check failed: %s", failure)
        logging.info("Serving check: %d checks, %d failed.", result["checks"], len(result["failures"]))


def run_probe(
    request: Mapping[str, Any], timeout_seconds: float, command: Sequence[str] | None = None
) -> dict[str, Any]:
    """Runs the probe and returns its result; one that ends without a result has failed a check.

    Args:
      request: `model`, `examples` and `rows`, as `probe.py` reads them.
      timeout_seconds: The time the probe has before it is killed.
      command: What to run in place of this interpreter and the probe.

    Returns:
      `failures`, `checks` and `imported`.
    """
    with tempfile.TemporaryDirectory() as folder:
        request_file, result_file = Path(folder, "request.json"), Path(folder, "result.json")
        request_file.write_text(json.dumps(request), encoding="utf-8")
        arguments = [*(command or (sys.executable, str(PROBE))), str(request_file), str(result_file)]
        try:
            process = subprocess.run(
                arguments,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout_seconds,
            )
        except subprocess.TimeoutExpired:
            return _no_result(f"the model did not answer within {timeout_seconds:g} s")
        if process.returncode != 0 or not result_file.exists():
            said = process.stderr.strip().splitlines()
            last = f": {said[-1][:300]}" if said else ""
            return _no_result(f"the process that loads the model ended with code {process.returncode}{last}")
        result: dict[str, Any] = json.loads(result_file.read_text(encoding="utf-8"))
        return result


def _no_result(failure: str) -> dict[str, Any]:
    return {"failures": [failure], "checks": 1, "imported": []}


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    # A worker of a distributed run would wait for its peers, and the GPU is the Trainer's.
    environment.pop("TF_CONFIG", None)
    environment["CUDA_VISIBLE_DEVICES"] = "-1"
    environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
    # The folder of the script is ours: nothing may be imported from it (Python 3.11 and later).
    environment["PYTHONSAFEPATH"] = "1"
    return environment
