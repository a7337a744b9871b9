"""What each platform asks of a configuration, by the real command."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from kfp.pipeline_spec import pipeline_spec_pb2
from typer.testing import CliRunner

from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig
from pipeline.cli.main import app
from pipeline.platform.compiling import as_text, compile_pipeline, pipeline_name
from pipeline.platform.targets import check_target

GOOD: dict[str, Any] = {
    "data": {"path": "gs://bucket/data/customers-{SPAN}.csv"},
    "deployment": {"image": "registry.example.org/segments:1.0", "workspace": "gs://bucket/customers"},
}


def config(folder: Path, sections: Mapping[str, Any] = GOOD, *overrides: str) -> PipelineConfig:
    path = folder / "customers.yaml"
    path.write_text(json.dumps(sections))
    return load_config(str(path), overrides)


@pytest.mark.parametrize(
    ("override", "target", "message"),
    [
        ("deployment.image=null", "vertex", "deployment.image: say which image the containers run"),
        ("deployment.workspace=null", "vertex", "deployment.workspace: say where"),
        ("deployment.workspace=/mnt/customers", "vertex", "Vertex keeps artifacts in Cloud Storage"),
        ("deployment.workspace=customers", "kubeflow", "must be a URI, or the absolute path of a volume"),
        (
            "data.path=/home/ann/customers.csv",
            "vertex",
            "data.path: /home/ann/customers.csv is on this machine",
        ),
        (
            "data.path=/home/ann/customers.csv",
            "kubeflow",
            "no container of kubeflow sees it; copy it to the bucket",
        ),
        (
            "validation.schema=/home/ann/s.pbtxt",
            "vertex",
            "validation.schema: /home/ann/s.pbtxt is on this machine",
        ),
        (
            "drift.requests=gs://bucket/asked.csv",
            "vertex",
            "drift.requests: requests are compared by `segments run`",
        ),
        ("training.workers=2", "kubeflow", "training.workers: each component runs in one container"),
    ],
)
def test_what_could_not_run_there_is_refused(
    tmp_path: Path, override: str, target: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_target(config(tmp_path, GOOD, override), target)
    assert message in str(refused.value)


def test_a_volume_that_all_containers_mount(tmp_path: Path) -> None:
    mounted = config(tmp_path, GOOD, "deployment.workspace=/mnt/ws", "data.path=/mnt/ws/data/c.csv")
    assert check_target(mounted, "kubeflow") == "kubeflow"
    with pytest.raises(ConfigError, match=r"put it below deployment\.workspace"):
        check_target(
            config(tmp_path, GOOD, "deployment.workspace=/mnt/ws", "data.path=/mnt/c.csv"), "kubeflow"
        )


@pytest.mark.parametrize("image", ["segments", "registry.example.org:5000/segments", "segments:", "a b:1"])
def test_an_image_without_a_tag_is_refused(tmp_path: Path, image: str) -> None:
    with pytest.raises(ConfigError, match=r"deployment\.image.*needs a tag or a digest"):
        config(tmp_path, GOOD, f"deployment.image='{image}'")


@pytest.mark.parametrize(
    "image", ["segments:1", "registry.example.org:5000/a/b:1.0-rc1", f"segments@sha256:{'a' * 64}"]
)
def test_an_image_with_a_tag_or_a_digest(tmp_path: Path, image: str) -> None:
    assert config(tmp_path, GOOD, f"deployment.image='{image}'").deployment.image == image


def test_names_are_what_platforms_allow() -> None:
    assert pipeline_name("Online_Retail.v2") == "online-retail-v2"


@pytest.mark.parametrize(("target", "version"), [("vertex", "2.0.0"), ("kubeflow", "2.1.0")])
def test_the_specification(tmp_path: Path, target: str, version: str) -> None:
    secretive = {
        **GOOD,
        "metadata": {
            "backend": "mysql",
            "host": "db",
            "user": "u",
            "database": "d",
            "password_env": "THE_SECRET",
        },
        "schedule": {"hooks": [{"url": "https://hooks.example.org/THE_SECRET"}]},
    }
    made = config(tmp_path, secretive, "deployment.cpu=2", "deployment.memory_gb=8", "data.span=7")
    job = compile_pipeline(made, target)
    text = as_text(job)
    assert text == as_text(compile_pipeline(made, target)), "the same text for the same config"
    assert "THE_SECRET" not in text
    assert str(tmp_path) not in text
    # By the protos of the specification: an unknown or misplaced field is an error.
    spec = json_format.ParseDict(job["pipelineSpec"], pipeline_spec_pb2.PipelineSpec())
    assert (spec.schema_version, spec.pipeline_info.name) == (version, "customers")
    executors = job["pipelineSpec"]["deploymentSpec"]["executors"]
    for executor in executors.values():
        container = executor["container"]
        assert container["image"] == "registry.example.org/segments:1.0"
        assert container["resources"] == {"cpuLimit": 2.0, "memoryLimit": 8.0}
        assert "lifecycle" not in container, "Kubeflow never runs a driver"
    assert not any("resolver" in executor for executor in executors.values())
    tasks = spec.root.dag.tasks
    assert set(tasks) >= {
        "ExampleGen",
        "ServedModel",
        "GivenK",
        "Transform",
        "Trainer",
        "Evaluator",
        "Pusher",
        "Report",
    }
    assert not any(task.caching_options.enable_cache for task in tasks.values())
    for task, key in (("ExampleGen", "path"), ("ExampleGen", "span"), ("GivenK", "k")):
        assert tasks[task].inputs.parameters[key].component_input_parameter == key
    runtime = job["runtimeConfig"]
    if target == "vertex":
        values = {name: next(iter(value.values())) for name, value in runtime["parameters"].items()}
        assert values == {"path": GOOD["data"]["path"], "span": "7", "k": "5"}
    else:
        assert runtime["parameterValues"] == {"path": GOOD["data"]["path"], "span": "7", "k": 5}
        defaults = job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"]
        assert {name: each["defaultValue"] for name, each in defaults.items()} == runtime["parameterValues"]


def test_k_that_is_found_is_no_parameter(tmp_path: Path) -> None:
    job = compile_pipeline(config(tmp_path, GOOD, "model.k=auto"), "vertex")
    assert set(job["runtimeConfig"]["parameters"]) == {"path", "span"}
    trainer = job["pipelineSpec"]["root"]["dag"]["tasks"]["Trainer"]["inputs"]["artifacts"]
    assert trainer["hyperparameters"]["taskOutputArtifact"]["producerTask"] == "Tuner"


def test_the_command_writes_the_file_and_says_what_it_takes(tmp_path: Path) -> None:
    config(tmp_path)
    file = tmp_path / "vertex.json"
    arguments = ["compile", str(tmp_path / "customers.yaml"), "--target", "vertex", "-o", str(file)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "components for vertex" in done.output
    assert "parameter k: '5' unless it is set at submission" in done.output
    assert json.loads(file.read_text())["pipelineSpec"]["schemaVersion"] == "2.0.0"
    refused = CliRunner().invoke(app, [*arguments, "--set", "deployment.image=null", "--json"])
    assert refused.exit_code == 2
    assert json.loads(refused.output)["message"].startswith("deployment.image: ")
    wrong = CliRunner().invoke(app, [*arguments[:3], "airflow", *arguments[4:]])
    assert wrong.exit_code == 2
