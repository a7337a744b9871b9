"""TFX's Trainer with our run_fn, on real records: `Do`, then the exported model is asked."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from sklearn.cluster import KMeans

from components.errors import DataError
from components.trainer.reading import load_customers, load_shard
from components.trainer.space import space_fingerprint
from configs.errors import ConfigError
from configs.model import ModelConfig
from configs.training import TrainingConfig
from tests.components.trainer.training import PROJECT, Trained, customers, serve
from tests.transforms.fitted import Fitted, serialized


def test_the_clusters_are_scikit_learns(trained: Trained) -> None:
    answer = trained.ask(customers())
    reference = KMeans(3, n_init=10, random_state=0).fit(answer["features"])
    assert trained.segments["fit"]["inertia"] == pytest.approx(reference.inertia_, rel=1e-5)
    np.testing.assert_allclose(
        np.sort(answer["distances"], axis=1),
        np.sort(reference.transform(answer["features"]), axis=1),
        atol=1e-4,
    )


def test_segments_are_numbered_by_size_and_described(trained: Trained) -> None:
    answer = trained.ask(customers())
    sizes = [segment["size"] for segment in trained.segments["segments"]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes == np.bincount(answer["segment_id"])[1:].tolist()
    names = {segment["id"]: segment["name"] for segment in trained.segments["segments"]}
    assert [names[i].encode() for i in answer["segment_id"]] == answer["segment_name"].tolist()
    assert trained.segments["population"]["size"] == 240
    assert trained.segments["data"] == {"files": ["c.csv"], "span": 3, "as_of": None}
    percentiles = np.percentile(answer["distance"].astype(float), range(101))
    np.testing.assert_allclose(
        trained.segments["distances"]["percentiles"], percentiles, rtol=1e-4, atol=1e-5
    )
    assert trained.segments["distances"]["outliers"] == answer["is_outlier"].mean()
    basics = next(
        s
        for s in trained.segments["segments"]
        if s["profile"]["categorical"]["s_plan"]["values"] == {"basic": 1.0}
    )
    spend = [row["f_spend"] for row in customers() if row["s_plan"] == "basic"]
    assert basics["profile"]["numeric"]["f_spend"]["mean"] == pytest.approx(np.mean(spend), rel=1e-6)
    assert basics["profile"]["numeric"]["f_spend"]["median"] == pytest.approx(np.median(spend), rel=1e-6)


def test_one_customer_in_a_hundred_is_an_outlier(trained: Trained) -> None:
    answer = trained.ask(customers())
    for segment in (1, 2, 3):
        own = answer["segment_id"] == segment
        limit = np.quantile(answer["distance"][own], 0.99)
        np.testing.assert_array_equal(answer["is_outlier"][own], answer["distance"][own] > limit + 1e-6)
    far = trained.ask([{"f_spend": 1e6, "i_visits": 3, "s_plan": "basic"}])
    assert far["is_outlier"].all()


def test_the_three_signatures_agree(trained: Trained) -> None:
    rows = [*customers(20), {}, {"s_plan": "never seen"}]
    evaluated, served = trained.ask(rows), trained.ask(rows, "serving_default")
    assert set(evaluated) - set(served) == {"features"}
    columns = {
        "f_spend": tf.constant([row.get("f_spend", np.nan) for row in rows], tf.float32),
        "i_visits": tf.constant([row.get("i_visits", np.nan) for row in rows], tf.float64),
        "s_plan": tf.constant([row.get("s_plan", "") for row in rows]),
    }
    assigned = {n: t.numpy() for n, t in trained.model.signatures["assign"](**columns).items()}
    for name, values in served.items():
        np.testing.assert_array_equal(values, evaluated[name])
        np.testing.assert_array_equal(values, assigned[name])


def test_the_order_of_customers_does_not_matter_to_the_segments(trained: Trained, tmp_path: Path) -> None:
    again = Trained(tmp_path, customers()[::-1])
    rows = customers()
    np.testing.assert_array_equal(trained.ask(rows)["segment_id"], again.ask(rows)["segment_id"])


def test_a_space_is_the_same_only_with_the_same_features_scaled_alike(
    trained: Trained, tmp_path: Path
) -> None:
    same = Fitted({}, customers(), tmp_path / "same")
    weighted = Fitted({"columns": {"f_spend": {"weight": 2.0}}}, customers(), tmp_path / "weighted")
    rescaled = Fitted({}, customers(seed=1), tmp_path / "rescaled")
    fewer = Fitted({"exclude": ["s_plan"]}, customers(), tmp_path / "fewer")
    ours = trained.segments["space"]
    assert space_fingerprint(same.transformation) == ours
    others = {space_fingerprint(f.transformation) for f in (weighted, rescaled, fewer)}
    assert len(others | {ours}) == 4


def test_too_few_kinds_of_customers(tmp_path: Path) -> None:
    rows = [{"f_a": float(n % 2)} for n in range(50)]
    with pytest.raises(
        DataError, match=r"rows of only 2 different kinds cannot make k=3 clusters; lower k to 2"
    ):
        Trained(tmp_path / "kinds", rows)
    with pytest.raises(DataError, match="2 rows"):
        Trained(tmp_path / "rows", rows[:2])


def test_no_outliers_where_none_are_wanted(tmp_path: Path) -> None:
    model = Trained(tmp_path, customers(), outlier_quantile=None)
    assert not model.ask([{"f_spend": 1e9}])["is_outlier"].any()


def test_reading_keeps_the_order_and_the_raw_values(trained: Trained) -> None:
    files = [str(path) for path in trained.examples.glob("Split-train/*")]
    read = load_customers(files, trained.fitted.transformation)
    rows = customers()
    np.testing.assert_allclose(read.numeric["f_spend"], [row["f_spend"] for row in rows], rtol=1e-6)
    assert read.categorical["s_plan"].to_pylist() == [row["s_plan"] for row in rows]
    np.testing.assert_array_equal(read.vectors, trained.ask(rows)["features"])


def test_shards_are_parts_of_what_the_chief_reads(tmp_path: Path) -> None:
    """More records than one turn of the interleaving takes, in files of different sizes."""
    rows = customers(10_000)
    fitted = Fitted({}, rows[:500], tmp_path)
    files = [str(tmp_path / f"part-{n}") for n in range(3)]
    for path, part in zip(files, (rows[:9_000], rows[9_000:], []), strict=True):
        with tf.io.TFRecordWriter(path) as writer:
            for row in part:
                writer.write(serialized(row, fitted.dtypes))
    whole = load_customers(files, fitted.transformation).vectors
    assert len(whole) == 10_000
    for worker in range(3):
        shard = load_shard(files[::-1], fitted.transformation, worker, 3)
        assert shard.dtype == np.float32
        np.testing.assert_array_equal(shard, whole[worker::3])
    empty = load_shard(files[2:], fitted.transformation, 1, 2)
    assert empty.shape == (0, whole.shape[1])


def test_columns_whose_names_no_input_can_have(tmp_path: Path) -> None:
    names = ["f", "f x", "f_x", "f.x", "f-ü", "f_PAY_0", "f lambda", "i 3d"]
    random = np.random.default_rng(0)
    rows = [
        {name: (int if name[0] == "i" else float)(n % 3 * 10 + random.integers(3)) for name in names}
        for n in range(60)
    ]
    model = Trained(tmp_path, rows)
    inputs = {feature["name"]: feature["input"] for feature in model.segments["features"]}
    assert inputs["f"] == "f"
    assert inputs["f_PAY_0"] == "f_PAY_0"
    assert len(set(inputs.values())) == len(names)
    assigned = model.model.signatures["assign"](
        **{
            inputs[name]: tf.constant(
                [row[name] for row in rows], tf.float64 if name[0] == "i" else tf.float32
            )
            for name in names
        }
    )
    np.testing.assert_array_equal(assigned["segment_id"], model.ask(rows)["segment_id"])


def test_the_passes_of_the_fit_are_curves(trained: Trained) -> None:
    passes = len(trained.curve("inertia"))
    assert passes >= trained.segments["fit"]["iterations"] > 0
    # The last pass started from centroids that hardly moved any more.
    assert trained.segments["fit"]["inertia"] == pytest.approx(min(trained.curve("inertia")), rel=1e-3)
    for name in ("movement", "reseeded", "seconds"):
        assert len(trained.curve(name)) == passes


def test_a_fit_that_ends_well_leaves_no_checkpoint_of_any_fit(tmp_path: Path) -> None:
    stale = tmp_path / "checkpoints" / "0123456789abcdef"
    stale.mkdir(parents=True)
    (stale / "state").write_text("of another fit")
    model = Trained(tmp_path, customers())
    assert list((tmp_path / "checkpoints").iterdir()) == []
    model.train(checkpoint_seconds=None)


def test_workers_of_a_cluster_are_no_place_for_local_workers(
    trained: Trained, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = {"cluster": {"worker": ["localhost:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    with pytest.raises(ConfigError, match=r"training\.workers is 2, but TF_CONFIG already says"):
        trained.train(workers=2)


def test_customers_beyond_the_memory_are_streamed_and_described_in_part(tmp_path: Path) -> None:
    model = Trained(tmp_path, customers())
    held, rows = model.segments, customers()
    segments_of_held = model.ask(rows)["segment_id"]
    ingest = tmp_path / "examples" / "ingest.json"
    ingest.write_text(
        json.dumps({**json.loads(ingest.read_text()), "customers": {"train": 240, "eval": 240}})
    )
    shutil.rmtree(model.model_dir)
    shutil.rmtree(tmp_path / "run")
    model.train(max_customers_in_memory=100)
    assert (held["population"]["described"], model.segments["population"]["described"]) == (240, 80)
    assert model.segments["fit"] == held["fit"], "the same rows give the same bits"
    assert [s["size"] for s in model.segments["segments"]] == [s["size"] for s in held["segments"]]
    np.testing.assert_array_equal(model.ask(rows)["segment_id"], segments_of_held)
    # Every third customer, rather than all, is where the means come from.
    spend = model.segments["population"]["profile"]["numeric"]["f_spend"]["mean"]
    assert spend == pytest.approx(np.mean([row["f_spend"] for row in rows[::3]]), rel=1e-5)


def test_cosine_segments_are_of_directions(tmp_path: Path) -> None:
    """Customers who spend alike in proportion are one segment, however much they spend."""
    random = np.random.default_rng(0)
    rows = []
    for n in range(300):
        proportions = np.eye(3)[n % 3] + 0.05 * random.random(3)
        amounts = proportions * random.choice([1.0, 30.0])
        rows.append({f"f_{name}": float(amount) for name, amount in zip("abc", amounts, strict=True)})
    features = {"numeric": {"normalize": "none"}}
    model = Trained(tmp_path / "cosine", rows, features, metric="cosine")
    answer = model.ask(rows)
    kinds = np.arange(300) % 3
    assert len(set(zip(kinds.tolist(), answer["segment_id"].tolist(), strict=True))) == 3
    np.testing.assert_allclose(np.linalg.norm(answer["features"], axis=1), 1.0, rtol=1e-5)
    plain = Trained(tmp_path / "plain", rows, features).ask(rows)["segment_id"]
    assert len(set(zip(kinds.tolist(), plain.tolist(), strict=True))) > 3
    nothing = model.ask([{"f_a": 0.0, "f_b": 0.0, "f_c": 0.0}])
    assert nothing["segment_id"][0] in (1, 2, 3) and np.isfinite(nothing["distance"]).all()


@pytest.mark.parametrize("model", [{"algorithm": "minibatch", "batch_size": 50}, {"init": "k-means||"}])
def test_other_ways_to_the_same_segments(trained: Trained, tmp_path: Path, model: dict[str, Any]) -> None:
    other = Trained(tmp_path, customers(), **model)
    assert other.segments["fit"]["inertia"] == pytest.approx(trained.segments["fit"]["inertia"], rel=0.01)
    same = other.ask(customers())["segment_id"] == trained.ask(customers())["segment_id"]
    assert same.mean() > 0.98


@pytest.mark.slow
def test_two_local_workers_make_the_model_of_one(tmp_path: Path) -> None:
    model = Trained(tmp_path, customers())
    single, rows = model.segments, customers()
    segments_of_one = model.ask(rows)["segment_id"]
    shutil.rmtree(tmp_path / "run")
    shutil.rmtree(model.model_dir)
    model.train(workers=2, checkpoint_seconds=0)
    assert model.segments["fit"]["inertia"] == pytest.approx(single["fit"]["inertia"], rel=1e-5)
    assert [s["size"] for s in model.segments["segments"]] == [s["size"] for s in single["segments"]]
    np.testing.assert_array_equal(model.ask(rows)["segment_id"], segments_of_one)
    assert len(model.curve("inertia")) >= model.segments["fit"]["iterations"]
    assert list((tmp_path / "checkpoints").iterdir()) == []
    model.custom_config["model"] = ModelConfig(k=300).model_dump_json()
    with pytest.raises(DataError, match=r"240 rows .* cannot make k=300"):
        model.train(workers=2)


@pytest.mark.slow
@pytest.mark.parametrize("served", [False, True])
def test_two_workers_of_a_cluster_make_the_model_of_one(tmp_path: Path, served: bool) -> None:
    """Real processes with a TF_CONFIG each, on the same folder; the chief alone exports, and asks the parent."""
    one = Trained(tmp_path, customers())
    base = serve(one, tmp_path).uri if served else ""
    single, rows = one.segments, customers()
    segments_of_one = one.ask(rows)["segment_id"]
    shutil.rmtree(one.model_dir)
    shutil.rmtree(tmp_path / "run")
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("localhost", 0))
            ports.append(free.getsockname()[1])
    training = TrainingConfig(strategy="multi_worker")
    config = {**one.custom_config, "training": training.model_dump_json()}
    code = (
        "import json, sys\n"
        "from tests.components.trainer.training import run_trainer\n"
        "run_trainer(sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4])\n"
    )
    workers = []
    for index in range(2):
        cluster = {"worker": [f"localhost:{port}" for port in ports]}
        task = {"cluster": cluster, "task": {"type": "worker", "index": index}}
        workers.append(
            subprocess.Popen(
                [sys.executable, "-c", code, str(tmp_path), str(one.fitted.graph), json.dumps(config), base],
                env={**os.environ, "TF_CONFIG": json.dumps(task), "PYTHONPATH": str(PROJECT)},
                cwd=tmp_path,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    try:
        for worker in workers:
            _, said = worker.communicate(timeout=240)
            assert worker.returncode == 0, said[-3000:]
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    one.load()
    assert one.segments["fit"]["inertia"] == pytest.approx(single["fit"]["inertia"], rel=1e-5)
    np.testing.assert_array_equal(one.ask(rows)["segment_id"], segments_of_one)
    assert len(list((tmp_path / "run").glob("events.out.*"))) == 1, "curves are the chief's"
    assert one.segments["fit"]["start"] == ("parent" if served else "fresh")
