"""A model that was trained once, for all tests of a module."""

from __future__ import annotations

import pytest

from tests.components.trainer.training import Trained, customers


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("trained"), customers())
