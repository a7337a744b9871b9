"""A killed fit goes on where it was and ends with the bits of one that was left alone."""

from __future__ import annotations

import os

import numpy as np
import pytest

from components.trainer.kmeans import Checkpoint, KMeansError, KMeansOptions, fit_kmeans


class _Killed(Exception):
    """Stands for whatever ends a process."""


def _killer(after):
    passes = []

    def on_iteration(iteration):
        passes.append(iteration)
        if len(passes) > after:
            raise _Killed

    return on_iteration


def _kill(rows, options, checkpoint, after, **arguments):
    with pytest.raises(_Killed):
        fit_kmeans(rows, options, checkpoint=checkpoint, on_iteration=_killer(after), **arguments)


CASES = {
    "plain": KMeansOptions(5, tolerance=0.0, n_init=1),
    "bounded": KMeansOptions(40, tolerance=0.0, n_init=1, max_iterations=25),
    "restarts": KMeansOptions(6, tolerance=0.0, n_init=4),
    "minibatch": KMeansOptions(6, algorithm="minibatch", batch_size=500, tolerance=0.0, max_iterations=12),
    "cosine": KMeansOptions(6, metric="cosine", tolerance=0.0),
    "parallel": KMeansOptions(8, init="k-means||", tolerance=0.0, sample_size=400),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("after", [1, 4])
def test_a_resumed_fit_equals_an_uninterrupted_one(blobs, tmp_path, name, after):
    rows = blobs(6_000, 5, 9, spread=1.0)
    weights = np.random.default_rng(0).uniform(0.5, 2.0, size=6_000)
    expected = fit_kmeans(rows, CASES[name], sample_weight=weights)
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=0)
    _kill(rows, CASES[name], checkpoint, after, sample_weight=weights)
    made_before = os.listdir(checkpoint.directory)
    assert "fit.npz" in made_before

    passes = []
    result = fit_kmeans(
        rows, CASES[name], checkpoint=checkpoint, on_iteration=passes.append, sample_weight=weights
    )
    np.testing.assert_array_equal(result.centroids, expected.centroids)
    assert (result.inertia, result.iterations) == (expected.inertia, expected.iterations)
    np.testing.assert_array_equal(result.cluster_weights, expected.cluster_weights)
    for ours, theirs in zip(result.history, expected.history, strict=True):
        assert (ours.inertia, ours.movement, ours.examined) == (
            theirs.inertia,
            theirs.movement,
            theirs.examined,
        )
    everything = []
    fit_kmeans(rows, CASES[name], on_iteration=everything.append, sample_weight=weights)
    assert len(passes) == len(everything) - after
    assert not os.path.exists(checkpoint.directory)


def test_a_fit_may_be_killed_again_and_again(blobs, tmp_path):
    rows = blobs(4_000, 3, 6, spread=1.0)
    options = KMeansOptions(7, tolerance=0.0, n_init=1)
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=0)
    expected = fit_kmeans(rows, options)
    assert expected.iterations > 6
    for _ in range(3):
        _kill(rows, options, checkpoint, 2)
    result = fit_kmeans(rows, options, checkpoint=checkpoint)
    np.testing.assert_array_equal(result.centroids, expected.centroids)


def test_nothing_is_saved_before_it_is_due(blobs, tmp_path):
    rows = blobs(2_000, 3, 4)
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=1e6)
    _kill(rows, KMeansOptions(4, tolerance=0.0), checkpoint, 2)
    assert os.listdir(checkpoint.directory) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda rows, options: (rows, {**options, "k": 8}), "k"),
        (lambda rows, options: (rows, {**options, "seed": 9}), "seed"),
        (lambda rows, options: (rows + np.float32(1e-3), options), "data or their order"),
        (lambda rows, options: (rows[::-1], options), "data or their order"),
        (lambda rows, options: (rows[:-1], options), "data or their order, rows of each worker"),
    ],
)
def test_the_checkpoint_of_another_fit_is_refused_and_kept(blobs, tmp_path, change, named):
    rows, options = blobs(2_000, 3, 4), {"k": 5, "tolerance": 0.0}
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=0)
    _kill(rows, KMeansOptions(**options), checkpoint, 2)
    before = sorted(os.listdir(checkpoint.directory))
    other_rows, other = change(rows, options)
    with pytest.raises(KMeansError, match=rf"is of another fit \({named} differ\); name another folder"):
        fit_kmeans(other_rows, KMeansOptions(**other), checkpoint=checkpoint)
    assert sorted(os.listdir(checkpoint.directory)) == before


