"""Executor of Report: gathers what a run left and writes it as a page and as JSON."""

from __future__ import annotations

import datetime
import json
import os
from typing import Any

from absl import logging
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from tfx.utils import io_utils

from components.atomic import whole_folder
from components.report.as_json import as_json
from components.report.content import build_content
from components.report.inputs import read_run
from components.report.page import render
from components.report.pictures import draw_pictures
from configs.outputs import ReportConfig

HTML_FILE = "report.html"
JSON_FILE = "report.json"


class Executor(base_executor.BaseExecutor):
    """See `component.Report`."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes the page.

        Args:
          input_dict: the inputs of `component.ReportSpec`, one artifact each; `sweep` and `migration` may be absent.
          output_dict:
            - report: SegmentReport; gets `report.html` and `report.json`, and the string custom properties
              `status` and `path`.
          exec_properties:
            - report_config: `ReportConfig` as JSON.
            - pipeline_name: stands in the heading where the config has no title.
            - run_id: names the published folder; "" for the time, UTC, as local runs are named.
            - publish_dir: where that folder appears, whole or not at all; a page of the same run is replaced.

        Raises:
          ValueError: an input is not one artifact, or `report_config` is no ReportConfig.
          FileNotFoundError: an input lacks the file that it must hold.
        """
        config = ReportConfig.model_validate_json(exec_properties["report_config"])
        now = datetime.datetime.now(datetime.timezone.utc)
        run_id: str = exec_properties["run_id"] or now.strftime("%Y%m%d-%H%M%S")
        report = artifact_utils.get_single_instance(output_dict["report"])
        facts = read_run(input_dict)
        content = build_content(
            facts,
            title=config.title or exec_properties["pipeline_name"],
            customers_word=config.customers,
            run_id=run_id,
            made_at=now.isoformat(timespec="seconds"),
            pictures=draw_pictures(
                artifact_utils.get_single_instance(input_dict["model"]),
                artifact_utils.get_single_instance(input_dict["examples"]),
                facts.segments,
                list(facts.segments["population"]["profile"]["numeric"]),
            ),
        )
        published = os.path.join(exec_properties["publish_dir"], run_id)
        path = os.path.join(published, HTML_FILE)
        files = {
            HTML_FILE: render(content),
            JSON_FILE: json.dumps(as_json(content, path), ensure_ascii=False, allow_nan=False) + "\n",
        }
        _write(report.uri, files)
        with whole_folder(published, last=HTML_FILE, replace=True) as folder:
            _write(folder, files)
        report.set_string_custom_property("status", content.decision.status)
        report.set_string_custom_property("path", path)
        logging.info("%s: %s", content.decision.headline, path)


def _write(folder: str, files: dict[str, str]) -> None:
    for name, text in files.items():
        io_utils.write_string_file(os.path.join(folder, name), text)
