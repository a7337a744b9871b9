"""The DAG as a specification that Kubeflow Pipelines or Vertex AI Pipelines runs."""

from __future__ import annotations

import json
import re
from typing import Any

from kfp.pipeline_spec.pipeline_spec_pb2 import PipelineDeploymentConfig
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.kubeflow.v2.kubeflow_v2_dag_runner import (
    KubeflowV2DagRunner,
    KubeflowV2DagRunnerConfig,
)
from tfx.orchestration.pipeline import Pipeline

from components.served_model.executor import NEWEST
from configs.deployment import DeploymentConfig
from configs.pipeline import PipelineConfig
from pipeline.dag import LOCAL_BEAM_ARGS, create_nodes
from pipeline.platform.targets import Target, check_target
from pipeline.run_inputs import RunInputs, Submitted
from pipeline.workspace import Workspace

_Resources = PipelineDeploymentConfig.PipelineContainerSpec.ResourceSpec


def compile_pipeline(config: PipelineConfig, target: str) -> dict[str, Any]:
    """Compiles without credentials, network or a look at the data; the same config and code give the same text.

    Vertex gets specification 2.0, Kubeflow Pipelines 2.1, the only one that it takes. Nothing in it is resolved by
    TFX's drivers or resolvers, which Kubeflow does not run: files, span and served version are found by the
    components themselves. There is no cache, which would not see that files have changed under the same path.

    Args:
      config: of the pipeline.
      target: `vertex` or `kubeflow`.

    Returns:
      A PipelineJob as JSON. Its parameters: `path`, `span`, and `k` where that is not found automatically.

    Raises:
      ConfigError: the configuration cannot run there.
    """
    checked = check_target(config, target)
    deployment = config.deployment
    workspace = Workspace(str(deployment.workspace).rstrip("/"))
    inputs = _inputs(config)
    nodes = create_nodes(config, inputs, workspace)
    for node in nodes:
        _limit(node, deployment)
    pipeline = Pipeline(
        pipeline_name=pipeline_name(config.name),
        pipeline_root=workspace.artifacts,
        components=nodes,
        enable_cache=False,
        beam_pipeline_args=[*LOCAL_BEAM_ARGS, *config.beam_args],
    )
    runner = KubeflowV2DagRunner(
        KubeflowV2DagRunnerConfig(
            display_name=config.name,
            default_image=deployment.image,
            use_pipeline_spec_2_1=_needs_2_1(checked),
        )
    )
    given = {parameter.name: parameter.default for parameter in _parameters(inputs)}
    job: dict[str, Any] = runner.run(pipeline, parameter_values=given, write_out=False)
    if _needs_2_1(checked):
        # Kubeflow asks for every parameter that has no default in the specification itself.
        for name, spec in job["pipelineSpec"]["root"]["inputDefinitions"]["parameters"].items():
            spec["defaultValue"] = given[name]
    return job


def pipeline_name(name: str) -> str:
    """A pipeline's name as the platforms allow it: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def as_text(job: dict[str, Any]) -> str:
    """The specification as a file: keys in order, so that two of them can be compared."""
    return json.dumps(job, indent=1, sort_keys=True) + "\n"


def _needs_2_1(target: Target) -> bool:
    return target == "kubeflow"


def _inputs(config: PipelineConfig) -> RunInputs:
    path = config.data.path
    span = config.data.span
    k = config.model.k
    return RunInputs(
        source="",
        id_column="",
        schema_file=config.validation.schema_path,
        run_id="",
        parent=NEWEST,
        may_keep=True,
        submitted=Submitted(
            path=RuntimeParameter("path", str, path if isinstance(path, str) else json.dumps(path)),
            span=RuntimeParameter("span", str, "" if span is None else str(span)),
            k=None if k == "auto" else RuntimeParameter("k", int, k),
        ),
    )


def _parameters(inputs: RunInputs) -> list[RuntimeParameter]:
    submitted = inputs.submitted
    assert submitted is not None
    return [each for each in (submitted.path, submitted.span, submitted.k) if each is not None]


def _limit(node: Any, deployment: DeploymentConfig) -> None:
    if deployment.cpu or deployment.memory_gb:
        node.with_platform_config(
            _Resources(cpu_limit=deployment.cpu or 0, memory_limit=deployment.memory_gb or 0)
        )
