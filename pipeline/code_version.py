"""A hash of the code that a component executes, for TFX's cache key, which knows nothing of it."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.metadata
import os
from collections.abc import Iterator

PACKAGES = ("configs", "transforms", "components", "pipeline")
_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_LIBRARIES = ("tfx", "tensorflow", "tensorflow-transform", "apache-beam", "scikit-learn")


def code_version(*modules: str) -> str:
    """Hashes modules and everything of ours that they import, directly or not.

    Args:
      modules: dotted names of modules of this project.

    Returns:
      16 hexadecimal digits. They change with the source of any module reached by import statements, with the
      other files (templates, styles) in those modules' folders, and with the versions of the libraries that do
      the work.
    """
    digest = hashlib.sha256()
    files = sorted(set().union(*(_reached(module) for module in modules)))
    for path in files:
        with open(path, "rb") as file:
            digest.update(os.path.relpath(path, _ROOT).encode() + b"\0" + file.read() + b"\0")
    for library in _LIBRARIES:
        digest.update(f"{library}=={importlib.metadata.version(library)}\n".encode())
    return digest.hexdigest()[:16]


def _reached(module: str) -> frozenset[str]:
    seen: set[str] = set()
    files: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _source(name)
        if name in seen or path is None:
            continue
        seen.add(name)
        files.add(path)
        files.update(_data_files(os.path.dirname(path)))
        waiting.extend(_imports(path))
        # Importing a.b.c runs a/__init__ and a.b/__init__ too.
        waiting.extend(name.rsplit(".", n)[0] for n in range(1, name.count(".") + 1))
    return frozenset(files)


@functools.cache
def _source(name: str) -> str | None:
    if name.split(".")[0] not in PACKAGES:
        return None
    base = os.path.join(_ROOT, *name.split("."))
    for path in (f"{base}.py", os.path.join(base, "__init__.py")):
        if os.path.isfile(path):
            return path
    return None


@functools.cache
def _imports(path: str) -> tuple[str, ...]:
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read(), path)
    return tuple(_imported_names(tree))


def _imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            # `from package import module` names a module only here.
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _data_files(folder: str) -> Iterator[str]:
    if os.path.relpath(folder, _ROOT).count(os.sep) == 0:
        return  # configs/ itself holds the pipelines' YAML files, which are no code.
    for parent, folders, names in os.walk(folder):
        folders[:] = [f for f in folders if f != "__pycache__" and not _is_package(os.path.join(parent, f))]
        yield from (os.path.join(parent, name) for name in names if not name.endswith((".py", ".pyc")))


def _is_package(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, "__init__.py"))
