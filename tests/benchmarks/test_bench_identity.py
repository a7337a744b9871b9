"""`make bench-identity`, shortened: nobody moves, no id is renamed or used again; and the benchmark can tell."""

import json

import numpy as np
import pytest

from benchmarks.identity import __main__ as entry
from benchmarks.identity import populations
from benchmarks.identity.populations import clear
from benchmarks.identity.retrains import WAYS, Way, chain

PLAIN, MATCHED, WARM = WAYS


def moved(population, k, way, retrains=4):
    steps = chain(population, k, retrains, way, lambda line: None)
    assert len(steps) == retrains
    assert not any(step.renamed or step.reused for step in steps if way.matched)
    return np.array([step.moved for step in steps])


def test_samples_share_their_first_customers_only():
    samples = list(clear(0.01).samples(3))
    assert [len(set(sample.tolist())) for sample in samples] == [500] * 3
    assert all((sample[:200] == samples[0][:200]).all() for sample in samples)
    assert not set(samples[0][:200]) & set(samples[1][200:])
    assert len(set(samples[0]) & set(samples[1])) < 350


def test_clear_segments_keep_their_customers():
    population = clear(0.05)
    assert moved(population, 6, WARM).max() < 0.01
    # Two kinds of a size change ranks in some retrain: ids by rank are not enough.
    assert moved(population, 6, PLAIN, retrains=10).max() > 0.1


def test_in_a_cloud_matching_alone_does_not_help():
    population = populations.cloud(0.2)
    warm = moved(population, 6, WARM)
    assert warm.max() < 0.03
    assert warm.mean() < 0.5 * moved(population, 6, MATCHED).mean()
    eager = moved(population, 6, Way("eager", True, True, switch_gain=0.0))
    assert warm.mean() < eager.mean()


@pytest.mark.skipif(not populations.CREDIT.exists(), reason="needs the real data in ../shared/data")
def test_real_customers_without_gaps():
    population = populations.credit()
    assert (population.sample, population.common) == (20_000, 8_000)
    warm = moved(population, 8, WARM)
    assert warm.max() < 0.01
    assert warm.mean() < 0.5 * moved(population, 8, MATCHED).mean()


def test_the_command(tmp_path, capsys):
    out = tmp_path / "out.json"
    arguments = ["--populations", "clear", "--retrains", "2", "--scale", "0.02", "--json", str(out)]
    assert entry.main(arguments) == 0
    (result,) = json.loads(out.read_text())
    assert list(result["ways"]) == [way.name for way in WAYS]
    assert result["ways"][WARM.name]["origins"] == {"parent": 2}
    shown = capsys.readouterr().out
    assert "clear: 2 retrains on 1,000 customers, 400 of them in all, k = 6" in shown
    assert all(way.name in shown for way in WAYS)


def test_a_reused_id_fails_the_command(tmp_path, monkeypatch):
    bad = {"moved_mean": 0, "moved_max": 0, "inertia": 1, "origins": {}, "new": 0, "renamed": 0, "reused": 1}
    monkeypatch.setattr(entry, "summary", lambda steps: bad)
    assert entry.main(["--populations", "clear", "--retrains", "1", "--scale", "0.02"]) == 1
