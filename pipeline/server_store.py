"""ML Metadata on a database server, behaving as it does on SQLite.

Two things differ there, and TFX counts on both:

- Order. TFX pairs the artifacts (and types) that it asks for by ids with what it asked for, one by one. SQLite
  answers in the order of the ids; PostgreSQL in that of its pages, which changes with every update, so that a cached
  component's outputs are taken for one another. Here answers come in the order of the question.
- Backslashes, on PostgreSQL. ML Metadata 1.16 takes the text that libpq quotes and cuts off the first and the last
  character. For a text with a backslash libpq answers ` E'...'`, and what is left is no SQL: every JSON within JSON
  and every message of a failed execution ends the run. So no backslash gets there: it is written as another
  character, and read back.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ml_metadata
from google.protobuf.message import Message

# For private use: Unicode gives it no meaning. What follows says what it stands for.
_MARK = "\ue05c"
_WRITTEN = {"\\": f"{_MARK}0", _MARK: f"{_MARK}1"}
_READ = {written: text for text, written in _WRITTEN.items()}

# Method -> the ids that it asks for, what it answers.
_BY_ID = {
    "GetArtifactsByID": ("artifact_ids", "artifacts"),
    "GetExecutionsByID": ("execution_ids", "executions"),
    "GetContextsByID": ("context_ids", "contexts"),
    "GetArtifactTypesByID": ("type_ids", "artifact_types"),
    "GetExecutionTypesByID": ("type_ids", "execution_types"),
    "GetContextTypesByID": ("type_ids", "context_types"),
}


class ServerStore(ml_metadata.MetadataStore):
    """A MetadataStore whose answers are ordered as the questions, and whose texts may hold anything."""

    def _call_method(self, method_name: str, request: Message, response: Message) -> None:
        if self._config.HasField("postgresql"):
            # TFX keeps and hashes the messages that it puts, so a copy is changed.
            safe = type(request)()
            safe.CopyFrom(request)
            _replace(safe, encode)
            super()._call_method(method_name, safe, response)
            _replace(response, decode)
        else:
            super()._call_method(method_name, request, response)
        if method_name in _BY_ID:
            ids, answers = _BY_ID[method_name]
            _order(getattr(request, ids), getattr(response, answers))


def use_for_all_stores() -> None:
    """Lets TFX, which makes its stores from `ml_metadata.MetadataStore`, use this one in this process."""
    ml_metadata.MetadataStore = ServerStore


def encode(text: str) -> str:
    """The text without backslashes."""
    return re.sub(rf"[\\{_MARK}]", lambda found: _WRITTEN[found[0]], text)


def decode(text: str) -> str:
    """What `encode` was given."""
    return re.sub(f"{_MARK}[01]", lambda found: _READ[found[0]], text)


def _order(ids: Any, answers: Any) -> None:
    """Puts answers, each with an `id`, into the order of the ids; what was asked for twice is answered twice."""
    found = {answer.id: answer for answer in answers}
    ordered = [found[asked] for asked in ids if asked in found]
    copies = []
    for answer in ordered:
        copies.append(type(answer)())
        copies[-1].CopyFrom(answer)
    del answers[:]
    answers.extend(copies)


def _replace(message: Message, change: Callable[[str], str]) -> None:
    """Changes every text in a message, but the keys of maps, which are names."""
    for field, value in message.ListFields():
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            _replace_values(field.message_type.fields_by_name["value"], value, change)
        elif field.type == field.TYPE_MESSAGE:
            for part in value if field.label == field.LABEL_REPEATED else [value]:
                _replace(part, change)
        elif field.type == field.TYPE_STRING:
            if field.label == field.LABEL_REPEATED:
                value[:] = [change(text) for text in value]
            elif (changed := change(value)) != value:
                setattr(message, field.name, changed)


def _replace_values(field: Any, values: Any, change: Callable[[str], str]) -> None:
    for key in list(values):
        if field.type == field.TYPE_MESSAGE:
            _replace(values[key], change)
        elif field.type == field.TYPE_STRING:
            values[key] = change(values[key])
