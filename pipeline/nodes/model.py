"""From customers to a new model, and all that follows from it."""

from __future__ import annotations

from typing import Any

from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.types import BaseChannel

from components.given_k.component import GivenK
from components.migration.component import Migration
from components.paths import is_local
from components.pusher.component import Pusher
from components.selection.component import FeatureSelection
from components.serving_check.component import ServingCheck
from components.tuner.component import Tuner
from configs.pipeline import PipelineConfig
from pipeline.entry_points import node_version
from pipeline.model_hash import model_config_hash
from pipeline.nodes.guarding import GuardingNodes
from pipeline.nodes.judging import assignments_by, evaluator_of, report_on
from pipeline.run_inputs import RunInputs
from pipeline.text_models import text_model_digests
from pipeline.workspace import Workspace


def model_nodes(
    config: PipelineConfig, inputs: RunInputs, workspace: Workspace, before: GuardingNodes
) -> list[BaseComponent]:
    """From the customers to a new model, and all that follows from it."""
    examples = before.examples.outputs["examples"]
    served = before.served
    selection = None
    # What the nodes from Transform on are to know of it: columns that the config names may be gone.
    selected: dict[str, Any] = {}
    if config.selection.is_on:
        selection = FeatureSelection(
            table=before.examples.outputs["table"],
            schema=before.schema.outputs["schema"],
            served_model=served.outputs["model"],
            selection_config=config.selection.model_dump_json(),
            features_config=config.features.model_dump_json(by_alias=True),
            id_column=inputs.id_column,
            segments=config.provisional_segments,
            code_version=node_version("FeatureSelection"),
        )
        selection.add_upstream_node(before.gate)
        selection.add_upstream_node(before.drift)
        selected = {"selected": True}
    transform = Transform(
        examples=before.examples.outputs["table"],
        # Of a column that is not in its schema Transform knows nothing, and nor does anything after it.
        schema=selection.outputs["selected_schema"] if selection else before.schema.outputs["schema"],
        preprocessing_fn="transforms.preprocessing.preprocessing_fn",
        custom_config={
            "features": config.features.model_dump_json(by_alias=True),
            "id_column": inputs.id_column,
            "text_models": text_model_digests(config),
            "code_version": node_version("Transform"),
            **selected,
        },
        # Transformed rows are cheaper to make again in tf.data than to write and read.
        materialize=False,
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    # No data flows from the gates to what they guard; without these edges they may run in any order.
    transform.add_upstream_node(before.gate)
    transform.add_upstream_node(before.drift)
    tuner = given_k = None
    if inputs.submitted and inputs.submitted.k:
        given_k = GivenK(k=inputs.submitted.k)
    if config.model.k == "auto":
        tuner = Tuner(
            examples=examples,
            transform_graph=transform.outputs["transform_graph"],
            tuner_fn="components.tuner.tuner_fn.tuner_fn",
            custom_config={
                "model": config.model.model_dump_json(by_alias=True),
                "tuner": config.tuner.model_dump_json(by_alias=True),
                "features": config.features.model_dump_json(by_alias=True),
                "id_column": inputs.id_column,
                # What the evaluation would refuse is not worth choosing.
                "min_share": config.evaluation.least("smallest_segment_share"),
                "min_stability": config.evaluation.least("stability"),
                **selected,
            },
            code_version=node_version("Tuner"),
        )
    trainer = Trainer(
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        # Fits start at what customers have now, and its segments keep their ids.
        base_model=served.outputs["model"],
        hyperparameters=_hyperparameters(tuner, given_k),
        run_fn="components.trainer.run_fn.run_fn",
        custom_config={
            "model": config.model.model_dump_json(by_alias=True),
            "identity": config.identity.model_dump_json(by_alias=True),
            "training": config.training.model_dump_json(by_alias=True),
            # Fits that are cut short go on from files that are written over in place, which no object store does.
            "checkpoint_dir": workspace.checkpoints if is_local(workspace.root) else None,
            "features": config.features.model_dump_json(by_alias=True),
            "pipeline": config.name,
            "id_column": inputs.id_column,
            "config_hash": model_config_hash(config),
            "code_version": node_version("Trainer"),
            **selected,
        },
    )
    model = trainer.outputs["model"]
    serving_check = ServingCheck(
        model=model,
        examples=examples,
        code_version=node_version("ServingCheck"),
    )
    evaluator = evaluator_of(config, before, model)
    # Before the evaluation: a model that no server can load is not worth measuring first.
    evaluator.add_upstream_node(serving_check)
    pusher = Pusher(
        model=model,
        statistics=before.statistics.outputs["statistics"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        serving_dir=workspace.serving,
        # Ties a push to its run for TFX's cache, which a compiled pipeline has none of.
        run_key=inputs.run_id or "submitted",
        code_version=node_version("Pusher"),
    )
    assignments = assignments_by(config, inputs, workspace, before, pusher.outputs["pushed_model"])
    migration = Migration(
        examples=examples,
        model=model,
        served_model=served.outputs["model"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments=assignments.outputs["assignments"],
        serving_dir=workspace.serving,
        assignments_dir=workspace.assignments,
        id_column=inputs.id_column,
        code_version=node_version("Migration"),
    )
    report = report_on(
        config,
        inputs,
        workspace,
        before,
        model=model,
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments=assignments.outputs["assignments"],
        sweep=tuner.outputs["sweep"] if tuner else None,
        migration=migration.outputs["migration"],
        selection=selection.outputs["selection"] if selection else None,
    )
    return [
        *filter(None, [selection]),
        transform,
        *filter(None, [given_k, tuner]),
        trainer,
        serving_check,
        evaluator,
        pusher,
        assignments,
        migration,
        report,
    ]


def _hyperparameters(tuner: BaseComponent | None, given_k: BaseComponent | None) -> BaseChannel | None:
    if tuner:
        return tuner.outputs["best_hyperparameters"]
    return given_k.outputs["hyperparameters"] if given_k else None
