"""Runs contenders side by side: each fit in a process of its own, all of them once, then all again."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.kmeans.judge import inertia
from benchmarks.kmeans.rivals import ROOT
from benchmarks.measure import Measured, run_measured

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
# TensorFlow's start-up messages, and GPUs, which no rival here has.
_OURS = ("TF_CPP_MIN_LOG_LEVEL=3", "CUDA_VISIBLE_DEVICES=-1")
# Set where the NumPy of our older stack needs them; they slow a current one down.
_NOT_RIVALS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class ContestError(Exception):
    """A contender failed; the message names it and its log."""


@dataclass(frozen=True)
class Contender:
    """Who takes part.

    Attributes:
        name: In the tables.
        script: Its module in `benchmarks.kmeans.contenders`.
        rival: Whether it runs in the rivals' environment, not in ours.
        records: Whether it reads the TFRecords, not the array.
    """

    name: str
    script: str
    rival: bool = False
    records: bool = False


@dataclass(frozen=True)
class Rows:
    """The rows of a case: a .npy file, and the folder of the same rows as TFRecords where they are streamed."""

    array: Path
    records: Path | None = None


@dataclass(frozen=True)
class Run:
    """One fit.

    Attributes:
        version: Package and version of the contender.
        seconds: Of the fit.
        iterations: Passes over the rows.
        pass_seconds: Seconds of these passes, where the contender tells.
        peak_mb: Most resident memory of its process and of those that it started, in MiB.
        fit_mb: By how much the fit raised that of its own process.
        inertia: Of its centroids on all rows, by the judge.
    """

    version: str
    seconds: float
    iterations: int
    pass_seconds: float | None
    peak_mb: float
    fit_mb: float
    inertia: float


@dataclass(frozen=True)
class Arena:
    """Where contenders run: with `rivals` as the rivals' interpreter, files in `folder`, so many threads each."""

    folder: Path
    rivals: Path
    threads: int

    def fit(self, contender: Contender, rows: Rows, k: int, seed: int) -> Run:
        """Runs one contender once.

        Raises:
            ContestError: if it fails or does not answer as agreed.
        """
        centroids = self.folder / "centroids.npy"
        data = rows.records if contender.records else rows.array
        arguments = ["--data", str(data), "--k", str(k), "--seed", str(seed), "--centroids", str(centroids)]
        script = f"benchmarks.kmeans.contenders.{contender.script}"
        measured = self.execute(contender.name, script, arguments, contender.rival)
        try:
            answer = json.loads(measured.output.splitlines()[-1])
            answer["peak_mb"] = max(answer["peak_mb"], measured.peak_mb)
            return Run(inertia=inertia(np.load(rows.array, mmap_mode="r"), np.load(centroids)), **answer)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            raise ContestError(
                f"{contender.name} gave no usable answer ({error}); see {self.log(contender.name)}"
            ) from None

    def execute(self, name: str, module: str, arguments: Sequence[str], rival: bool = False) -> Measured:
        """Runs a module in our or the rivals' environment, its stderr going to `log(name)`.

        Raises:
            ContestError: if it ends with another exit code than 0.
        """
        python = str(self.rivals) if rival else sys.executable
        unset = [word for variable in _NOT_RIVALS for word in ("-u", variable)] if rival else []
        settings = [f"PYTHONPATH={ROOT}", *(f"{variable}={self.threads}" for variable in _THREADS)]
        settings += () if rival else _OURS
        measured = run_measured(["env", *unset, *settings, python, "-m", module, *arguments], self.log(name))
        if measured.code != 0:
            raise ContestError(f"{name} ended with exit code {measured.code}; see {self.log(name)}")
        return measured

    def log(self, name: str) -> Path:
        """Where the stderr of what is called `name` goes."""
        return self.folder / f"{name.replace(', ', '-').replace(' ', '-')}.log"


def contest(
    arena: Arena,
    contenders: Sequence[Contender],
    rows: Rows,
    k: int,
    repeats: int,
    heard: Callable[[str], None],
) -> Mapping[str, list[Run]]:
    """Runs every contender `repeats` times, in rounds: what disturbs the machine for a while disturbs all.

    Args:
        arena: Where.
        contenders: Who, in the order of each round.
        rows: On what.
        k: Number of clusters.
        repeats: Number of rounds; each has a seed of its own.
        heard: Is told a line about each fit.

    Returns:
        Contender's name -> its fits, in the order of the rounds.
    """
    runs: dict[str, list[Run]] = {contender.name: [] for contender in contenders}
    for seed in range(repeats):
        for contender in contenders:
            run = arena.fit(contender, rows, k, seed)
            runs[contender.name].append(run)
            heard(
                f"  round {seed + 1} of {repeats}: {contender.name} {run.seconds:.2f} s, "
                f"inertia {run.inertia:.6g}, {run.iterations} iterations"
            )
    return runs
