"""Which version is served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from components.errors import ServingError
from components.segments_file import read_segments
from components.served_model.versions import (
    list_versions,
    numbered_folders,
    served_version,
)

ROOT = Path(__file__).parents[3]


def _version(folder, name, whole=True):
    (folder / name).mkdir(parents=True)
    if whole:
        (folder / name / "saved_model.pb").write_bytes(b"")


def test_the_highest_number_is_served_not_the_last_in_the_alphabet(tmp_path):
    for name in ("1", "2", "10", "9"):
        _version(tmp_path, name)
    assert list_versions(str(tmp_path)) == ["1", "2", "9", "10"]
    assert served_version(str(tmp_path) + "/") == "10"


def test_what_is_not_a_whole_version_is_not_served(tmp_path):
    _version(tmp_path, "1")
    _version(tmp_path, "2", whole=False)
    for name in (".incoming-3-abc", "03", "0", "-4", "latest", "5.0", "٣"):
        _version(tmp_path, name)
    (tmp_path / "7").write_text("a file")
    assert list_versions(str(tmp_path)) == ["1"]
    assert numbered_folders(str(tmp_path)) == ["1", "2", "7"]
    assert served_version(str(tmp_path)) == "1"


def test_nothing_is_served_from_nowhere(tmp_path):
    assert served_version(str(tmp_path)) is None
    assert served_version(str(tmp_path / "not there")) is None


def test_segments_json(tmp_path):
    (tmp_path / "assets.extra").mkdir()
    path = tmp_path / "assets.extra" / "segments.json"
    with pytest.raises(ServingError, match="is missing"):
        read_segments(str(tmp_path))
    path.write_text("{")
    with pytest.raises(ServingError, match="is not JSON"):
        read_segments(str(tmp_path))
    path.write_text("[]")
    with pytest.raises(ServingError, match="holds a list"):
        read_segments(str(tmp_path))
    path.write_text(json.dumps({"k": 3, "name": "ältere"}))
    assert read_segments(str(tmp_path)) == {"k": 3, "name": "ältere"}


def test_reading_versions_imports_neither_tensorflow_nor_tfx():
    code = (
        "import sys; from components.served_model.versions import served_version; served_version('.');"
        "print([name for name in ('tensorflow', 'tfx', 'apache_beam', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
