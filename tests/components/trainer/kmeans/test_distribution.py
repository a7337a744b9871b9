"""Devices and workers share the rows and agree on the centroids; each runs in processes of its own."""

from __future__ import annotations

import json
import os
import socket
import time

import numpy as np
import pytest


def _free_ports(count):
    listeners = [socket.socket() for _ in range(count)]
    for listener in listeners:
        listener.bind(("localhost", 0))
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def _cluster(count):
    """TF_CONFIG of each of `count` workers."""
    cluster = {"worker": [f"localhost:{port}" for port in _free_ports(count)]}
    return [json.dumps({"cluster": cluster, "task": {"type": "worker", "index": i}}) for i in range(count)]


def _assert_same(name, fit, expected, tolerance=1e-5):
    # Workers draw samples of their own, which may number the clusters in another order.
    order, expected_order = np.argsort(fit["weights"]), np.argsort(expected["weights"])
    centroids, expected_centroids = np.array(fit["centroids"]), np.array(expected["centroids"])
    np.testing.assert_allclose(
        centroids[order], expected_centroids[expected_order], atol=tolerance, err_msg=name
    )
    np.testing.assert_allclose(np.sort(fit["weights"]), np.sort(expected["weights"]), rtol=tolerance)
    assert fit["inertia"] == pytest.approx(expected["inertia"], rel=tolerance)


@pytest.mark.slow
def test_one_two_and_four_devices_agree_in_every_scenario(start_script, finish_scripts):
    (fits,) = finish_scripts(start_script("fit_on_devices.py"))
    assert len(fits) >= 10
    for name, by_devices in fits.items():
        for devices in ("one", "two", "four"):
            _assert_same(name, by_devices[devices], by_devices["none"])


@pytest.mark.slow
def test_two_workers_agree_with_each_other_and_with_one_process(start_script, finish_scripts):
    chief, other = finish_scripts(
        *(start_script("fit_as_worker.py", TF_CONFIG=config) for config in _cluster(2))
    )
    assert chief["fits"] == other["fits"]  # bit for bit

    assert len(chief["fits"]) >= 10
    for name, fit in chief["fits"].items():
        _assert_same(name, fit, chief["alone"][name])

    assert "row 60, column 2 (counted from 0) is nan" in other["refusals"]["nan"]
    assert (
        chief["refusals"]["nan"]
        == chief["refusals"]["text"]
        == "worker 1 refused its rows; its own log says why"
    )
    assert "expected numbers, got <U1" in other["refusals"]["text"]
    for worker in (chief, other):
        assert "workers disagree" in worker["refusals"]["columns"]
        assert "4 rows (of positive weight) cannot make k=5" in worker["refusals"]["too_few"]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["array", "bounded"])
def test_after_a_worker_died_the_others_end_and_all_go_on_to_the_same_result(
    start_script, finish_scripts, tmp_path, scenario
):
    def start(folder, dies_after=-1):
        return [
            start_script("fit_with_checkpoint.py", scenario, tmp_path / folder, dies_after, TF_CONFIG=config)
            for config in _cluster(2)
        ]

    expected, _ = finish_scripts(*start("whole"))
    began = time.monotonic()
    chief, other = start("killed", dies_after=3)  # the second worker kills itself
    output, _ = chief.communicate(timeout=120)
    other.communicate(timeout=10)
    assert other.returncode == -9
    assert chief.returncode == 3, output  # as the script ends when it gets WorkerLost
    assert "another worker of this fit is gone" in output and "with a checkpoint the fit goes on" in output
    assert time.monotonic() - began < 120
    assert "fit.npz" in os.listdir(tmp_path / "killed")

    resumed, resumed_other = finish_scripts(*start("killed"))
    assert resumed["passes"] == expected["passes"] - 3
    for fit in (resumed, resumed_other):
        assert {**fit, "passes": 0} == {**expected, "passes": 0}  # bit for bit
    assert not (tmp_path / "killed").exists()
