"""What a run's ServedModel says about the past, beside the model: `known.json`."""

from __future__ import annotations

import json
import os
from typing import Any

from tfx.dsl.io import fileio

from components.identity.known import Known, Used

KNOWN_FILE = "known.json"


def known_to_json(known: Known) -> str:
    """Every id that was ever served, as the parameter of `ServedModel`: the same text for the same ids."""
    used = {
        str(i): {"name": each.name, "last_version": each.last_version}
        for i, each in sorted(known.used.items())
    }
    return json.dumps({"next_id": known.next_id, "used": used})


def known_from_json(text: str) -> Known:
    """The inverse of `known_to_json`; nothing is known from an empty text."""
    if not text:
        return Known()
    content = json.loads(text)
    return Known(content["next_id"], {int(i): Used(**each) for i, each in content["used"].items()})


def write_known(uri: str, version: str, known: Known) -> None:
    """Writes what is known into the artifact at `uri`; `version` is "" where no model is served."""
    fileio.makedirs(uri)
    content = {"version": version, "known": known_to_json(known)}
    with fileio.open(os.path.join(uri, KNOWN_FILE), "w") as file:
        file.write(json.dumps(content))


def read_known(uri: str) -> tuple[str | None, Known]:
    """The served version, None where there is none, and every id that was ever served."""
    path = os.path.join(uri, KNOWN_FILE)
    if not fileio.exists(path):
        return None, Known()
    with fileio.open(path, "r") as file:
        content: dict[str, Any] = json.loads(file.read())
    return content["version"] or None, known_from_json(content["known"])
