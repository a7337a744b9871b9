"""A file of new customers, read as the configuration says and assigned by a real exported model."""

from __future__ import annotations

import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

from components.assignments import new_customers
from components.errors import DataError
from components.served_model.loaded import LoadedModel
from configs.errors import ConfigError
from configs.pipeline import PipelineConfig
from pipeline.assigning import _of_file, assign_file
from tests.components.trainer.training import Trained, customers

# Of whole numbers and of nothing, where the model knows a number and a text: what the first rows hold does not count.
TABLE = """id,f_spend,s_plan,i_visits,note
a,10,,3,x
b,-9,,25,x
c,,,23,x
d,210,,44,"y, z"
"""


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(Trained(tmp_path_factory.mktemp("model"), customers()).model_dir)


def config(**data: Any) -> PipelineConfig:
    content = {"name": "test", "data": {"path": "unused.csv", "id": "id", **data}}
    return PipelineConfig.model_validate(content)


def assign(model_dir: str, folder: Path, table: str = TABLE, output: str = "out.parquet", **data: Any) -> Any:
    path = folder / "new.csv"
    path.write_text(table)
    result = assign_file(config(**data), model_dir, str(path), str(folder / output))
    read = pq.read_table if output.endswith(".parquet") else pa_csv.read_csv
    return result, read(str(folder / output))


def test_the_answers_are_the_models(model_dir: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(new_customers, "BATCH", 3)
    result, table = assign(model_dir, tmp_path, missing={"f_spend": [-9]})
    model = LoadedModel(model_dir)
    answers = model.ask_rows([
        {"f_spend": 10.0, "i_visits": 3}, {"i_visits": 25}, {"i_visits": 23}, {"f_spend": 210.0, "i_visits": 44},
    ])  # fmt: skip
    assert table.column_names == ["id", "segment_id", "segment_name", "distance", "is_outlier"]
    assert table["id"].to_pylist() == ["a", "b", "c", "d"]
    np.testing.assert_array_equal(table["segment_id"], answers.segment_ids)
    assert [name.encode() for name in table["segment_name"].to_pylist()] == answers.segment_names.tolist()
    np.testing.assert_array_equal(table["distance"], answers.distance)
    np.testing.assert_array_equal(table["is_outlier"], answers.outliers)
    counts = {each["id"]: each["customers"] for each in result["segments"]}
    assert sum(counts.values()) == 4
    assert all(counts[i] == table["segment_id"].to_pylist().count(i) for i in counts)
    assert len(set(answers.segment_ids.tolist())) > 1
    assert result["outliers"] == answers.outliers.sum()


def test_csv_and_the_rules_of_the_data_section(model_dir: str, tmp_path: Path) -> None:
    keep = [{"column": "note", "ne": "y, z"}]
    result, table = assign(
        model_dir, tmp_path, TABLE + "a,10,,3,x\n", "out.csv", keep=keep, duplicate_ids="first"
    )
    assert table["id"].to_pylist() == ["a", "b", "c"]
    assert result["rows_read"] == 5
    assert sum(result["rows_dropped"].values()) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.csv", "out.csv"], "nothing half written"


def test_what_the_run_cleans_is_cleaned_here_too(model_dir: str, tmp_path: Path) -> None:
    clean = "id,f_spend,s_plan,i_visits\na,1010.5,,3\nb,,basic,25\nc,5000,,23\nd,210,,44\ne,-4,,1\n"
    messy = (
        "id,f_spend,s_plan,i_visits,seen\n"
        'a,"$1,010.50",?,2024-01-28,1\nb,n/a,basic,06.01.2024,1\nc,"$9,999",?,8.1.2024,2\nc,$0,?,8.1.2024,1\n'
        "d,$210,gold,18.12.2023,1\ne,-$4,?,2024-01-30,1\n"
    )
    _, expected = assign(model_dir, tmp_path, clean, "clean.parquet")
    result, table = assign(
        model_dir, tmp_path, messy, "messy.parquet",
        missing={"f_spend": ["n/a"], "s_plan": ["?"]},
        numbers={"f_spend": {"thousands": ",", "strip": "$"}},
        dates={"i_visits": {
            "formats": ["%Y-%m-%d", "%d.%m.%Y"], "as": "days_since", "as_of": datetime.date(2024, 1, 31),
        }},
        bounds={
            "f_spend": {"max": 5000, "otherwise": "clip"},
            "s_plan": {"allowed": ["basic"], "otherwise": "missing"},
        },
        duplicate_ids={"keep": "last", "by": "seen"},
    )  # fmt: skip
    assert table.equals(expected)
    assert len(set(table["segment_id"].to_pylist())) > 1
    assert result["rows_dropped"] == {"duplicate_ids": 1}
    assert result["values_changed"] == {
        "f_spend": {"clipped": 1, "marked_missing": 1}, "s_plan": {"marked_missing": 4, "out_of_bounds": 1},
    }  # fmt: skip


def test_refused_in_words(model_dir: str, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"new\.csv: there is no column 's_plan', which the served model asks"
    ):
        assign(model_dir, tmp_path, "id,f_spend,i_visits\na,1,2\n")
    with pytest.raises(DataError, match=r"column 'f_spend': 'much' is not a number"):
        assign(model_dir, tmp_path, TABLE + "e,much,,3,x\n")
    with pytest.raises(DataError, match="the customer id 'a' is there already"):
        assign(model_dir, tmp_path, TABLE + "a,10,,3,x\n")
    assert [path.name for path in tmp_path.iterdir()] == ["new.csv"]


@pytest.mark.parametrize(
    ("asked", "names", "taken"),
    [
        # The new file's most frequent categories may be others than those that the model knows.
        (5, ["monetary", "share_tea", "share_"], ["tea", ""]),
        (5, ["monetary"], None),
        (["jam"], ["share_jam"], ["jam"]),
    ],
)
def test_shares_are_of_the_models_categories(asked: Any, names: list[str], taken: Any) -> None:
    timed = {"time": "t", "amount": "a", "category": "c", "category_shares": asked}
    model: Any = SimpleNamespace(content={}, features=[SimpleNamespace(name=name) for name in names])
    data = _of_file(config(transactions=timed).data, model, "new.csv")
    assert data.transactions is not None
    assert data.transactions.category_shares == taken
