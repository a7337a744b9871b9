"""The serving check in a process of its own."""

from __future__ import annotations

import json
import sys

import pytest
from tfx.components.util import model_utils
from tfx.types import Channel, standard_artifacts

from components.serving_check.component import ServingCheck
from components.serving_check.executor import Executor, run_probe


def _do(serving, root, defect=None):
    blessing = standard_artifacts.InfraBlessing()
    blessing.uri = str(root / "blessing")
    (root / "blessing").mkdir()
    examples = serving.write_examples(root / "examples", {"train": [], "eval": serving.table(50)}, shards=3)
    inputs = {"model": [serving.model_artifact(root / "model", defect)], "examples": [examples]}
    Executor().Do(inputs, {"blessing": [blessing]}, {"rows": 20, "timeout_seconds": 300, "code_version": ""})
    return blessing, json.loads((root / "blessing" / "check.json").read_text())


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.slow
def test_a_good_model_is_blessed_by_a_process_with_tensorflow_alone(serving, tmp_path, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": {"worker": ["a:1", "b:1"]}, "task": {"index": 1}}))
    blessing, check = _do(serving, tmp_path)
    assert check["failures"] == []
    assert check["blessed"] is True and check["checks"] > 100
    assert model_utils.is_infra_validated(blessing)
    assert _names(tmp_path / "blessing") == ["INFRA_BLESSED", "check.json"]

    imported = set(check["imported"])
    assert {"tensorflow", "numpy"} <= imported
    foreign = {"tfx", "tfx_bsl", "apache_beam", "tensorflow_transform", "tensorflow_text", "ml_metadata"}
    ours = {"components", "transforms", "configs", "pipeline", "executor", "component"}
    assert imported & (foreign | ours | {"tensorflow_data_validation", "tensorflow_model_analysis"}) == set()


@pytest.mark.slow
def test_a_broken_model_is_not_blessed_and_the_run_goes_on(serving, tmp_path):
    blessing, check = _do(serving, tmp_path, "farthest")
    assert blessing.get_int_custom_property("blessed") == 0
    assert not model_utils.is_infra_validated(blessing)
    assert check["blessed"] is False
    assert (
        "serving_default, real rows: the segment is not the nearest one in 20 of 20 rows" in check["failures"]
    )
    assert sorted(path.name for path in (tmp_path / "blessing").iterdir()) == [
        "INFRA_NOT_BLESSED",
        "check.json",
    ]


def _probe(code, timeout=30.0):
    return run_probe({"model": "m", "examples": [], "rows": 1}, timeout, [sys.executable, "-c", code])


def test_a_process_that_never_answers():
    assert _probe("import time; time.sleep(60)", 0.5) == {
        "failures": ["the model did not answer within 0.5 s"],
        "checks": 1,
        "imported": [],
    }


def test_a_process_that_crashes():
    assert _probe("import os; os.kill(os.getpid(), 11)")["failures"] == [
        "the process that loads the model ended with code -11"
    ]
    assert _probe("raise SystemExit('no space left')")["failures"] == [
        "the process that loads the model ended with code 1: no space left"
    ]
    assert _probe("pass")["failures"] == ["the process that loads the model ended with code 0"]


def test_the_component_has_its_parameters_in_the_cache_key():
    check = ServingCheck(
        model=Channel(standard_artifacts.Model),
        examples=Channel(standard_artifacts.Examples),
        code_version="abc",
    )
    assert check.exec_properties == {"rows": 100, "timeout_seconds": 300, "code_version": "abc"}
    assert check.outputs["blessing"].type is standard_artifacts.InfraBlessing


@pytest.mark.parametrize("wrong", ["rows", "timeout_seconds"])
def test_nothing_to_ask_is_a_wrong_use(wrong):
    channel = Channel(standard_artifacts.Model)
    with pytest.raises(ValueError, match=f"{wrong} is 0"):
        ServingCheck(channel, channel, **{wrong: 0})
