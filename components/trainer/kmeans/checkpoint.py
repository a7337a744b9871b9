"""Checkpoints of a fit: what a killed fit needs to end with the result of one that was left alone, bit for bit."""

from __future__ import annotations

import dataclasses
import io
import json
import numbers
import os
import re
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from components.trainer.kmeans.errors import KMeansError
from components.trainer.kmeans.lloyd import Fit, Position
from components.trainer.kmeans.minibatch import BatchPosition
from components.trainer.kmeans.replicas import Replicas
from components.trainer.kmeans.result import Iteration

_FORMAT = 1
_FIT = "fit.npz"


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """Where and how often a fit saves itself.

    A fit that finds its own checkpoint goes on from it, whatever killed it; when it ends well, it removes it. Rows
    are not saved: the fit must be given the same data again.

    Attributes:
      directory: a folder of the fit's own, on any file system that TensorFlow knows; all workers must see it.
      every_seconds: least time between two savings; 0 saves after every pass.
    """

    directory: str
    every_seconds: float = 30.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "directory", os.fspath(self.directory))
        if not self.directory:
            raise KMeansError("checkpoint: directory is empty; name a folder of the fit's own")
        if not isinstance(self.every_seconds, numbers.Real) or not self.every_seconds >= 0:
            raise KMeansError(f"checkpoint: every_seconds is {self.every_seconds!r}; use 0 or more")


@dataclasses.dataclass
class Progress:
    """How far a fit is: `starts` float64 [s, k, d], the number of the start at work, where that one is, and the best
    fit of those before it. `kept` is what this worker's passes keep."""

    starts: np.ndarray
    index: int
    position: Position
    best: Fit | None
    kept: dict[str, np.ndarray]


class Keeper:
    """Saves and restores one fit. All of its methods must be called by all workers together."""

    def __init__(self, checkpoint: Checkpoint, identity: dict[str, Any], replicas: Replicas) -> None:
        """
        Args:
          checkpoint: where.
          identity: what the fit is of, as JSON; a checkpoint of anything else is refused.
          replicas: who takes part.

        Raises:
          KMeansError: the folder cannot be written by every worker. Better now than after an hour.
        """
        self._checkpoint, self._replicas = checkpoint, replicas
        self._identity = json.loads(json.dumps({"format": _FORMAT, **identity}))
        self._saved_at = time.monotonic()
        self._tag = ""
        probe = self._rows_file("0-0")
        with self._together():
            tf.io.gfile.makedirs(checkpoint.directory)
            self._write(probe, {})
            tf.io.gfile.remove(self._path(probe))

    def restore(self) -> Progress | None:
        """The progress that was saved; None where there is none.

        Raises:
          KMeansError: the checkpoint is of another fit, or damaged, or not seen by all workers.
        """
        progress, problem = None, None
        try:
            if tf.io.gfile.exists(self._path(_FIT)):
                progress = self._restore()
        except KMeansError as error:
            problem = error
        self._replicas.agree(problem)
        found = self._replicas.gather(np.array([_number(progress)]))
        if (found != found[0]).any():
            raise KMeansError(
                f"checkpoint: not all workers see the same one in {self._checkpoint.directory}; "
                "give them a folder that they share"
            )
        return progress

    def save_if_due(self, progress: Callable[[], Progress]) -> None:
        """Saves the progress if the last time was long enough ago by the chief's clock."""
        due = time.monotonic() - self._saved_at >= self._checkpoint.every_seconds
        if self._replicas.from_chief(lambda: np.array([float(due)]), [1])[0]:
            self._save(progress())
            self._saved_at = time.monotonic()

    def clear(self) -> None:
        """Removes the checkpoint, once no worker needs it any more."""
        self._replicas.sum(np.zeros(1))
        if self._replicas.worker == 0 and tf.io.gfile.isdir(self._checkpoint.directory):
            for name in tf.io.gfile.listdir(self._checkpoint.directory):
                if re.fullmatch(r"(fit|rows-\d+-\d+-\d+)\.npz(\.part)?", name):
                    tf.io.gfile.remove(self._path(name))
            if not tf.io.gfile.listdir(self._checkpoint.directory):
                tf.io.gfile.rmtree(self._checkpoint.directory)

    def _save(self, progress: Progress) -> None:
        tag = f"{progress.index}-{len(progress.position.history)}"
        with self._together():
            if progress.kept:
                self._write(self._rows_file(tag), progress.kept)
        # Only when every worker's rows are there may the chief's file point to them.
        with self._together():
            if self._replicas.worker == 0:
                content = {"tag": np.array(tag), "identity": _text(self._identity), **_pack(progress)}
                self._write(_FIT, content)
        old = self._path(self._rows_file(self._tag))
        if self._tag != tag and tf.io.gfile.exists(old):
            tf.io.gfile.remove(old)
        self._tag = tag

    @contextmanager
    def _together(self) -> Iterator[None]:
        """Leaves when all workers have written, or raises on all if one could not."""
        problem = None
        try:
            yield
        except (tf.errors.OpError, OSError) as error:
            why = error.message if isinstance(error, tf.errors.OpError) else str(error)
            problem = KMeansError(f"checkpoint: {self._checkpoint.directory} cannot be written ({why})")
            problem.__cause__ = error
        self._replicas.agree(problem)

    def _restore(self) -> Progress:
        arrays = self._read(_FIT)
        if "identity" not in arrays:
            raise self._damaged(_FIT, "it is of another program")
        identity = json.loads(str(arrays["identity"]))
        if identity != self._identity:
            keys = identity.keys() | self._identity.keys()
            other = sorted(key for key in keys if identity.get(key) != self._identity.get(key))
            raise KMeansError(
                f"checkpoint: {self._checkpoint.directory} is of another fit ({', '.join(other)} differ); "
                "name another folder, or delete this one to begin anew"
            )
        self._tag = str(arrays["tag"])
        name = self._rows_file(self._tag)
        kept = self._read(name) if tf.io.gfile.exists(self._path(name)) else {}
        if bool(arrays["keeps"]) != bool(kept):
            raise self._damaged(name, "it is missing")
        return _unpack(arrays, kept)

    def _rows_file(self, tag: str) -> str:
        return f"rows-{self._replicas.worker}-{tag}.npz"

    def _path(self, name: str) -> str:
        return os.path.join(self._checkpoint.directory, name)

    def _write(self, name: str, arrays: dict[str, np.ndarray]) -> None:
        # Written beside and renamed: what has this name is whole.
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        beside = self._path(f"{name}.part")
        with tf.io.gfile.GFile(beside, "wb") as file:
            file.write(buffer.getvalue())
        tf.io.gfile.rename(beside, self._path(name), overwrite=True)

    def _read(self, name: str) -> dict[str, np.ndarray]:
        try:
            with tf.io.gfile.GFile(self._path(name), "rb") as file:
                content = io.BytesIO(file.read())
            with np.load(content, allow_pickle=False) as archive:
                return {key: archive[key] for key in archive.files}
        except (tf.errors.OpError, EOFError, OSError, ValueError, zipfile.BadZipFile) as error:
            raise self._damaged(name, str(error)) from error

    def _damaged(self, name: str, why: str) -> KMeansError:
        return KMeansError(
            f"checkpoint: {self._path(name)} cannot be read ({why}); delete the folder to begin anew"
        )


