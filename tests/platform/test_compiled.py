"""What was compiled runs: every container command of both platforms, to a served model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from configs.loader import load_config
from pipeline.platform.compiling import compile_pipeline
from tests.end_to_end.command import Segments, customer_table, write_csv
from tests.platform.backend import BUCKET, Backend, in_a_process, in_this_process

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "name": "customers",
    "data": {"path": f"{BUCKET}/data/customers-{{SPAN}}.csv"},
    "model": {"k": 3},
    "deployment": {"image": "registry.example.org/segments:1.0", "workspace": f"{BUCKET}/workspace"},
}


def compiled(folder: Path, target: str, **sections: Any) -> dict[str, Any]:
    path = folder / "customers.yaml"
    path.write_text(json.dumps({**CONFIG, **sections}))
    return compile_pipeline(load_config(str(path)), target)


def test_kubeflow_runs_it_to_the_model_of_a_local_run(tmp_path: Path) -> None:
    bucket = tmp_path / "bucket"
    (bucket / "data").mkdir(parents=True)
    write_csv(bucket / "data" / "customers-1.csv", customer_table(1000, kinds=4))
    write_csv(bucket / "data" / "customers-2.csv", customer_table(300, seed=1))
    job = compiled(tmp_path, "kubeflow")
    outputs = Backend(bucket, in_a_process).submit(job, span="1", k=4)
    assert outputs["Pusher"]["pushed_model"]["metadata"]["pushed_version"] == "1"
    table = pq.read_table(bucket / "workspace" / "assignments" / "1" / "assignments.parquet")
    assert len(table) == 1000
    assert list((bucket / "workspace" / "reports").glob("*/report.html"))

    local = Segments(tmp_path / "local")
    local.folder.mkdir()
    local.config = {"data": {"path": str(bucket / "data" / "customers-{SPAN}.csv")}, "model": {"k": 4}}
    result = local.json("run", "--span", "1")
    assert result["status"] == "pushed"
    assert pq.read_table(result["assignments"]).equals(table), "the same customers in the same segments"
    # The same figures, too: who is in a sample follows from who a customer is.
    (page,) = (bucket / "workspace" / "reports").glob("*/report.json")
    assert json.loads(page.read_text())["metrics"] == result["metrics"]
    described = [
        json.loads(Path(folder, "assets.extra", "segments.json").read_text())
        for folder in (bucket / "workspace" / "serving" / "1", result["model"])
    ]
    for key in ("segments", "population", "fit", "space", "id_column"):
        assert described[0][key] == described[1][key], key


def test_vertex_makes_a_model_and_keeps_it_while_nothing_drifts(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_csv(tmp_path / "data" / "customers-1.csv", customer_table(600))
    job = compiled(tmp_path, "vertex", drift={"action": "retrain"})
    vertex = Backend(tmp_path, in_this_process)
    first = vertex.submit(job)
    assert first["DriftCheck"]["drift"]["metadata"]["retrain"] == 1.0
    assert not any(name.startswith("Kept") for name in first)
    serving, assignments = tmp_path / "workspace" / "serving", tmp_path / "workspace" / "assignments"
    assert (serving / "1" / "saved_model.pb").exists()

    # Under the same path, and nothing new about them: the newest files are found when the tasks run.
    write_csv(tmp_path / "data" / "customers-2.csv", customer_table(620, seed=1))
    second = vertex.submit(job)
    assert {"KeptEvaluator", "KeptAssignments", "KeptReport"} <= set(second)
    assert not {"Transform", "Trainer", "Pusher"} & set(second)
    assert second["ServedModel"]["model"]["metadata"]["version"] == "1"
    assert len(pq.read_table(assignments / "1" / "assignments.parquet")) == 620

    # Another number of segments, asked for at submission, and another file.
    write_csv(
        tmp_path / "elsewhere.csv", {**customer_table(500, seed=2), "income": [1.0 * n for n in range(500)]}
    )
    third = vertex.submit(job, k=2, path=str(tmp_path / "elsewhere.csv"))
    assert third["Pusher"]["pushed_model"]["metadata"]["pushed_version"] == "2"
    segments = json.loads((serving / "2" / "assets.extra" / "segments.json").read_text())
    assert (len(segments["segments"]), segments["parent"]) == (2, {"version": "1"})
