"""BigQuery as a source, without a cloud: the DAG, what reaches TFX's component, and rows through Beam to customers."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apache_beam as beam
import pytest
from tfx.dsl.compiler.compiler import Compiler
from tfx.extensions.google_cloud_big_query import utils as tfx_big_query
from tfx.extensions.google_cloud_big_query.example_gen import executor as tfx_executor
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.pipeline import Pipeline
from tfx.types import standard_artifacts

from components.errors import DataError
from components.example_gen.executor import Executor
from components.example_gen.source import fingerprint_source, resolve_source, source_to_json
from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig
from pipeline.dag import LOCAL_BEAM_ARGS, assemble, create_pipeline
from pipeline.nodes.data import data_nodes
from pipeline.plan import plan_run
from pipeline.queried import query_rows
from pipeline.run_inputs import RunInputs
from pipeline.workspace import Workspace
from tests.components.example_gen.test_executor import ingest_of, rows_of

BUCKET = ["--temp_location=gs://bucket/tmp"]
QUERY = "SELECT id, age, plan FROM shop.customers"


def config(beam_args: list[str] = BUCKET, **data: Any) -> PipelineConfig:
    content = {"bigquery": {"query": QUERY, "project": "payer"}, "id": "id", **data}
    return PipelineConfig.model_validate({"name": "t", "data": content, "beam_args": beam_args})


def inputs_of(settings: PipelineConfig) -> RunInputs:
    source = resolve_source(settings)
    return RunInputs(
        source=source_to_json(source, fingerprint_source(source)),
        id_column=source.id_name,
        schema_file=None,
        run_id="r",
        parent=None,
    )


def pipeline_of(settings: PipelineConfig, folder: Path) -> Pipeline:
    return create_pipeline(settings, inputs_of(settings), Workspace(str(folder)))


def test_the_dag_compiles_and_the_query_and_the_project_arrive(tmp_path: Path) -> None:
    pipeline = pipeline_of(config(), tmp_path)
    nodes = {node.id: node for node in pipeline.components}
    assert {node.id for node in nodes["ExampleGen"].upstream_nodes} == {"BigQueryExampleGen"}
    compiled = {
        node.pipeline_node.node_info.id: node.pipeline_node for node in Compiler().compile(pipeline).nodes
    }
    assert (
        compiled["ExampleGen"].inputs.inputs["rows"].channels[0].producer_node_query.id
        == "BigQueryExampleGen"
    )
    properties = compiled["BigQueryExampleGen"].parameters.parameters
    (split,) = json.loads(properties["input_config"].field_value.string_value)["splits"]
    assert split["pattern"].startswith(f"{QUERY}\n-- read for the run of 20")
    assert split["pattern"].endswith("\n"), "TFX puts it into parentheses"
    beam_args = nodes["BigQueryExampleGen"].executor_spec.beam_pipeline_args
    assert beam_args == [*LOCAL_BEAM_ARGS, *BUCKET, "--project=payer"]
    assert "--project=payer" not in nodes["ExampleGen"].executor_spec.beam_pipeline_args


def test_a_query_is_always_new(tmp_path: Path) -> None:
    one, other = (plan_run(config(), prepared(tmp_path)) for _ in range(2))
    assert one.fingerprint != other.fingerprint
    assert one.source.id_name == "id"


def prepared(folder: Path) -> Workspace:
    workspace = Workspace(str(folder))
    workspace.prepare()
    return workspace


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"id": None}, "data.id: say which column of the query's result"),
        ({"span": 3}, "data.span: is for files"),
        ({"format": "csv"}, "data.format: is for files"),
        ({"beam_args": []}, "beam_args: Beam reads BigQuery through a bucket"),
    ],
)
def test_what_is_refused_before_anything_is_queried(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        resolve_source(config(**changes))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{id: x}", "'data': needs 'path', the files to read, or else 'bigquery'"),
        ("{path: a.csv, bigquery: {table: a.b}}", "'data': needs 'path', the files to read, or else"),
        ("{bigquery: {project: p}}", "'data.bigquery': needs either 'query' or 'table'"),
        ("{bigquery: {query: 'SELECT 1;'}}", "'data.bigquery': 'query' must not end in a semicolon"),
        ("{bigquery: {table: customers}}", "'data.bigquery': 'table' is dataset.table or project"),
    ],
)
def test_what_a_config_may_say(tmp_path: Path, data: str, message: str) -> None:
    (tmp_path / "c.yaml").write_text(f"data: {data}\n")
    with pytest.raises(ConfigError) as error:
        load_config(str(tmp_path / "c.yaml"))
    assert message in str(error.value)


@pytest.fixture
def big_query(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """BigQuery as far as TFX's executor sees it; notes what it is asked."""
    types = {"id": "STRING", "age": "INTEGER", "income": "FLOAT", "plan": "STRING"}
    cloud = SimpleNamespace(rows=[], projects=[], dry=[], queries=[])

    class Client:
        def __init__(self, project: str) -> None:
            cloud.projects.append(project)

        def query(self, query: str) -> Any:
            cloud.dry.append(query)
            schema = [SimpleNamespace(name=name, field_type=kind) for name, kind in types.items()]
            return SimpleNamespace(result=lambda: SimpleNamespace(schema=schema))

    @beam.ptransform_fn
    def read(pipeline: beam.Pipeline, query: str, big_query_custom_config: Any) -> Any:
        cloud.queries.append(query)
        return pipeline | beam.Create(cloud.rows)

    monkeypatch.setattr(tfx_executor.bigquery, "Client", Client)
    monkeypatch.setattr(tfx_big_query, "ReadFromBigQuery", read)
    return cloud