def _number(progress: Progress | None) -> float:
    return -1.0 if progress is None else progress.index * 1e6 + len(progress.position.history)


def _pack(progress: Progress) -> dict[str, np.ndarray]:
    arrays = {
        "starts": progress.starts,
        "index": np.array(progress.index),
        "keeps": np.array(bool(progress.kept)),
        **_pack_position("position", progress.position),
    }
    if progress.best is not None:
        best = progress.best
        position = Position(best.centroids, converged=best.converged, history=best.history)
        arrays |= _pack_position("best", position)
        arrays |= {"best.weights": best.weights, "best.inertia": np.array(best.inertia)}
    return arrays


def _unpack(arrays: dict[str, np.ndarray], kept: dict[str, np.ndarray]) -> Progress:
    best = None
    if "best.inertia" in arrays:
        position = _unpack_position("best", arrays)
        best = Fit(
            position.centroids,
            arrays["best.weights"],
            float(arrays["best.inertia"]),
            position.converged,
            position.history,
        )
    position = _unpack_position("position", arrays)
    return Progress(arrays["starts"], int(arrays["index"]), position, best, kept)


def _pack_position(name: str, position: Position) -> dict[str, np.ndarray]:
    history = [dataclasses.asdict(iteration) for iteration in position.history]
    arrays = {
        f"{name}.centroids": position.centroids,
        f"{name}.flags": np.array([position.precise, position.converged]),
        f"{name}.history": _text(history),
    }
    if isinstance(position, BatchPosition):
        arrays[f"{name}.seen"] = position.seen
    return arrays


def _unpack_position(name: str, arrays: dict[str, np.ndarray]) -> Position:
    precise, converged = (bool(flag) for flag in arrays[f"{name}.flags"])
    history = [
        Iteration(**{**iteration, "reseeded": tuple(iteration["reseeded"])})
        for iteration in json.loads(str(arrays[f"{name}.history"]))
    ]
    centroids, seen = arrays[f"{name}.centroids"], arrays.get(f"{name}.seen")
    if seen is not None:
        return BatchPosition(centroids, precise, converged, history, seen)
    return Position(centroids, precise, converged, history)


def _text(content: Any) -> np.ndarray:
    # JSON writes floats so that they are read back to the last bit.
    return np.array(json.dumps(content))
