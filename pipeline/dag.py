"""The pipeline, top to bottom."""

from __future__ import annotations

import hashlib
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from tensorflow_data_validation.statistics.stats_options import StatsOptions
from tfx.components.example_validator.component import ExampleValidator
from tfx.components.schema_gen.component import SchemaGen
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.experimental.conditionals.conditional import Cond
from tfx.orchestration.data_types import RuntimeParameter
from tfx.orchestration.pipeline import Pipeline
from tfx.types import BaseChannel

from components.assignments.component import Assignments
from components.drift.component import DriftCheck
from components.evaluator.component import Evaluator
from components.example_gen.component import CustomerExampleGen
from components.example_gen.source import source_from_json
from components.gate.component import DataGate
from components.given_k.component import GivenK
from components.migration.component import Migration
from components.paths import is_local
from components.pusher.component import Pusher
from components.report.component import Report
from components.selection.component import FeatureSelection
from components.served_model.component import ServedModel
from components.serving_check.component import ServingCheck
from components.tuner.component import Tuner
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from configs.section import Section
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
class Submitted:
    """What a compiled pipeline can be submitted with: text `path` and `span`, and a number `k` where k is given."""

    path: RuntimeParameter
    span: RuntimeParameter
    k: RuntimeParameter | None = None


@dataclass(frozen=True)
class RunInputs:
    """What a run was decided to work on, besides its config.

    source: JSON of the resolved files (see `components.example_gen.source`). id_column: the customer id.
    schema_file: the curated schema under a name that changes with its content, or None to infer one. run_id: names
    the run. parent: the served version, or None. known: JSON of every segment id that was ever served. may_keep:
    whether the served model may stay where nothing has drifted. requests: how the rows that the served model was
    asked about are read, and their files, both as JSON; None without any. submitted: the parameters of a pipeline
    that is compiled; `source`, `id_column` and `run_id` are "" then, and `parent` is `NEWEST`.
    """

    source: str
    id_column: str
    schema_file: str | None
    run_id: str
    parent: str | None
    known: str = ""
    may_keep: bool = False
    requests: tuple[str, str] | None = None
    submitted: Submitted | None = None


def data_nodes(config: PipelineConfig, inputs: RunInputs) -> dict[str, BaseComponent]:
    """The nodes up to the schema: what `segments schema` runs too."""
    queried = {}
    if config.data.bigquery is not None:
        if not inputs.source:
            raise ConfigError(
                "data.bigquery: is read by runs of 'segments run'; for a compiled pipeline export the table and"
                " name its files in data.path"
            )
        # Here, not at the top: Google's client takes seconds, and most tables are files.
        from pipeline.queried import query_rows

        _, (fingerprint,) = source_from_json(inputs.source)
        queried["rows"] = query_rows(config.data.bigquery, moment=fingerprint[-1])
    example_gen = CustomerExampleGen(
        data_config=typed_data(config).model_dump_json(by_alias=True),
        source=inputs.source,
        path=inputs.submitted.path if inputs.submitted else None,
        span=inputs.submitted.span if inputs.submitted else None,
        rows=queried["rows"].outputs["examples"] if queried else None,
        code_version=node_version("ExampleGen"),
    ).with_id("ExampleGen")
    # All columns, features or not: a schema then stays the same when the choice of features changes. Only the id is
    # left out of the table, since describing it would cost as much as everything else together.
    statistics = StatisticsGen(examples=example_gen.outputs["table"], stats_options=_statistics_options())
    if inputs.schema_file:
        schema: BaseComponent = ImportSchemaGen(schema_file=inputs.schema_file).with_id("SchemaGen")
    else:
        schema = SchemaGen(statistics=statistics.outputs["statistics"], infer_feature_shape=False)
    return {**queried, "examples": example_gen, "statistics": statistics, "schema": schema}


def _statistics_options() -> StatsOptions:
    # Percentiles: with TFDV's deciles the next run could not tell what has drifted (docs/drift.md).
    return StatsOptions(num_quantiles_histogram_buckets=100)


def request_nodes(requests: tuple[str, str] | None) -> list[BaseComponent]:
    """What the served model was asked, as a table, and its statistics: the last of them; none without requests."""
    if requests is None:
        return []
    data, source = requests
    examples = CustomerExampleGen(
        data_config=data, source=source, code_version=node_version("ExampleGen")
    ).with_id("RequestExamples")
    statistics = StatisticsGen(examples=examples.outputs["table"], stats_options=_statistics_options())
    return [examples, statistics.with_id("RequestStatistics")]


