"""What is done with a model, new or kept: measured, asked about every customer, put on a page."""

from __future__ import annotations

from tfx.types import BaseChannel

from components.assignments.component import Assignments
from components.evaluator.component import Evaluator
from components.report.component import Report
from configs.pipeline import PipelineConfig
from pipeline.entry_points import node_version
from pipeline.nodes.guarding import GuardingNodes
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace


def evaluator_of(config: PipelineConfig, before: GuardingNodes, model: BaseChannel) -> Evaluator:
    """How good a model is on customers that were held out, beside the served one."""
    return Evaluator(
        examples=before.examples.outputs["examples"],
        model=model,
        baseline_model=before.served.outputs["model"],
        schema=before.schema.outputs["schema"],
        evaluation=config.evaluation.model_dump_json(by_alias=True),
        code_version=node_version("Evaluator"),
    )


def assignments_by(
    config: PipelineConfig,
    inputs: RunInputs,
    workspace: Workspace,
    before: GuardingNodes,
    pushed_model: BaseChannel,
) -> Assignments:
    """The table of every customer's segment by the version that `pushed_model` names."""
    return Assignments(
        examples=before.examples.outputs["examples"],
        pushed_model=pushed_model,
        assignments_config=config.assignments.model_dump_json(),
        assignments_dir=workspace.assignments,
        id_column=inputs.id_column,
        code_version=node_version("Assignments"),
    )


def report_on(
    config: PipelineConfig,
    inputs: RunInputs,
    workspace: Workspace,
    before: GuardingNodes,
    **found: BaseChannel | None,
) -> Report:
    """The page about what was found."""
    return Report(
        served_model=before.served.outputs["model"],
        examples=before.examples.outputs["examples"],
        statistics=before.statistics.outputs["statistics"],
        schema=before.schema.outputs["schema"],
        verdict=before.gate.outputs["verdict"],
        drift=before.drift.outputs["drift"],
        report_config=config.report.model_dump_json(),
        pipeline_name=config.name,
        run_id=inputs.run_id,
        publish_dir=workspace.reports,
        code_version=node_version("Report"),
        **found,
    )
