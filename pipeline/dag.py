"""The pipeline, top to bottom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.component import SchemaGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.orchestration.pipeline import Pipeline

from components.assignments.component import Assignments
from components.drift.component import DriftCheck
from components.evaluator.component import Evaluator
from components.example_gen.component import CustomerExampleGen
from components.gate.component import DataGate
from components.migration.component import Migration
from components.pusher.component import Pusher
from components.report.component import Report
from components.served_model.component import ServedModel
from components.serving_check.component import ServingCheck
from components.tuner.component import Tuner
from configs.pipeline import PipelineConfig
from pipeline.columns import typed_data
from pipeline.entry_points import node_version
from pipeline.metadata import connection_config
from pipeline.text_models import text_model_digests
from pipeline.workspace import Workspace

# Prism, the default local runner of newer Beams, downloads a binary; ask for the one in Beam itself.
LOCAL_BEAM_ARGS = [
    "--runner=DirectRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    # Or TFX packs its own source at every component, for remote workers that there are none of: 0.7 to 1 s each.
    "--sdk_container_image=none",
]


@dataclass(frozen=True)
class RunInputs:
    """What a run was decided to work on, besides its config.

    source: JSON of the resolved files (see `components.example_gen.source`). id_column: the customer id.
    schema_file: the curated schema under a name that changes with its content, or None to infer one. run_id: names
    the run. parent: the served version, or None. known: JSON of every segment id that was ever served.
    """

    source: str
    id_column: str
    schema_file: str | None
    run_id: str
    parent: str | None
    known: str = ""


def data_nodes(config: PipelineConfig, inputs: RunInputs) -> dict[str, BaseComponent]:
    """The nodes up to the schema: what `segments schema` runs too."""
    example_gen = CustomerExampleGen(
        data_config=typed_data(config).model_dump_json(by_alias=True),
        source=inputs.source,
        code_version=node_version("ExampleGen"),
    ).with_id("ExampleGen")
    # All columns, features or not: a schema then stays the same when the choice of features changes. Only the id is
    # left out of the table, since describing it would cost as much as everything else together.
    # Percentiles: with TFDV's deciles the next run could not tell what has drifted (docs/drift.md).
    options = StatsOptions(num_quantiles_histogram_buckets=100)
    statistics = StatisticsGen(examples=example_gen.outputs["table"], stats_options=options)
    if inputs.schema_file:
        schema: BaseComponent = ImportSchemaGen(schema_file=inputs.schema_file).with_id("SchemaGen")
    else:
        schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=False)
    return {"examples": example_gen, "statistics": statistics, "schema": schema}


def create_pipeline(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> Pipeline:
    """The whole DAG. Each node gets only its own section of the config, and a hash of the code it runs."""
    nodes = data_nodes(config, inputs)
    examples = nodes["examples"].outputs["examples"]
    statistics = nodes["statistics"].outputs["statistics"]
    schema = nodes["schema"].outputs["schema"]

    validator = ExampleValidator(statistics=statistics, schema=schema)
    gate = DataGate(
        anomalies=validator.outputs["anomalies"],
        statistics=statistics,
        schema=schema,
        examples=examples,
        validation_config=config.validation.model_dump_json(by_alias=True),
        min_customers=config.fewest_segments,
        code_version=node_version("DataGate"),
    )
    served = ServedModel(
        serving_dir=workspace.serving,
        version=inputs.parent or "",
        known=inputs.known,
        code_version=node_version("ServedModel"),
    )
    served.add_upstream_node(gate)
    drift = DriftCheck(
        served_model=served.outputs["model"],
        statistics=statistics,
        schema=schema,
        examples=examples,
        drift_config=config.drift.model_dump_json(),
        code_version=node_version("DriftCheck"),
    )
    transform = Transform(
        examples=nodes["examples"].outputs["table"],
        schema=schema,
        preprocessing_fn="transforms.preprocessing.preprocessing_fn",
        custom_config={
            "features": config.features.model_dump_json(by_alias=True),
            "id_column": inputs.id_column,
            "text_models": text_model_digests(config),
            "code_version": node_version("Transform"),
        },
        # Transformed rows are cheaper to make again in tf.data than to write and read.
        materialize=False,
        disable_statistics=True,
        disable_analyzer_cache=True,
    )
    # No data flows from the gates to what they guard; without these edges they may run in any order.
    transform.add_upstream_node(gate)
    transform.add_upstream_node(drift)
    tuner = None
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
            },
            code_version=node_version("Tuner"),
        )
    trainer = Trainer(
        examples=examples,
        transform_graph=transform.outputs["transform_graph"],
        # Fits start at what customers have now, and its segments keep their ids.
        base_model=served.outputs["model"],
        hyperparameters=tuner.outputs["best_hyperparameters"] if tuner else None,
        run_fn="components.trainer.run_fn.run_fn",
        custom_config={
            "model": config.model.model_dump_json(by_alias=True),
            "identity": config.identity.model_dump_json(by_alias=True),
            "training": config.training.model_dump_json(by_alias=True),
            "checkpoint_dir": workspace.checkpoints,
            "features": config.features.model_dump_json(by_alias=True),
            "pipeline": config.name,
            "id_column": inputs.id_column,
            "config_hash": _model_config_hash(config),
            "code_version": node_version("Trainer"),
        },
    )
    model = trainer.outputs["model"]
    serving_check = ServingCheck(
        model=model,
        examples=examples,
        code_version=node_version("ServingCheck"),
    )
    evaluator = Evaluator(
        examples=examples,
        model=model,
        baseline_model=served.outputs["model"],
        schema=schema,
        evaluation=config.evaluation.model_dump_json(by_alias=True),
        code_version=node_version("Evaluator"),
    )
    # Before the evaluation: a model that no server can load is not worth measuring first.
    evaluator.add_upstream_node(serving_check)
    pusher = Pusher(
        model=model,
        statistics=statistics,
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        serving_dir=workspace.serving,
        run_key=inputs.run_id,
        code_version=node_version("Pusher"),
    )
    assignments = Assignments(
        examples=examples,
        pushed_model=pusher.outputs["pushed_model"],
        assignments_config=config.assignments.model_dump_json(),
        assignments_dir=workspace.assignments,
        id_column=inputs.id_column,
        code_version=node_version("Assignments"),
    )
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
    report = Report(
        model=model,
        served_model=served.outputs["model"],
        examples=examples,
        statistics=statistics,
        schema=schema,
        verdict=gate.outputs["verdict"],
        evaluation=evaluator.outputs["evaluation"],
        model_blessing=evaluator.outputs["blessing"],
        infra_blessing=serving_check.outputs["blessing"],
        pushed_model=pusher.outputs["pushed_model"],
        assignments=assignments.outputs["assignments"],
        sweep=tuner.outputs["sweep"] if tuner else None,
        migration=migration.outputs["migration"],
        report_config=config.report.model_dump_json(),
        pipeline_name=config.name,
        run_id=inputs.run_id,
        publish_dir=workspace.reports,
        code_version=node_version("Report"),
    )
    return assemble(
        config,
        workspace,
        [
            *nodes.values(),
            validator,
            gate,
            served,
            drift,
            transform,
            *([tuner] if tuner else []),
            trainer,
            serving_check,
            evaluator,
            pusher,
            assignments,
            migration,
            report,
        ],
    )


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


def _model_config_hash(config: PipelineConfig) -> str:
    """Of the sections that make the model what it is; where it is fitted (`training`) is not among them."""
    sections = [config.data, config.features, config.model, config.identity]
    if config.model.k == "auto":
        sections.append(config.tuner)
    content = [*(s.model_dump_json() for s in sections), *text_model_digests(config).values()]
    return hashlib.sha256("".join(content).encode()).hexdigest()[:16]
