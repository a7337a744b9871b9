"""The component on tables as ExampleGen writes them: both artifacts are read back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx.dsl.io import fileio
from tfx.types import Channel, artifact_utils, standard_artifacts

from components.artifacts import SelectedFeatures
from components.errors import DataError
from components.selection.component import FeatureSelection
from components.selection.executor import Executor
from configs.features import FeaturesConfig
from configs.selection import SelectionConfig
from tests.components.selection.planted import Columns, write_table_files

SHARED_DATA = Path(__file__).parents[4] / "shared" / "data"


class Select:
    """Runs `Do`; `schema` is what was written last."""

    def __init__(self, folder: Path):
        self.folder, self.schema = folder, schema_pb2.Schema()

    def artifact(self, kind: Any, name: str) -> Any:
        artifact = kind()
        artifact.uri = str(self.folder / name)
        fileio.makedirs(artifact.uri)
        return artifact

    def __call__(
        self,
        columns: Columns,
        features: dict[str, Any] | None = None,
        served: dict[str, Any] | None = None,
        segments: int = 3,
        schema: schema_pb2.Schema | None = None,
        **config: Any,
    ) -> dict[str, Any]:
        table = self.artifact(standard_artifacts.Examples, "table")
        table.split_names = artifact_utils.encode_split_names(["train", "eval"])
        write_table_files(self.folder / "table" / "Split-train", columns, parts=2)
        # What is held out is not looked at.
        held_out = {name: pa.nulls(5, column.type) for name, column in columns.items()}
        write_table_files(self.folder / "table" / "Split-eval", held_out)
        asked = self.artifact(standard_artifacts.Schema, "schema")
        text = text_format.MessageToString(schema or schema_of(columns))
        (self.folder / "schema" / "schema.pbtxt").write_text(text)
        model = self.artifact(standard_artifacts.Model, "model")
        model.set_int_custom_property("served", int(served is not None))
        if served is not None:
            extra = self.folder / "model" / "Format-Serving" / "assets.extra"
            extra.mkdir(parents=True, exist_ok=True)
            (extra / "segments.json").write_text(json.dumps(served))
        left = self.artifact(standard_artifacts.Schema, "left")
        selection = self.artifact(SelectedFeatures, "selection")
        Executor().Do(
            {"table": [table], "schema": [asked], "served_model": [model]},
            {"selected_schema": [left], "selection": [selection]},
            {
                "selection_config": SelectionConfig.model_validate(
                    {"method": "filters", **config}
                ).model_dump_json(),
                "features_config": FeaturesConfig.model_validate(features or {}).model_dump_json(
                    by_alias=True
                ),
                "id_column": "id",
                "segments": segments,
                "code_version": "",
            },
        )
        content: dict[str, Any] = json.loads((self.folder / "selection" / "selection.json").read_text())
        self.schema = text_format.Parse(
            (self.folder / "left" / "schema.pbtxt").read_text(), schema_pb2.Schema()
        )
        assert [feature.name for feature in self.schema.feature] == [
            feature.name
            for feature in (schema or schema_of(columns)).feature
            if feature.name in content["kept"]
        ]
        assert selection.get_int_custom_property("kept") == len(content["kept"])
        assert selection.get_int_custom_property("dropped") == len(content["dropped"])
        return content

    def reason(self, content: dict[str, Any], name: str) -> str:
        return next(str(each["reason"]) for each in content["features"] if each["name"] == name)


def schema_of(columns: Columns) -> schema_pb2.Schema:
    schema = schema_pb2.Schema()
    for name, column in columns.items():
        kind = (
            schema_pb2.FLOAT
            if pa.types.is_floating(column.type)
            else schema_pb2.INT
            if pa.types.is_integer(column.type)
            else schema_pb2.BYTES
        )
        schema.feature.add(name=name, type=kind, annotation=schema_pb2.Annotation(tag=[name]))
    return schema


@pytest.fixture
def select(tmp_path: Path) -> Select:
    return Select(tmp_path)


def table(n: int = 900, seed: int = 0) -> Columns:
    """Customers of three kinds, a column that is missing, one that is constant, a twin, noise, and who left."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    age = 25 + 15 * kind + rng.normal(size=n) * 4
    return {
        "visits": pa.array(rng.poisson(2 + 6 * kind), mask=rng.random(n) < 0.05),
        "age": pa.array(age, mask=rng.random(n) < 0.05),
        "age_months": pa.array(np.round(12 * age)),
        "plan": pa.array(np.where(rng.random(n) < 0.9, np.array(["basic", "plus", "pro"])[kind], "basic")),
        "luck": pa.array(rng.normal(size=n)),
        "country": pa.array(["FR"] * n),
        "fax": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.8),
        "churn": pa.array(np.where(rng.random(n) < 0.1 + 0.4 * kind, "yes", "no")),
    }