def create_nodes(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> list[BaseComponent]:
    """The whole DAG. Each node gets only its own section of the config, and a hash of the code it runs."""
    before = guarding_nodes(config, inputs, workspace)
    only_on_drift = config.drift.action == "retrain"
    verdict = before.drift.outputs["drift"].future()[0].custom_property("retrain")
    with Cond(verdict == 1) if only_on_drift else nullcontext():
        nodes = [*before.all, *model_nodes(config, inputs, workspace, before)]
    if only_on_drift:
        with Cond(verdict == 0):
            nodes += kept_nodes(config, inputs, workspace, before)
    return nodes


def create_pipeline(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> Pipeline:
    """The DAG for this machine."""
    return assemble(config, workspace, create_nodes(config, inputs, workspace))


@dataclass(frozen=True)
class GuardingNodes:
    """The nodes before any training, by what the others need of them."""

    examples: BaseComponent
    statistics: BaseComponent
    schema: BaseComponent
    validator: BaseComponent
    gate: BaseComponent
    served: BaseComponent
    requests: list[BaseComponent]
    drift: BaseComponent
    rows: BaseComponent | None = None

    @property
    def all(self) -> list[BaseComponent]:
        """In the order of the data's way."""
        data = [self.examples, self.statistics, self.schema, self.validator, self.gate]
        return [*([self.rows] if self.rows else []), *data, self.served, *self.requests, self.drift]


def guarding_nodes(config: PipelineConfig, inputs: RunInputs, workspace: Workspace) -> GuardingNodes:
    """From the files to the word whether these customers may, and have to, be trained on."""
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
    requests = request_nodes(inputs.requests)
    drift = DriftCheck(
        served_model=served.outputs["model"],
        statistics=statistics,
        schema=schema,
        examples=examples,
        request_statistics=requests[-1].outputs["statistics"] if requests else None,
        drift_config=config.drift.model_dump_json(exclude={"requests"}),
        config_hash=_model_config_hash(config)
        if config.drift.action == "retrain" and inputs.may_keep
        else "",
        code_version=node_version("DriftCheck"),
    )
    return GuardingNodes(
        **nodes, validator=validator, gate=gate, served=served, requests=requests, drift=drift
    )


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
            "config_hash": _model_config_hash(config),
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
    evaluator = _evaluator(config, before, model)
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
    assignments = _assignments(config, inputs, workspace, before, pusher.outputs["pushed_model"])
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
    report = _report(
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


def kept_nodes(
    config: PipelineConfig, inputs: RunInputs, workspace: Workspace, before: GuardingNodes
) -> list[BaseComponent]:
    """Where the served model is kept: how good it is today, and who is in which of its segments."""
    model, pushed_model = before.served.outputs["model"], before.served.outputs["pushed_model"]
    evaluator = _evaluator(config, before, model).with_id("KeptEvaluator")
    assignments = _assignments(config, inputs, workspace, before, pushed_model).with_id("KeptAssignments")
    report = _report(
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


def _hyperparameters(tuner: BaseComponent | None, given_k: BaseComponent | None) -> BaseChannel | None:
    if tuner:
        return tuner.outputs["best_hyperparameters"]
    return given_k.outputs["hyperparameters"] if given_k else None


def _evaluator(config: PipelineConfig, before: GuardingNodes, model: BaseChannel) -> Evaluator:
    return Evaluator(
        examples=before.examples.outputs["examples"],
        model=model,
        baseline_model=before.served.outputs["model"],
        schema=before.schema.outputs["schema"],
        evaluation=config.evaluation.model_dump_json(by_alias=True),
        code_version=node_version("Evaluator"),
    )


def _assignments(
    config: PipelineConfig,
    inputs: RunInputs,
    workspace: Workspace,
    before: GuardingNodes,
    pushed_model: BaseChannel,
) -> Assignments:
    return Assignments(
        examples=before.examples.outputs["examples"],
        pushed_model=pushed_model,
        assignments_config=config.assignments.model_dump_json(),
        assignments_dir=workspace.assignments,
        id_column=inputs.id_column,
        code_version=node_version("Assignments"),
    )


def _report(
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
    """Of the sections that make the model what it is, but which span of the data it is made from.

    Where it is fitted (`training`) is not among them.
    """
    sections: list[Section] = [config.features, config.model, config.identity]
    if config.model.k == "auto":
        sections.append(config.tuner)
    if config.selection.is_on:
        sections.append(config.selection)
    content = [
        config.data.model_dump_json(exclude={"span"}),
        *(s.model_dump_json() for s in sections),
        *text_model_digests(config).values(),
    ]
    return hashlib.sha256("".join(content).encode()).hexdigest()[:16]
