"""Evaluator component: TFX's, with clustering metrics and the served model as baseline."""

from typing import Optional

from tfx.components.evaluator import component as tfx_evaluator
from tfx.dsl.components.base import executor_spec
from tfx.types import BaseChannel, Channel, standard_artifacts
from tfx.types import standard_component_specs as keys
from tfx.types.component_spec import ExecutionParameter
from tfx.utils import json_utils

from components.evaluator import executor
from components.evaluator.eval_config import build_eval_config
from configs.evaluation import EvaluationConfig


class EvaluatorSpec(keys.EvaluatorSpec):
    """TFX's EvaluatorSpec and the hash of the code that an execution runs, for TFX's cache key."""

    PARAMETERS = {
        **keys.EvaluatorSpec.PARAMETERS,
        "code_version": ExecutionParameter(type=str, optional=True),
    }


class Evaluator(tfx_evaluator.Evaluator):
    """Measures how good a segmentation is and says whether it may be served.

        evaluator = Evaluator(
            examples=example_gen.outputs["examples"],
            model=trainer.outputs["model"],
            baseline_model=served_model.outputs["model"],
            evaluation=config.evaluation.model_dump_json(by_alias=True),
        )

    Outputs as of TFX's Evaluator: `evaluation` (ModelEvaluation: TFMA's files and `verdict.json`) and
    `blessing` (ModelBlessing, int custom property `blessed`).
    """

    SPEC_CLASS = EvaluatorSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(executor.Executor)

    def __init__(
        self,
        examples: BaseChannel,
        model: BaseChannel,
        evaluation: str,
        baseline_model: Optional[BaseChannel] = None,
        schema: Optional[BaseChannel] = None,
        code_version: str = "",
    ) -> None:
        """Wires the component.

        Args:
          examples: Examples with a split `eval`, serialized tf.Examples of the raw features.
          model: Model to judge; its SavedModel has the signature `evaluate`.
          evaluation: section `evaluation` of the configuration, as JSON.
          baseline_model: ServedModel's Model, whose property `served` says whether there is one.
          schema: Schema of the examples, for reading them; without one, types are taken from the data.
          code_version: hash of the code that the execution runs.
        """
        # TFX's constructor builds its own spec class, which has no place for the code version.
        super(tfx_evaluator.Evaluator, self).__init__(
            spec=EvaluatorSpec(
                examples=examples,
                model=model,
                baseline_model=baseline_model,
                schema=schema,
                eval_config=build_eval_config(EvaluationConfig.model_validate_json(evaluation)),
                example_splits=json_utils.dumps(["eval"]),
                fairness_indicator_thresholds=json_utils.dumps(None),
                code_version=code_version,
                evaluation=Channel(type=standard_artifacts.ModelEvaluation),
                blessing=Channel(type=standard_artifacts.ModelBlessing),
            )
        )
