"""The pipeline, top to bottom."""

from __future__ import annotations

from contextlib import nullcontext

from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.experimental.conditionals.conditional import Cond
from tfx.orchestration.pipeline import Pipeline

from configs.pipeline import PipelineConfig
from pipeline.metadata import connection_config
from pipeline.nodes.guarding import guarding_nodes
from pipeline.nodes.kept import kept_nodes
from pipeline.nodes.model import model_nodes
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace

# Prism, the default local runner of newer Beams, downloads a binary; ask for the one in Beam itself.
LOCAL_BEAM_ARGS = [
    "--runner=DirectRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    # Or TFX packs its own source at every component, for remote workers that there are none of: 0.7 to 1 s each.
    "--sdk_container_image=none",
]


def create_pipeline(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> Pipeline:
    """The DAG for this machine."""
    return assemble(config, workspace, create_nodes(config, inputs, workspace))


def create_nodes(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> list[BaseComponent]:
    """The whole DAG, here and on a platform, in three stretches:

    - guarding: ExampleGen, StatisticsGen, SchemaGen, ExampleValidator, DataGate, ServedModel, DriftCheck;
    - model: FeatureSelection, Transform, Tuner, Trainer, ServingCheck, Evaluator, Pusher, Assignments, Migration,
      Report;
    - kept, in its place where only drift makes a new model and nothing has drifted: Evaluator, Assignments, Report of
      the served model.

    Each node gets only its own section of the config, and a hash of the code it runs.
    """
    before = guarding_nodes(config, inputs, workspace)
    only_on_drift = config.drift.action == "retrain"
    verdict = before.drift.outputs["drift"].future()[0].custom_property("retrain")
    with Cond(verdict == 1) if only_on_drift else nullcontext():
        nodes = [*before.all, *model_nodes(config, inputs, workspace, before)]
    if only_on_drift:
        with Cond(verdict == 0):
            nodes += kept_nodes(config, inputs, workspace, before)
    return nodes


def assemble(config: PipelineConfig, workspace: Workspace, nodes: list[BaseComponent]) -> Pipeline:
    """A local pipeline of these nodes, with caching."""
    return Pipeline(
        pipeline_name=config.name,
        pipeline_root=workspace.artifacts,
        metadata_connection_config=connection_config(config.metadata, workspace),
        components=nodes,
        enable_cache=True,
        beam_pipeline_args=[*LOCAL_BEAM_ARGS, *config.beam_args],
    )