def test_given_centroids_belong_to_the_fit(blobs, tmp_path):
    rows = blobs(2_000, 3, 4)
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=0)
    options = KMeansOptions(4, tolerance=0.0)
    _kill(rows, options, checkpoint, 2, initial_centroids=rows[:4])
    with pytest.raises(KMeansError, match="initial_centroids differ"):
        fit_kmeans(rows, options, checkpoint=checkpoint, initial_centroids=rows[4:8])


def test_a_damaged_checkpoint_is_named(blobs, tmp_path):
    rows, options = blobs(3_000, 3, 40), KMeansOptions(40, tolerance=0.0)
    checkpoint = Checkpoint(str(tmp_path / "fit"), every_seconds=0)
    _kill(rows, options, checkpoint, 2)
    (kept,) = (name for name in os.listdir(checkpoint.directory) if name.startswith("rows-"))
    path = tmp_path / "fit" / kept
    content = path.read_bytes()
    path.unlink()
    with pytest.raises(KMeansError, match=rf"{kept} cannot be read \(it is missing\); delete the folder"):
        fit_kmeans(rows, options, checkpoint=checkpoint)
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(KMeansError, match=f"{kept} cannot be read"):
        fit_kmeans(rows, options, checkpoint=checkpoint)
    for content in (b"nonsense", b""):
        (tmp_path / "fit" / "fit.npz").write_bytes(content)
        with pytest.raises(KMeansError, match=r"fit\.npz cannot be read"):
            fit_kmeans(rows, options, checkpoint=checkpoint)
    np.savez(tmp_path / "fit" / "fit.npz", other=np.zeros(3))
    with pytest.raises(KMeansError, match=r"fit\.npz cannot be read"):
        fit_kmeans(rows, options, checkpoint=checkpoint)


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(blobs, tmp_path):
    (tmp_path / "file").write_text("no folder")
    passes = []
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(KMeansError, match=r"checkpoint: .*file.* cannot be written"):
            fit_kmeans(
                blobs(500, 2, 3), KMeansOptions(3), checkpoint=Checkpoint(folder), on_iteration=passes.append
            )
    assert passes == []


def test_numbers_of_numpy_are_options_too(blobs, tmp_path):
    options = KMeansOptions(np.int64(3), tolerance=np.float32(1e-4))
    assert fit_kmeans(blobs(500, 2, 3), options, checkpoint=Checkpoint(str(tmp_path / "fit"), 0)).converged


def test_files_of_others_in_the_folder_are_left_alone(blobs, tmp_path):
    (tmp_path / "fit").mkdir()
    (tmp_path / "fit" / "notes.txt").write_text("mine")
    fit_kmeans(blobs(500, 2, 3), KMeansOptions(3), checkpoint=Checkpoint(str(tmp_path / "fit"), 0))
    assert os.listdir(tmp_path / "fit") == ["notes.txt"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("", 1.0), "directory is empty"),
        (("x", -1.0), "every_seconds is -1"),
        (("x", float("nan")), "nan"),
        (("x", "5"), "'5'"),
    ],
)
def test_an_impossible_checkpoint_is_refused(arguments, message):
    with pytest.raises(KMeansError, match=message):
        Checkpoint(*arguments)
