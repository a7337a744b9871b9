"""The served version as an artifact."""

from __future__ import annotations

import pytest
import tensorflow as tf
from tfx.types import standard_artifacts

from components.errors import ServingError
from components.served_model.component import ServedModel
from components.served_model.executor import Executor


def _do(tmp_path, version):
    model, pushed = standard_artifacts.Model(), standard_artifacts.PushedModel()
    model.uri = str(tmp_path / "artifact")
    (tmp_path / "artifact").mkdir()
    properties = {"serving_dir": str(tmp_path / "serving"), "version": version, "code_version": ""}
    Executor().Do({}, {"model": [model], "pushed_model": [pushed]}, properties)
    assert pushed.get_int_custom_property("pushed") == model.get_int_custom_property("served")
    if version:
        assert pushed.get_string_custom_property("pushed_version") == version
        assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "serving" / version)
    return model


def test_the_served_version_is_copied_whole(serving, tmp_path):
    serving.export(tmp_path / "serving" / "3")
    model = _do(tmp_path, "3")
    assert model.get_int_custom_property("served") == 1
    assert model.get_string_custom_property("version") == "3"
    copy = tmp_path / "artifact" / "Format-Serving"
    original = tmp_path / "serving" / "3"
    files = sorted(path.relative_to(original) for path in original.rglob("*") if path.is_file())
    assert all((copy / file).read_bytes() == (original / file).read_bytes() for file in files)
    assert (copy / "assets.extra" / "segments.json").exists()
    row = serving.example({"customer_id": "c", "age": 20.0, "visits": 8, "city": "Paris"})
    answer = tf.saved_model.load(str(copy)).signatures["serving_default"](examples=tf.constant([row]))
    assert answer["segment_id"].numpy().tolist() == [2]


def test_no_version_is_said_with_an_artifact_too(tmp_path):
    model = _do(tmp_path, "")
    assert model.get_int_custom_property("served") == 0
    assert model.get_string_custom_property("version") == ""
    assert [path.name for path in (tmp_path / "artifact").iterdir()] == ["known.json"]


def test_a_version_that_is_gone(tmp_path):
    (tmp_path / "serving" / "2").mkdir(parents=True)
    with pytest.raises(ServingError, match=r"version 2 is not there any more"):
        _do(tmp_path, "2")


def test_the_version_is_in_the_cache_key():
    first, second = (
        ServedModel(serving_dir="s", version=version, code_version="x") for version in ("", "12")
    )
    assert first.exec_properties == {"serving_dir": "s", "version": "", "known": "", "code_version": "x"}
    assert second.exec_properties["version"] == "12"


@pytest.mark.parametrize("version", ["0", "latest", "-1", "01", "²", " 1"])
def test_what_is_no_version_is_refused(version):
    with pytest.raises(ValueError, match="whole number"):
        ServedModel(serving_dir="s", version=version)
