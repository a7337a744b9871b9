"""Pushing: whole or not at all, obeying both blessings, once per run also after a crash."""

from __future__ import annotations

import json
import shutil

import pytest
import tensorflow as tf
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.dsl.io import fileio
from tfx.proto import pusher_pb2
from tfx.types import Channel, artifact_utils, standard_artifacts
from tfx.utils import io_utils, proto_utils

from components import atomic
from components.errors import ServingError
from components.pusher import executor as pusher_executor
from components.pusher.component import Pusher
from components.pusher.executor import Executor
from components.reference_statistics import read_reference_statistics
from components.segments_file import read_segments
from components.served_model.versions import list_versions, served_version


class Killed(BaseException):
    """The process ends here."""


class Push:
    """One call of the executor on artifacts under `root`."""

    def __init__(self, root, serving_dir=None):
        self.root = root
        self.serving_dir = serving_dir or str(root / "serving")
        self.calls = 0

    def __call__(self, model, run_key="run-1", blessed=1, infra=1, statistics=None):
        self.calls += 1
        model_blessing = standard_artifacts.ModelBlessing()
        model_blessing.set_int_custom_property("blessed", blessed)
        infra_blessing = standard_artifacts.InfraBlessing()
        infra_blessing.set_int_custom_property("blessed", infra)
        pushed = standard_artifacts.PushedModel()
        pushed.uri = str(self.root / f"pushed-{self.calls}")
        fileio.makedirs(pushed.uri)
        filesystem = pusher_pb2.PushDestination.Filesystem(base_directory=self.serving_dir)
        destination = proto_utils.proto_to_json(pusher_pb2.PushDestination(filesystem=filesystem))
        Executor().Do(
            {
                "model": [model],
                "model_blessing": [model_blessing],
                "infra_blessing": [infra_blessing],
                **({} if statistics is None else {"statistics": [statistics]}),
            },
            {"pushed_model": [pushed]},
            {
                "push_destination": destination,
                "run_key": run_key,
                "code_version": "",
            },
        )
        return pushed


@pytest.fixture(scope="module")
def model(serving, tmp_path_factory):
    return serving.model_artifact(tmp_path_factory.mktemp("trainer"))


@pytest.fixture
def retrained(model, tmp_path):
    """The model after another training: the same but for a file that tells which."""

    def again(number):
        other = standard_artifacts.Model()
        other.uri = str(tmp_path / f"trainer-{number}")
        if not fileio.exists(other.uri):
            shutil.copytree(model.uri, other.uri)
            extra = tmp_path / f"trainer-{number}" / "Format-Serving" / "assets.extra"
            (extra / "training.txt").write_text(str(number))
        return other

    return again


@pytest.fixture
def push(tmp_path):
    return Push(tmp_path)


def _files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_blessed_model_is_pushed_as_the_next_version(push, model, retrained, tmp_path, serving):
    pushed = push(model)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == "1"
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "serving" / "1")
    version = tmp_path / "serving" / "1"
    assert [each["id"] for each in read_segments(str(version))["segments"]] == list(serving.IDS)
    answer = tf.saved_model.load(str(version)).signatures["serving_default"](
        examples=tf.constant([serving.example({"customer_id": "c", "age": 70.0, "visits": 3})])
    )
    assert answer["segment_id"].numpy().tolist() == [5]

    mark = json.loads((version / "assets.extra" / "push.json").read_text())
    assert (mark["model"], mark["run_key"]) == (model.uri, "run-1")
    assert _files(tmp_path / "pushed-1") == _files(version)

    before = _files(version)
    assert push(retrained(2), run_key="run-2").get_string_custom_property("pushed_version") == "2"
    assert _files(version) == before
    assert list_versions(push.serving_dir) == ["1", "2"]


@pytest.mark.parametrize(("blessed", "infra"), [(0, 1), (1, 0), (0, 0)])
def test_a_model_without_both_blessings_changes_nothing(push, model, tmp_path, blessed, infra):
    push(model)
    before = _files(tmp_path / "serving")
    pushed = push(model, run_key="run-2", blessed=blessed, infra=infra)
    assert pushed.get_int_custom_property("pushed") == 0
    assert not pushed.has_custom_property("pushed_version")
    assert _files(tmp_path / "serving") == before


