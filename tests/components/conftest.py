"""What the tests of several components share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def serving() -> ModuleType:
    """The module `serving_fixture`: a small model with the signatures of the contract, and its table."""
    # Tests are imported by path and have no packages: a helper module is, too.
    name = "customer_segments_serving_fixture"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("serving_fixture.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
