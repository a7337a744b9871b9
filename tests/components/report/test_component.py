import pytest
from tfx.types import channel, standard_artifacts

from components.artifacts import (
    DataVerdict,
    SegmentAssignments,
    SegmentMigration,
    SegmentReport,
    SegmentSweep,
)
from components.report.component import Report
from components.report.executor import Executor


def channels():
    kinds = {
        "model": standard_artifacts.Model,
        "evaluation": standard_artifacts.ModelEvaluation,
        "model_blessing": standard_artifacts.ModelBlessing,
        "infra_blessing": standard_artifacts.InfraBlessing,
        "examples": standard_artifacts.Examples,
        "statistics": standard_artifacts.ExampleStatistics,
        "schema": standard_artifacts.Schema,
        "verdict": DataVerdict,
        "pushed_model": standard_artifacts.PushedModel,
        "assignments": SegmentAssignments,
        "served_model": standard_artifacts.Model,
    }
    return {name: channel.Channel(type=kind) for name, kind in kinds.items()}


PARAMETERS = {"report_config": "{}", "pipeline_name": "retail", "run_id": "1", "publish_dir": "reports"}


def test_wiring():
    report = Report(**channels(), **PARAMETERS, code_version="abc")
    assert report.outputs["report"].type is SegmentReport
    assert set(report.inputs) == set(channels())
    assert report.exec_properties == {**PARAMETERS, "code_version": "abc"}
    assert report.executor_spec.executor_class is Executor


def test_code_version_is_optional():
    assert Report(**channels(), **PARAMETERS).exec_properties["code_version"] == ""


def test_a_search_and_a_predecessor_are_optional():
    more = {
        "sweep": channel.Channel(type=SegmentSweep),
        "migration": channel.Channel(type=SegmentMigration),
    }
    assert set(Report(**channels(), **more, **PARAMETERS).inputs) == {*channels(), *more}
    with pytest.raises(TypeError, match="sweep"):
        Report(**channels(), **PARAMETERS, sweep=channel.Channel(type=SegmentMigration))


def test_a_channel_of_another_type_is_refused():
    wrong = {**channels(), "verdict": channel.Channel(type=standard_artifacts.Model)}
    with pytest.raises(TypeError, match="verdict"):
        Report(**wrong, **PARAMETERS)
