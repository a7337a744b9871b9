"""Reads a YAML file into a `PipelineConfig`, and says in one line what is wrong with it."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Callable, Sequence
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from configs.errors import ConfigError
from configs.pipeline import PipelineConfig

# Keys whose values are paths; * is every key.
_PATHS = (
    ("data", "path"),
    ("drift", "requests"),
    ("data", "attributes", "path"),
    ("validation", "schema"),
    ("features", "categorical", "model"),
    ("features", "columns", "*", "model"),
    ("metadata", "password_file"),
    ("metadata", "ssl", "ca"),
    ("metadata", "ssl", "cert"),
    ("metadata", "ssl", "key"),
    ("metadata", "ssl", "capath"),
)
_REMOTE = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://")


class _StrictLoader(yaml.SafeLoader):
    """YAML's safe loader, refusing a key given twice (plain YAML silently keeps the last)."""


def _mapping_without_duplicates(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key '{key}' is given twice", key_node.start_mark
            )
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_without_duplicates)


def load_config(path: str, overrides: Sequence[str] = ()) -> PipelineConfig:
    """Reads and validates a pipeline configuration.

    Args:
      path: a YAML file. Relative paths inside it are relative to its folder.
      overrides: `key=value` strings, keys with dots (`model.k=7`), values in YAML. Relative paths in them
        are relative to the current folder.

    Returns:
      The frozen configuration, its local paths absolute.

    Raises:
      ConfigError: in one line, what is wrong with which key of which file.
    """
    document = _read(path)
    document.setdefault("name", _default_name(path))
    _absolute_paths(document, os.path.dirname(os.path.abspath(path)))
    for override in overrides:
        _apply(document, override)
    _absolute_paths(document, os.getcwd())
    try:
        return PipelineConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def _default_name(path: str) -> str:
    stem = os.path.splitext(os.path.basename(path))[0]
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._") or "segments"


def _read(path: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            document = yaml.load(file, Loader=_StrictLoader)
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: there is no such file") from error
    except IsADirectoryError as error:
        raise ConfigError(f"{path}: is a folder; name the YAML file in it") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text (byte {error.start})") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {_yaml_problem(error)}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{path}: must hold keys such as 'data', found {_kind(document)}")
    return document


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}{getattr(error, 'problem', None) or 'is not YAML'}"


def _apply(document: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: write it as key=value, such as model.k=7")
    try:
        value = yaml.load(text, Loader=_StrictLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: {_yaml_problem(error)}") from error
    *parents, last = key.split(".")
    section: Any = document
    for parent in parents:
        section = section.setdefault(parent, {}) if isinstance(section, dict) else section
        if not isinstance(section, dict):
            raise ConfigError(f"--set {override}: '{parent}' holds a value, not keys")
    section[last] = value


def _absolute_paths(document: dict[str, Any], base: str) -> None:
    def absolute(value: Any) -> Any:
        if isinstance(value, list):
            return [absolute(item) for item in value]
        if not isinstance(value, str) or not value or _REMOTE.match(value):
            return value
        return os.path.normpath(os.path.join(base, os.path.expanduser(value)))

    for keys in _PATHS:
        _replace(document, keys, absolute)


def _replace(holder: dict[str, Any], keys: Sequence[str], change: Callable[[Any], Any]) -> None:
    """Changes the value at a path of keys in place, as far as it is there."""
    key, *further = keys
    for name in list(holder) if key == "*" else [key] if key in holder else []:
        if not further:
            holder[name] = change(holder[name])
        elif isinstance(holder[name], dict):
            # A copy: the caller's YAML document may share anchored mappings between sections.
            holder[name] = dict(holder[name])
            _replace(holder[name], further, change)


def _explain(error: ValidationError) -> str:
    """The first problem of a validation error, in a line for people."""
    problems = error.errors()
    # A misspelt key also leaves the right one missing: say the cause, not the consequence.
    problem = next((p for p in problems if p["type"] == "extra_forbidden"), problems[0])
    location = [str(part) for part in problem["loc"]]
    key = ".".join(_as_written(location)) or "the file"
    kind = problem["type"]
    if kind == "extra_forbidden":
        allowed = _allowed_keys(location[:-1])
        near = difflib.get_close_matches(location[-1], allowed, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        return f"unknown key '{key}'{hint} (allowed here: {', '.join(allowed)})"
    if kind == "missing":
        return f"'{key}' is required"
    if kind == "value_error":
        return f"'{key}': {_sentence(problem)}"
    # The members of a union fail one by one: together they say what is allowed.
    alternatives = [p for p in problems if _as_written([str(x) for x in p["loc"]]) == _as_written(location)]
    return f"'{key}' is {_show(problem.get('input'))}: {' or '.join(_sentence(p) for p in alternatives)}"


def _sentence(problem: Any) -> str:
    message = problem["msg"].removeprefix("Value error, ")
    return message[:1].lower() + message[1:]


_UNION_MEMBERS = {
    "str",
    "int",
    "float",
    "date",
    "bool",
    "constrained-int",
    "constrained-float",
    "constrained-str",
}


def _as_written(location: list[str]) -> list[str]:
    """A pydantic location without the parts that no one wrote: members of unions, validator names."""
    parts = [part for part in location if "[" not in part and "(" not in part]
    while len(parts) > 1 and parts[-1] in _UNION_MEMBERS:
        parts.pop()
    return parts


def _allowed_keys(location: list[str]) -> list[str]:
    model: Any = PipelineConfig
    for part in location:
        field = model.model_fields.get(part) if _is_section(model) else None
        if field is None:
            # A list index or a mapping's key: the section below it stays the same.
            continue
        model = _section_in(field.annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _is_section(model: Any) -> bool:
    return isinstance(model, type) and issubclass(model, BaseModel)


def _section_in(annotation: Any) -> Any:
    if _is_section(annotation):
        return annotation
    for argument in get_args(annotation):
        found = _section_in(argument)
        if found is not None:
            return found
    return None


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"
