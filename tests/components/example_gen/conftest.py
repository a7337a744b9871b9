"""Writing a source and reading it, without Beam."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from components.example_gen.in_memory import read_customers
from components.example_gen.plan import make_plan
from components.example_gen.source import Source, resolve_source
from components.example_gen.tally import Tally
from configs.pipeline import PipelineConfig


@dataclasses.dataclass
class Reading:
    """The customer table of a source, and what was counted on the way."""

    table: pa.Table
    tally: Tally
    source: Source

    def column(self, name: str) -> list[Any]:
        return self.table[name].to_pylist()


def config_of(path: Any, features: dict[str, Any] | None = None, **data: Any) -> PipelineConfig:
    paths = [str(item) for item in path] if isinstance(path, list) else str(path)
    sections = {"features": features} if features else {}
    return PipelineConfig.model_validate({"name": "test", "data": {"path": paths, **data}, **sections})


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes text or bytes into a file; returns its path."""

    def write_file(content: str | bytes, name: str = "customers.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def config() -> Callable[..., PipelineConfig]:
    return config_of


@pytest.fixture
def read() -> Callable[..., Reading]:
    """Reads the customers of `path` with the keys of `data`."""

    def read_path(path: Any, **data: Any) -> Reading:
        settings = config_of(path, **data)
        source = resolve_source(settings)
        table, tally = read_customers(make_plan(settings.data, source))
        return Reading(table, tally, source)

    return read_path
