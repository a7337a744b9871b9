"""Where the served model is kept: how good it is today, and who is in which of its segments."""

from __future__ import annotations

from tfx.dsl.components.base.base_component import BaseComponent

from configs.pipeline import PipelineConfig
from pipeline.nodes.guarding import GuardingNodes
from pipeline.nodes.judging import assignments_by, evaluator_of, report_on
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace


def kept_nodes(
    config: PipelineConfig, inputs: RunInputs, workspace: Workspace, before: GuardingNodes
) -> list[BaseComponent]:
    """Where the served model is kept: how good it is today, and who is in which of its segments."""
    model, pushed_model = before.served.outputs["model"], before.served.outputs["pushed_model"]
    evaluator = evaluator_of(config, before, model).with_id("KeptEvaluator")
    assignments = assignments_by(config, inputs, workspace, before, pushed_model).with_id("KeptAssignments")
    report = report_on(
        config,
        inputs,
        workspace,
        before,
        model=model,
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        pushed_model=pushed_model,
        assignments=assignments.outputs["assignments"],
    ).with_id("KeptReport")
    return [evaluator, assignments, report]
