"""Whether the served folder is what a model server may look at at any moment."""

from __future__ import annotations

import json
import os
from pathlib import Path

from benchmarks.soak.command import require


class ServedFolder:
    """Looks at a served folder again and again; loads each version the first time, and the served one each time."""

    def __init__(self, folder: Path):
        self._folder = folder
        self._seen: dict[str, dict[str, int]] = {}

    def check(self) -> list[str]:
        """The versions, oldest first.

        Raises:
          SoakError: a version is not whole, is not loadable, has changed, or is gone.
        """
        names = os.listdir(self._folder) if self._folder.exists() else []
        versions = sorted((name for name in names if name.isdigit()), key=int)
        gone = set(self._seen) - set(versions)
        require(not gone, f"served versions are gone: {sorted(gone)}")
        for version in versions:
            files = self._files(version)
            if version in self._seen:
                require(files == self._seen[version], f"served version {version} was changed")
            if version not in self._seen or version == versions[-1]:
                self._load(version)
            self._seen[version] = files
        return versions

    def _files(self, version: str) -> dict[str, int]:
        root = self._folder / version
        return {
            str(path.relative_to(root)): path.stat().st_size for path in root.rglob("*") if path.is_file()
        }

    def _load(self, version: str) -> None:
        # Not at the top: `--help` needs no TensorFlow.
        import tensorflow as tf

        path = self._folder / version
        try:
            model = tf.saved_model.load(str(path))
            # An example without any feature: missing values are answered.
            answer = model.signatures["serving_default"](
                examples=tf.constant([tf.train.Example().SerializeToString()])
            )
            segments = json.loads((path / "assets.extra" / "segments.json").read_text())["segments"]
        except Exception as error:
            require(False, f"served version {version} cannot be loaded and asked: {error}")
        segment = int(answer["segment_id"][0])
        known = {entry["id"] for entry in segments}
        require(
            segment in known, f"served version {version} answers segment {segment}, which is none of {known}"
        )
