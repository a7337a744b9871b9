"""Data that the k-means tests share."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

_HERE = pathlib.Path(__file__).parent
_ROOT = _HERE.parents[3]


@pytest.fixture
def blobs() -> Callable[..., np.ndarray]:
    """Makes float32 rows [n, d] around k centres, the same for the same seed."""

    def make(n: int, d: int, k: int, seed: int = 0, spread: float = 3.0) -> np.ndarray:
        random = np.random.default_rng(seed)
        centres = random.normal(size=(k, d)) * spread
        return (centres[random.integers(k, size=n)] + random.normal(size=(n, d))).astype(np.float32)

    return make


@pytest.fixture
def finish_scripts() -> Callable[..., list[Any]]:
    """Waits for scripts and returns the result each printed; fails with the output of one that failed."""

    def finish(*processes: subprocess.Popen[str]) -> list[Any]:
        try:
            outputs = [process.communicate(timeout=180)[0] for process in processes]
        finally:
            for process in processes:
                process.kill()
        results = []
        for process, output in zip(processes, outputs, strict=True):
            assert process.returncode == 0, output
            (line,) = (line for line in output.splitlines() if line.startswith("RESULT "))
            results.append(json.loads(line.removeprefix("RESULT ")))
        return results

    return finish


@pytest.fixture
def start_script() -> Callable[..., subprocess.Popen[str]]:
    """Starts a script of this folder in a process of its own, which sees CPUs only."""

    def start(script: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(_HERE / script), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(_ROOT),
                "TF_CPP_MIN_LOG_LEVEL": "2",
                "CUDA_VISIBLE_DEVICES": "-1",
                **environment,
            },
        )

    return start