def test_what_is_left_is_a_schema(select: Select) -> None:
    content = select(table(), target="churn")
    assert content["asked"] == content["method"] == "filters"
    assert content["kept"] == ["age_months", "luck", "plan", "visits"]
    assert content["dropped"] == ["age", "country", "fax"]
    assert select.reason(content, "age").startswith("tells what 'age_months' tells")
    assert content["sample"] == {"customers": 900, "of": 900, "split": "train"}
    assert content["target"] == {"name": "churn", "task": "classification", "classes": 2, "customers": 900}
    assert [feature.annotation.tag[0] for feature in select.schema.feature] == [
        "visits",
        "age_months",
        "plan",
        "luck",
    ]
    assert content["score"] is None and content["warnings"] == []


def test_scores_against_a_target_and_against_segments(select: Select) -> None:
    content = select(table(), method="auto", target="churn")
    assert "luck" in content["dropped"] and {"visits"} <= set(content["kept"])
    assert content["score"]["against"] == "churn" and content["score"]["higher_is_better"]
    assert all(
        (each["score"] is None) == (each["rule"] in ("missing", "near_constant", "correlated"))
        for each in content["features"]
    )
    columns = table()
    del columns["churn"]
    segments = select(columns, method="importances")
    assert segments["score"]["against"] == "provisional segments" and segments["target"] is None
    assert "luck" in segments["dropped"] and {"age_months", "plan", "visits"} <= set(segments["kept"])
    assert "3 provisional segments" in segments["sentences"][-1]


def test_nothing_depends_on_the_order_of_rows_and_columns(select: Select, tmp_path: Path) -> None:
    columns = table(600)
    order = pa.array(np.random.default_rng(9).permutation(600))
    moved = {name: columns[name].take(order) for name in sorted(columns, reverse=True)}
    config: dict[str, Any] = {"method": "importances", "target": "churn", "sample": 400}
    other = tmp_path / "other"
    other.mkdir()
    assert select(columns, **config) == Select(other)(moved, **config)


def test_the_sections_features_say_what_is_a_feature(select: Select) -> None:
    content = select(
        table(),
        features={
            "exclude": ["luck"],
            "columns": {
                "visits": {"type": "categorical"},
                "plan": {"encode": "ordinal", "order": ["basic", "plus", "pro"]},
            },
        },
        keep=["country"],
        target="churn",
    )
    kinds = {each["name"]: each["kind"] for each in content["features"]}
    assert "luck" not in kinds and kinds["visits"] == "categorical" and kinds["plan"] == "numeric"
    assert "country" in content["kept"] and select.reason(content, "country") == "selection.keep lists it"


def test_what_the_served_model_uses_counts_if_it_was_selected(select: Select) -> None:
    model = {"features": [{"name": "age"}, {"name": "visits"}], "selected": True}
    assert "age" in select(table(), served=model)["kept"]
    assert "age_months" in select(table(), served={**model, "selected": False})["kept"]
    assert "age_months" in select(table(), served={"features": None, "selected": True})["kept"], "damaged"


def test_a_leak_is_in_the_result(select: Select) -> None:
    columns = table()
    left = np.array(columns["churn"].to_pylist()) == "yes"
    columns["left_on"] = pa.array(np.random.default_rng(0).normal(size=900), mask=~left)
    content = select(columns, target="churn", filters={"missing": 0.9})
    assert [leak["feature"] for leak in content["leaks"]] == ["left_on"]
    assert content["leaks"][0]["value"] > 0.99 and "'left_on' alone tells 'churn'" in content["warnings"][0]
    assert "left_on" in content["kept"]


