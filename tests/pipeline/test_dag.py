"""How the DAG is wired, and what the local runner relies on."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.orchestration.local import local_dag_runner
from tfx.orchestration.pipeline import Pipeline
from tfx.orchestration.portable import launcher

from components.example_gen.source import fingerprint_files, resolve_source, source_to_json
from components.trainer.kmeans import WorkerLost
from configs.loader import load_config
from pipeline.dag import create_pipeline
from pipeline.entry_points import ENTRY_POINTS
from pipeline.local.causes import cause
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace
from tests.end_to_end.command import customer_table, write_csv


def pipeline(folder: Path, *overrides: str, schema_file: str | None = None) -> Pipeline:
    write_csv(folder / "customers.csv", customer_table(20))
    (folder / "c.yaml").write_text("data: {path: customers.csv}\n")
    config = load_config(str(folder / "c.yaml"), overrides)
    source = resolve_source(config)
    inputs = RunInputs(
        source=source_to_json(source, fingerprint_files(source.files)),
        id_column=source.id_name,
        schema_file=schema_file,
        run_id="r",
        parent=None,
    )
    return create_pipeline(config, inputs, Workspace(str(folder / "w")))


def test_nothing_runs_before_the_gate_that_the_gate_guards(tmp_path: Path) -> None:
    nodes = {node.id: node for node in pipeline(tmp_path).components}
    before = {node.id for node in nodes["DataGate"].upstream_nodes}
    assert before == {"ExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator"}

    def reaches_gate(name: str) -> bool:
        return name == "DataGate" or any(reaches_gate(up.id) for up in nodes[name].upstream_nodes)

    assert all(reaches_gate(name) for name in nodes if name not in before)


def test_nothing_is_made_of_data_that_drift_may_stop(tmp_path: Path) -> None:
    nodes = {node.id: node for node in pipeline(tmp_path).components}
    assert {node.id for node in nodes["DriftCheck"].upstream_nodes} >= {"ServedModel", "StatisticsGen"}

    def reaches(name: str, target: str) -> bool:
        return name == target or any(reaches(up.id, target) for up in nodes[name].upstream_nodes)

    assert all(reaches(name, "DriftCheck") for name in ("Transform", "Trainer", "Evaluator", "Pusher"))
    assert reaches("DriftCheck", "DataGate")


def test_statistics_hold_what_drift_is_measured_by(tmp_path: Path) -> None:
    nodes = {node.id: node for node in pipeline(tmp_path).components}
    options = json.loads(nodes["StatisticsGen"].exec_properties["stats_options_json"])
    assert options["_num_quantiles_histogram_buckets"] == 100
    assert nodes["Pusher"].inputs["statistics"] is not None


def test_every_node_of_ours_tells_the_cache_its_code(tmp_path: Path) -> None:
    nodes = pipeline(tmp_path, "model.k=auto", "selection.method=auto").components
    assert {node.id for node in nodes} >= set(ENTRY_POINTS)
    for node in nodes:
        if node.id in ENTRY_POINTS:
            properties = node.exec_properties
            known = properties.get("code_version") or str(properties.get("custom_config"))
            assert known, node.id
        else:
            executor = node.executor_spec.executor_class.__module__
            assert executor.startswith("tfx."), (
                f"{node.id} runs {executor}, whose code the cache does not know"
            )


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("report.title=Other", {"Report"}),
        ("evaluation.slices=[plan]", {"Evaluator"}),
        ("model.k=4", {"Trainer", "DataGate"}),
        ("identity.min_overlap=0.6", {"Trainer"}),
        ("training.workers=2", {"Trainer"}),
        ("training.checkpoint_seconds=", {"Trainer"}),
        ("assignments.csv=true", {"Assignments"}),
        ("features.exclude=[age]", {"Transform", "Trainer"}),
        ("validation.min_customers=5", {"DataGate"}),
        ("drift.action=stop", {"DriftCheck"}),
    ],
)
def test_each_node_gets_only_its_section(tmp_path: Path, override: str, changed: set[str]) -> None:
    plain = {node.id: node.exec_properties for node in pipeline(tmp_path).components}
    other = {node.id: node.exec_properties for node in pipeline(tmp_path, override).components}
    assert {name for name in plain if plain[name] != other[name]} == changed


def test_a_tuner_comes_before_the_trainer_only_where_k_is_auto(tmp_path: Path) -> None:
    fixed = {node.id: node for node in pipeline(tmp_path).components}
    assert "Tuner" not in fixed
    assert "hyperparameters" not in fixed["Trainer"].inputs
    nodes = {node.id: node for node in pipeline(tmp_path, "model.k=auto").components}
    assert set(nodes) - set(fixed) == {"Tuner"}
    assert {node.id for node in nodes["Tuner"].upstream_nodes} == {"ExampleGen", "Transform"}
    assert nodes["Tuner"] in nodes["Trainer"].upstream_nodes
    assert nodes["Trainer"].inputs["hyperparameters"] is nodes["Tuner"].outputs["best_hyperparameters"]
    assert nodes["DataGate"].exec_properties["min_customers"] == 2


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("tuner.max_k=6", {"Tuner", "Trainer"}),
        ("tuner.min_k=3", {"Tuner", "Trainer", "DataGate"}),
        ("evaluation.thresholds.smallest_segment_share={min: 0.02}", {"Tuner", "Evaluator"}),
        ("evaluation.slices=[plan]", {"Evaluator"}),
        ("training.workers=2", {"Trainer"}),
    ],
)
def test_the_tuner_gets_only_its_section(tmp_path: Path, override: str, changed: set[str]) -> None:
    plain = {node.id: node.exec_properties for node in pipeline(tmp_path, "model.k=auto").components}
    other = {
        node.id: node.exec_properties for node in pipeline(tmp_path, "model.k=auto", override).components
    }
    assert {name for name in plain if plain[name] != other[name]} == changed


def test_features_are_selected_between_the_gates_and_transform(tmp_path: Path) -> None:
    plain = {node.id: node for node in pipeline(tmp_path).components}
    assert "FeatureSelection" not in plain and "selection" not in plain["Report"].inputs
    assert "selected" not in json.loads(plain["Trainer"].exec_properties["custom_config"])
    nodes = {node.id: node for node in pipeline(tmp_path, "selection.method=auto").components}
    assert set(nodes) - set(plain) == {"FeatureSelection"}
    selection = nodes["FeatureSelection"]
    before = {node.id for node in selection.upstream_nodes}
    assert before == {"ExampleGen", "SchemaGen", "ServedModel", "DataGate", "DriftCheck"}
    assert nodes["Transform"].inputs["schema"] is selection.outputs["selected_schema"]
    # What columns there are to slice by, and to show, is not for the selection to say.
    for name in ("Evaluator", "Report"):
        assert nodes[name].inputs["schema"] is nodes["SchemaGen"].outputs["schema"]
    assert nodes["Report"].inputs["selection"] is selection.outputs["selection"]
    for name in ("Transform", "Trainer"):
        assert json.loads(nodes[name].exec_properties["custom_config"])["selected"] is True


@pytest.mark.parametrize(
    ("override", "changed"),
    [
        ("selection.seed=1", {"FeatureSelection", "Trainer"}),
        ("selection.max_features=3", {"FeatureSelection", "Trainer"}),
        ("model.k=4", {"FeatureSelection", "DataGate", "Trainer"}),
        ("report.title=Other", {"Report"}),
        ("drift.action=stop", {"DriftCheck"}),
    ],
)
def test_the_selection_gets_only_its_section(tmp_path: Path, override: str, changed: set[str]) -> None:
    """The Trainer's config hash, which the model is marked with, has the section too; k makes provisional segments."""
    on = "selection.method=importances"
    plain = {node.id: node.exec_properties for node in pipeline(tmp_path, on).components}
    other = {node.id: node.exec_properties for node in pipeline(tmp_path, on, override).components}
    assert {name for name in plain if plain[name] != other[name]} == changed


