"""From files to the word whether these customers may, and have to, be trained on."""

from __future__ import annotations

from dataclasses import dataclass

from tfx.components.example_validator.component import ExampleValidator
from tfx.dsl.components.base.base_component import BaseComponent

from components.drift.component import DriftCheck
from components.gate.component import DataGate
from components.served_model.component import ServedModel
from configs.pipeline import PipelineConfig
from pipeline.entry_points import node_version
from pipeline.model_hash import model_config_hash
from pipeline.nodes.data import data_nodes, request_nodes
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace


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
        config_hash=model_config_hash(config) if config.drift.action == "retrain" and inputs.may_keep else "",
        code_version=node_version("DriftCheck"),
    )
    return GuardingNodes(
        **nodes, validator=validator, gate=gate, served=served, requests=requests, drift=drift
    )