@pytest.mark.parametrize(
    ("change", "config", "words"),
    [
        ("drop", {"target": "churn"}, "selection.target: there is no column 'churn' in the schema"),
        ("drop", {"keep": ["churn"]}, "selection.keep: there is no column 'churn' in the schema"),
        ("empty", {"target": "churn"}, "'churn' has no value for any"),
    ],
)
def test_a_target_that_is_not_there_is_refused(
    select: Select, change: str, config: dict[str, Any], words: str
) -> None:
    columns = table(200)
    schema = schema_of(columns)
    if change == "drop":
        del schema.feature[-1]
    else:
        columns["churn"] = pa.nulls(200, pa.string())
    with pytest.raises(DataError, match=words):
        select(columns, schema=schema, **config)


def test_a_column_that_features_names_must_be_there(select: Select) -> None:
    with pytest.raises(DataError, match="'income'"):
        select(table(200), features={"columns": {"income": {"log1p": True}}})


def test_the_component_has_both_outputs() -> None:
    node = FeatureSelection(
        table=Channel(type=standard_artifacts.Examples),
        schema=Channel(type=standard_artifacts.Schema),
        served_model=Channel(type=standard_artifacts.Model),
        selection_config="{}",
        features_config="{}",
        id_column="id",
        segments=0,
    )
    assert set(node.outputs) == {"selected_schema", "selection"}
    assert node.outputs["selected_schema"].type is standard_artifacts.Schema


def read(name: str, delimiter: str = ",") -> Columns:
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"needs the real data {name} in ../shared/data, which is not part of the project")
    with gzip.open(path) if name.endswith(".gz") else open(path, "rb") as file:
        found = pa_csv.read_csv(
            file,
            parse_options=pa_csv.ParseOptions(delimiter=delimiter),
            convert_options=pa_csv.ConvertOptions(strings_can_be_null=True, null_values=["", " ", "unknown"]),
        )
    return {column: found[column].combine_chunks() for column in found.column_names}


@pytest.mark.slow
def test_telcos_churn(select: Select) -> None:
    columns = read("telco_churn/Telco-Customer-Churn.csv")
    del columns["customerID"]
    content = select(columns, method="auto", target="Churn")
    assert content["sample"]["of"] == 7043 and content["warnings"] == []
    assert {"Contract", "tenure", "InternetService", "OnlineSecurity", "TechSupport"} <= set(content["kept"])
    assert {"gender", "PhoneService"} <= set(content["dropped"])
    assert "'MultipleLines'" in select.reason(content, "PhoneService"), "No phone service is a value there"


@pytest.mark.slow
def test_the_duration_of_the_call_is_known_when_its_outcome_is(select: Select) -> None:
    columns = read("bank_marketing/bank-full.csv.gz", ";")
    content = select(columns, method="filters", target="y")
    assert content["sample"] == {"customers": 20_000, "of": 45_211, "split": "train"}
    (leak,) = content["leaks"]
    assert (leak["feature"], leak["kind"]) == ("duration", "stands_out")
    assert leak["value"] > 0.74 > 0.65 > leak["threshold"]
    assert "poutcome" in content["dropped"], "unknown for most"
    del columns["duration"]
    assert select(columns, method="filters", target="y")["leaks"] == []


@pytest.fixture
def wide() -> Callable[[int], Columns]:
    def make(n: int) -> Columns:
        rng = np.random.default_rng(0)
        kind = rng.integers(0, 4, n)
        columns: Columns = {
            f"info{i}": pa.array(rng.permutation(4)[kind] + rng.normal(size=n)) for i in range(20)
        }
        columns |= {f"noise{i}": pa.array(rng.normal(size=n), mask=rng.random(n) < 0.1) for i in range(79)}
        return columns | {"name": pa.array(np.char.add("n", (np.arange(n) % 100_000).astype(str)))}

    return make


@pytest.mark.slow
def test_a_hundred_columns_one_with_a_hundred_thousand_values(
    select: Select, wide: Callable[[int], Columns]
) -> None:
    content = select(wide(120_000), method="auto")
    assert content["method"] == "unsupervised" and content["sample"] == {
        "customers": 20_000,
        "of": 120_000,
        "split": "train",
    }
    assert "outside the 32 most frequent" in select.reason(content, "name")
    assert content["kept"] == sorted(f"info{i}" for i in range(20))
