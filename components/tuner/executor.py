"""Tuner's executor: TFX's search, and the whole sweep kept."""

from __future__ import annotations

from typing import Any

from absl import logging
from keras_tuner.errors import FatalError
from tfx.components.tuner import executor as tfx_tuner
from tfx.types import Artifact, artifact_utils

from components.tuner.sweep import write_sweep


class Executor(tfx_tuner.Executor):
    """TFX's Tuner executor, which keeps scores and hyperparameters alone, with the sweep beside them."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Searches, and writes what was found.

        Args:
          input_dict: `examples` (split `train`) and `transform_graph`.
          output_dict: `best_hyperparameters` (`k`) and `tuner_results`, as TFX writes them; `sweep`: `sweep.json`
            (see `sweep.Sweep`).
          exec_properties: `tuner_fn`, which must make a `SegmentTuner`; `train_args`, `eval_args`, `custom_config`.

        Raises:
          components.errors.DataError: the customers cannot make segments.
        """
        if tfx_tuner.get_tune_args(exec_properties):
            raise ValueError("tune_args are not supported: candidates are tried one after another")
        try:
            tuner = tfx_tuner.search(
                input_dict, exec_properties, self._get_tmp_dir(), print_tuning_summary=False
            )
        except FatalError as error:
            # KerasTuner lets no other error through; what matters is what happened.
            raise error.__cause__ or error from error
        sweep = tuner.sweep
        logging.info("%s", sweep.reason)
        tfx_tuner.write_best_hyperparameters(tuner, output_dict)
        write_sweep(artifact_utils.get_single_uri(output_dict["sweep"]), sweep)