def run(settings: PipelineConfig, folder: Path) -> standard_artifacts.Examples:
    """Both executors, one after the other, as the DAG runs them."""
    source = resolve_source(settings)
    assert settings.data.bigquery is not None
    node = query_rows(settings.data.bigquery, "now")
    artifacts = {}
    for name in ("rows", "examples", "table"):
        artifacts[name] = standard_artifacts.Examples()
        artifacts[name].uri = str(folder / name)
    beam_args = [*LOCAL_BEAM_ARGS, *node.executor_spec.beam_pipeline_args]

    def context(kind: Any) -> Any:
        return kind.Context(beam_pipeline_args=beam_args, tmp_dir=str(folder / "tmp"), unique_id="1")

    tfx_executor.Executor(context(tfx_executor.Executor)).Do(
        {}, {"examples": [artifacts["rows"]]}, dict(node.exec_properties)
    )
    Executor(context(Executor)).Do(
        {"rows": [artifacts["rows"]]},
        {"examples": [artifacts["examples"]], "table": [artifacts["table"]]},
        {
            "data_config": settings.data.model_dump_json(by_alias=True),
            "source": source_to_json(source, fingerprint_source(source)),
            "code_version": "",
        },
    )
    return artifacts["examples"]


def test_rows_become_customers_by_the_rules_for_files(tmp_path: Path, big_query: SimpleNamespace) -> None:
    big_query.rows = [
        {"id": "007", "age": 30, "income": 1.5, "plan": "basic"},
        {"id": "8", "age": None, "income": None, "plan": "unknown"},
        {"id": "9", "age": 999, "income": 0.25, "plan": None},
    ]
    settings = config(
        missing={"plan": ["unknown"]}, bounds={"age": {"max": 120, "otherwise": "clip"}}, eval_share=0.5
    )
    examples = run(settings, tmp_path)
    rows = sorted(rows_of(examples, "train") + rows_of(examples, "eval"), key=lambda row: row["id"])
    assert rows == [
        {"id": [b"007"], "age": [30], "income": [1.5], "plan": [b"basic"]},
        {"id": [b"8"], "age": [], "income": [], "plan": []},
        {"id": [b"9"], "age": [120], "income": [0.25], "plan": []},
    ]
    ingest = ingest_of(examples)
    assert ingest["query"] == QUERY
    assert ingest["values_changed"] == {"age": {"clipped": 1}, "plan": {"marked_missing": 1}}
    assert ingest["digests"].keys() == {"bigquery"}
    assert big_query.projects == ["payer"]
    asked = f"{QUERY}\n-- read for the run of now\n"
    assert (big_query.dry, big_query.queries) == ([f"SELECT * FROM ({asked}) LIMIT 0"], [asked])


@pytest.mark.slow
def test_the_local_runner_hands_the_rows_on_and_asks_anew_in_each_run(
    tmp_path: Path, big_query: SimpleNamespace
) -> None:
    settings = config(bigquery={"table": "shop.customers"})
    for turn in (1, 2):
        big_query.rows = [{"id": str(n), "age": n * turn, "income": 0.5, "plan": "a"} for n in range(20)]
        nodes = data_nodes(settings, inputs_of(settings))
        LocalDagRunner().run(assemble(settings, prepared(tmp_path), list(nodes.values())))
        newest = max(
            (tmp_path / "artifacts" / "ExampleGen" / "examples").iterdir(), key=lambda p: int(p.name)
        )
        examples = SimpleNamespace(uri=str(newest))
        rows = [row for split in ("train", "eval") for row in rows_of(examples, split)]
        assert sorted(row["age"][0] for row in rows) == [n * turn for n in range(20)]
    assert len(set(big_query.queries)) == 2


def test_columns_are_checked_when_they_are_known(tmp_path: Path, big_query: SimpleNamespace) -> None:
    big_query.rows = [{"id": "1", "age": 1}]
    with pytest.raises(ConfigError, match=r"data\.bounds: there is no column 'agee'.*did you mean 'age'"):
        run(config(bounds={"agee": {"min": 0}}), tmp_path)


def test_no_rows(tmp_path: Path, big_query: SimpleNamespace) -> None:
    with pytest.raises(DataError, match=r"data\.bigquery: the query gives no rows"):
        run(config(bigquery={"table": "shop.customers"}), tmp_path)
    assert big_query.queries[0].startswith("SELECT * FROM `shop.customers`\n")
