"""Fixtures of the end-to-end tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.command import SHARED_DATA, Segments, customer_table, write_csv


@pytest.fixture
def segments(tmp_path: Path) -> Segments:
    """The command, with 600 customers of three kinds to run on."""
    made = Segments(tmp_path)
    write_csv(made.data, customer_table(600))
    return made


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """Finds a file of the shared real data, or skips."""

    def find(name: str) -> Path:
        path = SHARED_DATA / name
        if not path.exists():
            pytest.skip(f"needs the real data {name} in ../shared/data, which is not part of the project")
        return path

    return find
