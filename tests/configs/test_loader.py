"""What a YAML file may say, and what is said when it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from configs.errors import ConfigError
from configs.loader import load_config
from configs.pipeline import PipelineConfig

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    path = tmp_path / "customers.yaml"
    path.write_text("data: {path: customers.csv}\n")
    return path


def problem(path: Path, *overrides: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load_config(str(path), overrides)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_path_is_enough(config_file: Path) -> None:
    config = load_config(str(config_file))
    assert config.name == "customers"
    assert config.data.paths == [str(config_file.parent / "customers.csv")]
    assert config.features.numeric.normalize == "zscore"
    assert config.features.categorical.encode == "one_hot"
    assert config.evaluation.active_thresholds["smallest_segment_share"].min == 0.01


def test_paths_are_relative_to_the_file_but_overrides_to_the_current_folder(
    config_file: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    assert load_config(str(config_file)).data.path == str(config_file.parent / "customers.csv")
    config = load_config(str(config_file), ["data.path=other.csv", "validation.schema=s.pbtxt"])
    assert config.data.path == str(elsewhere / "other.csv")
    assert config.validation.schema_path == str(elsewhere / "s.pbtxt")


def test_the_fewest_segments_are_those_of_the_model_or_of_the_tuner(config_file: Path) -> None:
    def fewest(*overrides: str) -> int:
        return load_config(str(config_file), overrides).fewest_segments

    assert fewest() == 5
    assert fewest("model.k=3", "tuner.min_k=4") == 3
    assert fewest("model.k=auto") == 2
    assert fewest("model.k=auto", "tuner.min_k=4") == 4


def test_the_lowest_value_that_the_evaluation_lets_through(config_file: Path) -> None:
    evaluation = load_config(str(config_file)).evaluation
    assert evaluation.least("smallest_segment_share") == 0.01
    assert evaluation.least("davies_bouldin") is None
    off = load_config(str(config_file), ["evaluation.thresholds.smallest_segment_share="]).evaluation
    assert off.least("smallest_segment_share") is None


def test_remote_paths_stay_as_they_are(config_file: Path) -> None:
    assert (
        load_config(str(config_file), ["data.path=gs://bucket/{SPAN}/*.csv"]).data.path
        == "gs://bucket/{SPAN}/*.csv"
    )


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("modle.k=3", "unknown key 'modle'; did you mean 'model'?"),
        ("model.kk=3", "unknown key 'model.kk'; did you mean 'k'?"),
        ("features.columns.x.foo=1", "unknown key 'features.columns.x.foo' (allowed here: type, normalize,"),
        ("data.keep=[{colum: a, gt: 0}]", "unknown key 'data.keep.0.colum'; did you mean 'column'?"),
        ("model.k=0", "'model.k' is 0: input should be greater than or equal to 1"),
        ("model.k=-2", "'model.k' is -2"),
        ("model.k=many", "'model.k' is 'many': input should be a valid integer or input should be 'auto'"),
        ("model.k=2.5", "'model.k' is 2.5"),
        ("model.k=true", "'model.k' is True"),
        ("tuner={min_k: 5, max_k: 3}", "'tuner': min_k 5 is above max_k 3"),
        ("tuner.max_k=1", "'tuner.max_k' is 1: input should be greater than or equal to 2"),
        ("tuner.tolerance=-0.1", "'tuner.tolerance' is -0.1"),
        ("tuner.min_k=auto", "'tuner.min_k' is 'auto'"),
        ("tuner.mink=3", "unknown key 'tuner.mink'; did you mean 'min_k'?"),
        ("model.tolerance=.nan", "'model.tolerance' is nan: input should be a finite number"),
        ("model.strategy=auto", "unknown key 'model.strategy'"),
        ("training.strategy=tpu", "'one_device', 'mirrored' or 'multi_worker'"),
        ("training.workers=0", "'training.workers' is 0: input should be greater than or equal to 1"),
        ("training.workers=2.5", "'training.workers' is 2.5"),
        ("training.workers=two", "'training.workers' is 'two'"),
        ("training.worker=2", "unknown key 'training.worker'; did you mean 'workers'?"),
        ("training.checkpoint_seconds=-1", "'training.checkpoint_seconds' is -1"),
        (
            "training={workers: 2, strategy: mirrored}",
            "'training': workers: 2 needs strategy auto or multi_worker; strategy mirrored is for one process",
        ),
        ("training={workers: 2, strategy: one_device}", "strategy one_device is for one process"),
        (
            "data.eval_share=2",
            "'data.eval_share' is 2: input should be 'auto' or input should be less than 1",
        ),
        ("data.encoding=utf-99", "'data.encoding': is not an encoding"),
        ("data.transactions={time: t}", "needs either 'amount', or both 'quantity' and 'price'"),
        ("data.transactions={time: t, amount: a, price: p}", "needs either 'amount'"),
        ("data.keep=[{column: a}]", "'data.keep.0': needs an operator"),
        ("features.columns.x.encode=ordinal", "encode: ordinal needs 'order'"),
        ("features.columns.x={encode: one_hot, log1p: true}", "'log1p' is for numeric features"),
        ("features={include: [a], exclude: [a]}", "'a' is in both 'include' and 'exclude'"),
        ("evaluation.thresholds.silhouette={min: 2, max: 1}", "min 2 is above max 1"),
        ("evaluation.thresholds.sil={min: 2}", "input should be 'silhouette'"),
        ("drift.action=ask", "'drift.action' is 'ask': input should be 'warn', 'retrain' or 'stop'"),
        (
            "drift.features.numeric=2",
            "'drift.features.numeric' is 2: input should be less than or equal to 1",
        ),
        ("drift.features.columns.age=high", "'drift.features.columns.age' is 'high'"),
        ("drift.feature=1", "unknown key 'drift.feature'; did you mean 'features'?"),
        ("drift.max_customers=10", "'drift.max_customers' is 10"),
        (
            "evaluation.pairs_customers=1",
            "'evaluation.pairs_customers' is 1: input should be greater than or equal",
        ),
        ("evaluation.stability_resamples=0", "'evaluation.stability_resamples' is 0"),
        ("name=two words", "'name' is 'two words'"),
        ("data=[1]", "'data' is [1]"),
        ("model.k", "--set model.k: write it as key=value"),
        ("name.first=x", "'name' holds a value, not keys"),
    ],
)
def test_one_line_says_what_is_wrong(config_file: Path, override: str, said: str) -> None:
    assert said in problem(config_file, override)


def test_the_message_names_the_file(config_file: Path) -> None:
    assert problem(config_file, "model.k=0").startswith(f"{config_file}: ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must hold keys such as 'data', found nothing"),
        ("- a\n", "found a list"),
        ("data: {path: a.csv\n", "line 2"),
        ("data: {path: a.csv}\nmodel: {k: 2}\nmodel: {k: 3}\n", "the key 'model' is given twice"),
        ("model: {k: 2}\n", "'data' is required"),
    ],
)
def test_a_file_that_is_no_config(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    assert said in problem(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert "there is no such file" in problem(tmp_path / "none.yaml")
    assert "is a folder" in problem(tmp_path)
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"data: \xff\xfe")
    assert "is not UTF-8" in problem(binary)


def test_thresholds_extend_the_defaults_and_null_removes_one(config_file: Path) -> None:
    config = load_config(
        str(config_file),
        ["evaluation.thresholds.davies_bouldin={max: 2.0}", "evaluation.thresholds.silhouette="],
    )
    assert set(config.evaluation.active_thresholds) == {
        "stability", "inertia_ratio", "smallest_segment_share", "davies_bouldin",
    }  # fmt: skip


def test_a_column_has_its_own_drift_threshold(config_file: Path) -> None:
    overrides = ["drift.features.columns={income: 0.2, city: null}", "drift.features.categorical=0.3"]
    features = load_config(str(config_file), overrides).drift.features
    assert features.threshold("age", "numeric") == 0.05
    assert features.threshold("plan", "categorical") == 0.3
    assert features.threshold("income", "numeric") == 0.2
    assert features.threshold("city", "categorical") is None


def test_where_a_fit_runs(config_file: Path) -> None:
    training = load_config(str(config_file)).training
    assert (training.strategy, training.workers, training.checkpoint_seconds) == ("auto", 1, 30)
    for strategy in ("auto", "multi_worker"):
        override = f"training={{workers: 4, strategy: {strategy}, checkpoint_seconds: null}}"
        training = load_config(str(config_file), [override]).training
        assert (training.strategy, training.workers, training.checkpoint_seconds) == (strategy, 4, None)


def test_a_feature_says_only_what_differs(config_file: Path) -> None:
    config = load_config(
        str(config_file),
        ["features.numeric={log1p: true, weight: 3.0}", "features.columns.income.normalize=minmax"],
    )
    income = config.features.columns["income"].numeric(config.features.numeric)
    assert (income.normalize, income.log1p, income.weight) == ("minmax", True, 3.0)


@pytest.mark.parametrize("name", ["retail", "online_retail", "finance", "telecom"])
def test_shipped_configs_load_and_survive_json(name: str) -> None:
    config = load_config(str(PROJECT / "configs" / f"{name}.yaml"))
    assert config.name == name
    assert PipelineConfig.model_validate_json(config.model_dump_json(by_alias=True)) == config