def test_numbers_go_on_above_whatever_is_there(push, model, tmp_path):
    for name in ("9", "10", "latest"):
        (tmp_path / "serving" / name).mkdir(parents=True)
    assert push(model).get_string_custom_property("pushed_version") == "11"


def test_a_number_is_not_used_again_after_a_rollback(push, model, retrained, tmp_path):
    push(model, run_key="run-1")
    push(retrained(2), run_key="run-2")
    shutil.rmtree(tmp_path / "serving" / "2")
    assert served_version(push.serving_dir) == "1"
    assert push(retrained(3), run_key="run-3").get_string_custom_property("pushed_version") == "3"
    (tmp_path / "serving" / ".last_version").write_text("not a number")
    assert push(retrained(4), run_key="run-4").get_string_custom_property("pushed_version") == "4"


def test_killed_while_copying(push, model, retrained, tmp_path, monkeypatch):
    push(model)
    with monkeypatch.context() as patched:
        patched.setattr(atomic, "_flush", _kill)
        patched.setattr(shutil, "rmtree", lambda *args, **kwargs: None)  # a killed process tidies nothing
        with pytest.raises(Killed):
            push(retrained(2), run_key="run-2")
    assert len(_leftovers(tmp_path)) == 1
    assert list_versions(push.serving_dir) == ["1"]

    assert push(retrained(2), run_key="run-2").get_string_custom_property("pushed_version") == "2"
    assert _leftovers(tmp_path) == []
    assert list_versions(push.serving_dir) == ["1", "2"]


