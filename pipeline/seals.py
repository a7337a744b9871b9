"""Whether artifacts are as their components wrote them: the names, sizes and times of their files.

TFX's cache takes an artifact whose folder is there, whatever is left in it: a file that a crash of the machine, a
full disk or a hand cut short would be read by every run to come.
"""

from __future__ import annotations

import json
import os

_SYSTEM = ".system"
_SEALS = "seals"


def seal_outputs(artifacts: str, node: str) -> None:
    """Notes down what a node has written, as soon as ML Metadata knows of it; forgets what was removed.

    Args:
      artifacts: TFX's pipeline root; outputs are in `<node>/<key>/<execution>`.
      node: the node's id.
    """
    folder = os.path.join(artifacts, node)
    for key in _folders(folder):
        for execution in _folders(os.path.join(folder, key)):
            path = _seal(artifacts, node, key, execution)
            if os.path.exists(path):
                continue
            os.makedirs(os.path.dirname(path), exist_ok=True)
            content = _content(os.path.join(folder, key, execution))
            temporary = f"{path}.part"
            with open(temporary, "w") as file:
                json.dump(content, file)
            os.replace(temporary, path)
    _forget_removed(folder)


def damage(artifacts: str, uri: str) -> str | None:
    """What is wrong with an artifact, in words; None where nothing is, and of one that is not in `artifacts`."""
    parts = os.path.relpath(uri, artifacts).split(os.sep)
    if len(parts) != 3 or parts[0] == os.pardir:
        return None
    try:
        with open(_seal(artifacts, *parts)) as file:
            sealed = json.load(file)
    except FileNotFoundError:
        return "it was not seen to its end"
    except ValueError:
        return "what it should be cannot be read"
    found = _content(uri)
    for name, (size, modified) in sealed.items():
        if name not in found:
            return f"{name} is gone"
        if found[name][0] != size:
            return f"{name} has {found[name][0]} bytes in place of {size}"
        if found[name][1] != modified:
            return f"{name} was written to"
    return next((f"{name} was added" for name in found if name not in sealed), None)


def _seal(artifacts: str, node: str, key: str, execution: str) -> str:
    return os.path.join(artifacts, node, _SYSTEM, _SEALS, f"{key}.{execution}.json")


def _forget_removed(folder: str) -> None:
    seals = os.path.join(folder, _SYSTEM, _SEALS)
    for name in os.listdir(seals) if os.path.isdir(seals) else []:
        key, _, execution = name.removesuffix(".json").rpartition(".")
        if name.endswith(".json") and not os.path.isdir(os.path.join(folder, key, execution)):
            os.remove(os.path.join(seals, name))


def _folders(parent: str) -> list[str]:
    try:
        with os.scandir(parent) as entries:
            return [entry.name for entry in entries if entry.name != _SYSTEM and entry.is_dir()]
    except FileNotFoundError:
        return []


def _content(folder: str) -> dict[str, list[int]]:
    """Size in bytes and time of the last write in nanoseconds of every file under a folder."""
    content = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            status = os.stat(path)
            content[os.path.relpath(path, folder)] = [status.st_size, status.st_mtime_ns]
    return content
