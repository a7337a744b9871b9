from __future__ import annotations

import contextlib
import os

import numpy as np
import pytest

from components.trainer.kmeans import KMeansError
from components.trainer.kmeans.rows import Resident, RowFile, Spooled, aligned_empty, is_aligned


@pytest.fixture
def filled():
    """Makes a file of rows."""
    with contextlib.ExitStack() as stack:

        def fill(rows, dtype=np.float64, batch=37):
            file = RowFile(rows.shape[1], dtype)
            stack.callback(file.close)
            for start in range(0, len(rows), batch):
                file.append(rows[start : start + batch])
            return file

        yield fill


def test_a_file_gives_back_what_was_written(filled):
    rows = np.random.default_rng(0).normal(size=(1_000, 3))
    file = filled(rows)
    assert len(file) == 1_000
    np.testing.assert_array_equal(file.read(0, 1_000), rows)
    np.testing.assert_array_equal(file.read(990, 2_000), rows[990:])
    np.testing.assert_array_equal(file.take(np.array([0, 5, 999])), rows[[0, 5, 999]])
    assert file.read(1_000, 1_010).shape == (0, 3)


def test_rows_are_rewritten_in_place_part_by_part(filled, monkeypatch):
    monkeypatch.setattr(RowFile, "_PART", 64)
    rows = np.random.default_rng(0).normal(size=(1_000, 3))
    changed = filled(rows).rewrite(lambda part: (part * 2).astype(np.float32), np.float32)
    np.testing.assert_array_equal(changed.read(0, 1_000), (rows * 2).astype(np.float32))
    np.testing.assert_array_equal(changed.take(np.arange(0, 1_000, 7)), (rows[::7] * 2).astype(np.float32))


def test_spooled_rows_behave_like_resident_ones(filled):
    random = np.random.default_rng(0)
    rows = random.normal(size=(500, 2)).astype(np.float32)
    weights = random.integers(0, 2, size=500).astype(np.float32)
    spooled = Spooled(filled(rows, np.float32), filled(weights[:, None], np.float32))
    resident = Resident(rows, weights)
    assert len(spooled) == len(resident) and spooled.columns == resident.columns == 2
    for ours, theirs in (
        (spooled.read(100, 200), resident.read(100, 200)),
        (spooled.take(np.array([3, 400])), resident.take(np.array([3, 400]))),
        ((spooled.weighted(),), (resident.weighted(),)),
    ):
        for a, b in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_full_disk_is_said_with_the_remedy(filled, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(KMeansError, match=r"No space left on device.*set TMPDIR to a folder with room"):
        filled(np.ones([3, 2]))


def test_nothing_is_left_on_disk(filled, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = filled(np.ones([3, 2]))
    assert file.read(0, 3).sum() == 6 and list(tmp_path.iterdir()) == []


def test_tables_and_their_slices_by_16_rows_are_aligned():
    for columns in (1, 3, 7):
        table = aligned_empty((100, columns))
        assert is_aligned(table) and is_aligned(table[16:]) and is_aligned(table[48:64])
    assert not is_aligned(aligned_empty((9,))[1:]) and not is_aligned(aligned_empty((0, 3)))
