"""What the tests of several components share."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from tfx.dsl.io import filesystem_registry
from tfx.dsl.io.plugins.local import LocalFilesystem


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


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An object store without a rename: `store://x` is kept as `tmp_path / x`.

    `written` lists the objects in the order of their writing; one whose name ends with `fail_at` fails.
    """

    class Store(LocalFilesystem):
        SUPPORTED_SCHEMES = ["store://"]
        written: list[str] = []
        fail_at = ""

        @staticmethod
        def open(name, mode="r"):
            if "w" in mode:
                if Store.fail_at and name.endswith(Store.fail_at):
                    raise ConnectionError(name)
                Store.written.append(name)
            return LocalFilesystem.open(_path(name), mode)

        @staticmethod
        def rename(src, dst, overwrite=False):
            raise AssertionError("an object store has no rename")

        @staticmethod
        def walk(top, topdown=True, onerror=None):
            for folder, folders, files in LocalFilesystem.walk(_path(top), topdown, onerror):
                yield folder.replace(f"{tmp_path}/", "store://", 1), folders, files

    def _path(name):
        return str(name).replace("store://", f"{tmp_path}/", 1)

    def _on_path(method):
        return staticmethod(lambda name: getattr(LocalFilesystem, method)(_path(name)))

    for method in ("exists", "isdir", "listdir", "makedirs", "mkdir", "remove", "rmtree", "stat", "glob"):
        setattr(Store, method, _on_path(method))
    registry = filesystem_registry.DEFAULT_FILESYSTEM_REGISTRY
    known = dict(registry._preferred_filesystem_by_scheme)
    monkeypatch.setattr(registry, "_preferred_filesystem_by_scheme", known)
    registry.register(Store, priority=0)
    return Store
