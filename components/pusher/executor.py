"""Executor of the Pusher: obeys the blessings, delivers the model, records the version."""

from __future__ import annotations

from typing import Any

from absl import logging
from tfx import types
from tfx.components.pusher import executor as tfx_pusher
from tfx.components.statistics_gen import stats_artifact_utils
from tfx.proto import pusher_pb2
from tfx.types import artifact_utils
from tfx.utils import io_utils, proto_utils

from components.pusher.delivery import deliver
from components.reference_statistics import SPLIT


class Executor(tfx_pusher.Executor):
    """TFX's Pusher, with versions 1, 2, 3, ... that appear whole or not at all."""

    def Do(
        self,
        input_dict: dict[str, list[types.Artifact]],
        output_dict: dict[str, list[types.Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Pushes the model if both blessings allow it.

        Args:
          input_dict:
            - model: the exported model.
            - model_blessing: the Evaluator's word.
            - infra_blessing: the serving check's word.
            - statistics: of the data that the model was made from, or nothing.
          output_dict:
            - pushed_model: a PushedModel. Its custom property `pushed` is 1 or 0; when 1, `pushed_version`
              and `pushed_destination` say what and where, and its folder holds a copy.
          exec_properties:
            - push_destination: `PushDestination` as JSON; its file system's base folder is the served folder.
            - run_key: names the run. A push of the same model under the same key is done only once,
              also when the first one was killed before it was recorded.

        Raises:
          ServingError: The model has no `saved_model.pb`.
        """
        pushed_model = artifact_utils.get_single_instance(output_dict["pushed_model"])
        if not self.CheckBlessing(input_dict):
            self._MarkNotPushed(pushed_model)
            return
        destination = pusher_pb2.PushDestination()
        proto_utils.json_to_proto(exec_properties["push_destination"], destination)
        serving_dir = destination.filesystem.base_directory
        model = artifact_utils.get_single_instance(input_dict["model"])
        source = self.GetModelPath(input_dict)
        statistics = None
        if input_dict.get("statistics"):
            artifact = artifact_utils.get_single_instance(input_dict["statistics"])
            statistics = stats_artifact_utils.load_statistics(artifact, SPLIT).proto()
        version = deliver(source, serving_dir, model.uri, exec_properties["run_key"], statistics)
        version_dir = f"{serving_dir.rstrip('/')}/{version}"
        # As the stock Pusher does: what was pushed stays readable when the served folder has moved on.
        io_utils.copy_dir(version_dir, pushed_model.uri)
        self._MarkPushed(pushed_model, version_dir, version)
        logging.info("Version %s is in %s.", version, serving_dir)