def test_with_a_target_k_makes_no_other_selection(tmp_path: Path) -> None:
    on = ("selection.method=importances", "selection.target=plan")
    plain = {node.id: node.exec_properties for node in pipeline(tmp_path, *on).components}
    other = {node.id: node.exec_properties for node in pipeline(tmp_path, *on, "model.k=4").components}
    assert plain["FeatureSelection"] == other["FeatureSelection"]
    off = {node.id: node.exec_properties for node in pipeline(tmp_path).components}
    unused = {
        node.id: node.exec_properties for node in pipeline(tmp_path, "selection.target=plan").components
    }
    assert off == unused


def test_the_trainer_continues_what_is_served(tmp_path: Path) -> None:
    nodes = {node.id: node for node in pipeline(tmp_path).components}
    assert nodes["Trainer"].inputs["base_model"] is nodes["ServedModel"].outputs["model"]
    assert {"Assignments", "ServedModel", "Pusher", "Trainer"} <= {
        n.id for n in nodes["Migration"].upstream_nodes
    }


def test_where_a_fit_runs_makes_no_other_model(tmp_path: Path) -> None:
    def trainer_config(*overrides: str) -> dict[str, str]:
        nodes = {node.id: node for node in pipeline(tmp_path, *overrides).components}
        return json.loads(nodes["Trainer"].exec_properties["custom_config"])  # type: ignore[no-any-return]

    plain, other = trainer_config(), trainer_config("training.workers=2")
    assert plain["config_hash"] == other["config_hash"]
    assert plain["config_hash"] != trainer_config("model.k=4")["config_hash"]
    assert json.loads(other["training"])["workers"] == 2
    assert other["checkpoint_dir"] == str(tmp_path / "w" / "checkpoints")


