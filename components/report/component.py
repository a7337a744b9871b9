"""The Report component: a page about the segments, and the same as JSON."""

from typing import Optional

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts
from tfx.types.component_spec import ChannelParameter, ComponentSpec, ExecutionParameter

from components.artifacts import (
    DataVerdict,
    DriftReport,
    SegmentAssignments,
    SegmentMigration,
    SegmentReport,
    SegmentSweep,
)
from components.report.executor import Executor


class ReportSpec(ComponentSpec):
    """Inputs, outputs and parameters of `Report`."""

    PARAMETERS = {
        "report_config": ExecutionParameter(type=str),
        "pipeline_name": ExecutionParameter(type=str),
        "run_id": ExecutionParameter(type=str),
        "publish_dir": ExecutionParameter(type=str),
        "code_version": ExecutionParameter(type=str, optional=True),
    }
    INPUTS = {
        "model": ChannelParameter(type=standard_artifacts.Model),
        "evaluation": ChannelParameter(type=standard_artifacts.ModelEvaluation),
        "model_blessing": ChannelParameter(type=standard_artifacts.ModelBlessing),
        "infra_blessing": ChannelParameter(type=standard_artifacts.InfraBlessing, optional=True),
        "examples": ChannelParameter(type=standard_artifacts.Examples),
        "statistics": ChannelParameter(type=standard_artifacts.ExampleStatistics),
        "schema": ChannelParameter(type=standard_artifacts.Schema),
        "verdict": ChannelParameter(type=DataVerdict),
        "pushed_model": ChannelParameter(type=standard_artifacts.PushedModel),
        "assignments": ChannelParameter(type=SegmentAssignments),
        "served_model": ChannelParameter(type=standard_artifacts.Model),
        "sweep": ChannelParameter(type=SegmentSweep, optional=True),
        "migration": ChannelParameter(type=SegmentMigration, optional=True),
        "drift": ChannelParameter(type=DriftReport, optional=True),
    }
    OUTPUTS = {"report": ChannelParameter(type=SegmentReport)}


class Report(base_component.BaseComponent):
    """Writes one self-contained HTML page that explains the segments and what was decided about them.

    It is written whether or not the model was pushed. It needs no network, no JavaScript and no other file.

    ```
    report = Report(
        model=trainer.outputs["model"],
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        examples=example_gen.outputs["examples"],
        statistics=statistics_gen.outputs["statistics"],
        schema=schema_gen.outputs["schema"],
        verdict=gate.outputs["verdict"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments=assignments.outputs["assignments"],
        served_model=served_model.outputs["model"],
        report_config=config.report.model_dump_json(by_alias=True),
        pipeline_name=config.name,
        run_id=run_id,
        publish_dir=f"{workspace}/reports",
    )
    ```

    Component `outputs`: `report` (SegmentReport) holds `report.html` and `report.json`; its custom properties
    are `status` (`pushed`, `kept`, `not_blessed` or `failed_serving_check`) and `path` (the published page).
    Where the served model is kept, it is also the `model`, and there is no `infra_blessing`.
    """

    SPEC_CLASS = ReportSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: types.BaseChannel,
        evaluation: types.BaseChannel,
        model_blessing: types.BaseChannel,
        examples: types.BaseChannel,
        statistics: types.BaseChannel,
        schema: types.BaseChannel,
        verdict: types.BaseChannel,
        pushed_model: types.BaseChannel,
        assignments: types.BaseChannel,
        served_model: types.BaseChannel,
        report_config: str,
        pipeline_name: str,
        run_id: str,
        publish_dir: str,
        code_version: Optional[str] = "",
        infra_blessing: Optional[types.BaseChannel] = None,
        sweep: Optional[types.BaseChannel] = None,
        migration: Optional[types.BaseChannel] = None,
        drift: Optional[types.BaseChannel] = None,
    ):
        """Wires the component.

        Args:
          model: the trained Model.
          evaluation: the Evaluator's ModelEvaluation.
          model_blessing: the Evaluator's ModelBlessing.
          examples: the customer table with its `ingest.json`.
          statistics: its statistics.
          schema: the schema it was validated against.
          verdict: the gate's DataVerdict.
          pushed_model: the Pusher's PushedModel.
          assignments: the table of customers and segments.
          served_model: the Model that was served when the run began.
          report_config: a `configs.outputs.ReportConfig` as JSON.
          pipeline_name: stands in the heading where the config has no title.
          run_id: names the folder of the published copy.
          publish_dir: `report.html` and `report.json` are also put in `<publish_dir>/<run_id>/`.
          code_version: a hash of the code that runs, for TFX's cache key; the executor does not read it.
          infra_blessing: the InfraBlessing of ServingCheck.
          sweep: the SegmentSweep over numbers of segments, where the number was searched for.
          migration: the SegmentMigration from the served model's segments, with the history of versions.
          drift: the DriftReport since the served model was made.
        """
        super().__init__(
            ReportSpec(
                model=model,
                evaluation=evaluation,
                model_blessing=model_blessing,
                infra_blessing=infra_blessing,
                examples=examples,
                statistics=statistics,
                schema=schema,
                verdict=verdict,
                pushed_model=pushed_model,
                assignments=assignments,
                served_model=served_model,
                sweep=sweep,
                migration=migration,
                drift=drift,
                report=types.Channel(type=SegmentReport),
                report_config=report_config,
                pipeline_name=pipeline_name,
                run_id=run_id,
                publish_dir=publish_dir,
                code_version=code_version,
            )
        )