def test_killed_between_the_copy_and_the_rename(push, model, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(atomic.os, "rename", _kill)
        patched.setattr(shutil, "rmtree", lambda *args, **kwargs: None)
        with pytest.raises(Killed):
            push(model)
    assert served_version(push.serving_dir) is None
    assert len(_leftovers(tmp_path)) == 1

    assert push(model).get_string_custom_property("pushed_version") == "1"
    assert _leftovers(tmp_path) == []


def test_killed_between_the_rename_and_the_record(push, model, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(pusher_executor.io_utils, "copy_dir", _only_into(atomic.STAGING_PREFIX))
        with pytest.raises(Killed):
            push(model)
    assert list_versions(push.serving_dir) == ["1"]
    before = _files(tmp_path / "serving" / "1")

    pushed = push(model)
    assert pushed.get_int_custom_property("pushed") == 1
    assert pushed.get_string_custom_property("pushed_version") == "1"
    assert pushed.get_string_custom_property("pushed_destination") == str(tmp_path / "serving" / "1")
    assert _files(tmp_path / "serving" / "1") == before
    assert list_versions(push.serving_dir) == ["1"]


def test_only_another_model_is_another_version(push, model, retrained, tmp_path):
    push(model, run_key="run-1")
    again = push(model, run_key="run-2")
    assert again.get_int_custom_property("pushed") == 1
    assert again.get_string_custom_property("pushed_version") == "1"
    moved = standard_artifacts.Model()
    moved.uri = shutil.copytree(model.uri, tmp_path / "moved").as_posix()
    assert push(moved).get_string_custom_property("pushed_version") == "1"
    assert push(retrained(2)).get_string_custom_property("pushed_version") == "2"
    assert push(model).get_string_custom_property("pushed_version") == "3", "an older model comes back"


def test_a_version_of_someone_else_is_no_push_of_ours(push, model, tmp_path, serving):
    serving.export(tmp_path / "serving" / "1")
    assert push(model).get_string_custom_property("pushed_version") == "2"
    (tmp_path / "serving" / "2" / "assets.extra" / "push.json").write_text("half a lin")
    assert push(model).get_string_custom_property("pushed_version") == "3"


def test_the_statistics_of_its_features_go_with_a_version(push, model, retrained, tmp_path):
    table = statistics_pb2.DatasetFeatureStatistics(num_examples=70)
    for name in ("age", "email"):
        table.features.add(type=statistics_pb2.FeatureNameStatistics.STRING).path.step.append(name)
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    statistics.split_names = artifact_utils.encode_split_names(["train", "eval"])
    for split, customers in (("train", 70), ("eval", 30)):
        table.num_examples = customers
        written = statistics_pb2.DatasetFeatureStatisticsList(datasets=[table])
        path = f"{statistics.uri}/Split-{split}/FeatureStats.pb"
        io_utils.write_bytes_file(path, written.SerializeToString())
    described = tmp_path / "described"
    shutil.copytree(model.uri, described)
    segments_file = described / "Format-Serving" / "assets.extra" / "segments.json"
    content = {**json.loads(segments_file.read_text()), "features": [{"name": "age"}]}
    segments_file.write_text(json.dumps(content))
    described_model = standard_artifacts.Model()
    described_model.uri = str(described)

    push(described_model, statistics=statistics)
    found = read_reference_statistics(str(tmp_path / "serving" / "1"))
    assert found.num_examples == 70, "of the customers that it was trained on"
    assert [each.path.step[0] for each in found.features] == ["age"], "and of no other column"
    assert _files(tmp_path / "pushed-1") == _files(tmp_path / "serving" / "1")

    push(described_model, run_key="run-2", statistics=statistics)
    assert list_versions(push.serving_dir) == ["1"], "statistics make no other model"
    push(retrained(2))
    assert read_reference_statistics(str(tmp_path / "serving" / "2")) is None


def test_a_model_that_was_not_exported(push, tmp_path):
    empty = standard_artifacts.Model()
    empty.uri = str(tmp_path / "trainer")
    (tmp_path / "trainer" / "Format-Serving").mkdir(parents=True)
    with pytest.raises(ServingError, match=r"holds no saved_model\.pb"):
        push(empty)
    assert not (tmp_path / "serving").exists()


def test_to_an_object_store_the_saved_model_goes_last(model, retrained, tmp_path, store):
    push = Push(tmp_path, "store://serving")
    assert push(model).get_string_custom_property("pushed_destination") == "store://serving/1"
    marks = ["store://serving/.last_version", "store://serving/.versions.json"]
    assert store.written[-3:] == ["store://serving/1/saved_model.pb", *marks]
    assert "store://serving/1/assets.extra/push.json" in store.written
    assert push(model).get_string_custom_property("pushed_version") == "1"

    store.fail_at = "/2/saved_model.pb"
    with pytest.raises(ConnectionError):
        push(retrained(2), run_key="run-2")
    assert (tmp_path / "serving" / "2").exists()
    assert served_version("store://serving") == "1"

    store.fail_at = ""
    assert push(retrained(2), run_key="run-2").get_string_custom_property("pushed_version") == "2"
    assert list_versions("store://serving") == ["1", "2"]


def test_the_component_has_run_and_code_in_the_cache_key():
    pusher = Pusher(
        model=Channel(standard_artifacts.Model),
        model_blessing=Channel(standard_artifacts.ModelBlessing),
        infra_blessing=Channel(standard_artifacts.InfraBlessing),
        serving_dir="serving",
        run_key="run-1",
        code_version="abc",
    )
    assert pusher.id == "Pusher"
    assert pusher.exec_properties["run_key"] == "run-1"
    assert pusher.exec_properties["code_version"] == "abc"
    assert "serving" in str(pusher.exec_properties["push_destination"])
    assert pusher.outputs["pushed_model"].type is standard_artifacts.PushedModel


def test_a_push_that_belongs_to_no_run_is_a_wrong_use():
    channel = Channel(standard_artifacts.Model)
    with pytest.raises(ValueError, match="run_key is empty"):
        Pusher(channel, channel, channel, serving_dir="serving", run_key="")


def _kill(*args):
    raise Killed


def _only_into(prefix):
    copy_dir = pusher_executor.io_utils.copy_dir

    def copy(source, target, *args):
        if prefix not in target:
            raise Killed
        copy_dir(source, target, *args)

    return copy


def _leftovers(root):
    return [path.name for path in (root / "serving").iterdir() if path.name.startswith(".incoming")]