def test_the_runner_still_says_what_the_progress_listens_to() -> None:
    runner = inspect.getsource(local_dag_runner)
    assert "'Component %s is running.'" in runner
    assert "'Component %s is finished.'" in runner
    assert "'A cached execution %d is used.'" in inspect.getsource(launcher)


def test_the_cause_is_one_sentence() -> None:
    beam = RuntimeError(
        "Traceback (most recent call last):\n  File x\nValueError: no such column [while running 'A']"
    )
    assert cause(beam) == "ValueError: no such column [while running 'A']"
    try:
        try:
            raise OSError("disk full")
        except OSError as error:
            raise RuntimeError("writing failed") from error
    except RuntimeError as error:
        assert cause(error) == "disk full"
    assert cause(KeyError()) == "KeyError"
    try:
        try:
            raise OSError("UNAVAILABLE: Socket closed")
        except OSError as error:
            words = "worker 1 of 2 was ended by SIGKILL\n  The last it wrote:\n  Traceback (most recent call last):"
            raise WorkerLost(words) from error
    except RuntimeError as error:
        assert cause(error) == "worker 1 of 2 was ended by SIGKILL", "what we say ourselves is for people"
    assert len(cause(ValueError("x" * 1000))) == 400


def test_a_model_is_made_or_kept_and_nothing_in_between(tmp_path: Path) -> None:
    made = pipeline(tmp_path, "drift.action=retrain")
    nodes = {node.id: node for node in made.components}
    conditions = conditions_of(made)
    before = [
        "DataGate",
        "DriftCheck",
        "ExampleGen",
        "ExampleValidator",
        "SchemaGen",
        "ServedModel",
        "StatisticsGen",
    ]
    kept = ["KeptAssignments", "KeptEvaluator", "KeptReport"]
    assert sorted(name for name, found in conditions.items() if found == []) == before
    assert sorted(name for name, found in conditions.items() if found == [0]) == kept
    assert all(conditions[name] == [1] for name in nodes if name not in [*before, *kept])
    for name in kept:
        versions = [nodes[each].exec_properties["code_version"] for each in (name, name.removeprefix("Kept"))]
        assert versions[0] == versions[1]
    assert not any(conditions_of(pipeline(tmp_path)).values())


def conditions_of(made: Pipeline) -> dict[str, list[int]]:
    """What `retrain` must be for each node to work."""
    compiled = [node.pipeline_node for node in Compiler().compile(made).nodes]
    return {
        node.node_info.id: [
            condition.placeholder_expression.operator.compare_op.rhs.value.int_value
            for condition in node.inputs.conditionals.values()
        ]
        for node in compiled
    }
