"""A customer given directly, as column to value: checked and read as the data is."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pyarrow as pa

from components.example_gen import bounds
from components.example_gen.convert import INTEGER, NUMBER, TEXT, TIME, BadValueError, base_type
from components.example_gen.dates import as_number
from components.example_gen.meaning import mean
from components.served_model.loaded import Feature, Value
from configs.cleaning import BoundsConfig
from configs.data import DataConfig
from configs.errors import ConfigError


def read_row(
    given: Mapping[str, Any],
    features: Sequence[Feature],
    data: DataConfig,
    others: Collection[str],
    where: str,
) -> dict[str, Value]:
    """The features' values of a row, as the data would be read.

    Args:
      given: column -> value.
      features: of the model.
      data: the configuration's section: what stands for missing, what is a time.
      others: columns of the customer table that are no features; they are let pass.
      where: names the row in errors.

    Returns:
      Feature -> value; None where it is missing or not given.

    Raises:
      ConfigError: a column is not known, or a value is not what its column holds.
    """
    names = [feature.name for feature in features]
    for column in given:
        if column not in names and column not in others:
            folded = {name.casefold(): name for name in names}
            near = difflib.get_close_matches(column.casefold(), folded, n=2)
            hint = (
                f"did you mean {' or '.join(repr(folded[name]) for name in near)}?"
                if near
                else f"there are {', '.join(names)}"
            )
            raise ConfigError(f"{where}: there is no column '{column}'; {hint}")
    return {feature.name: _value(feature, given.get(feature.name), data, where) for feature in features}


def _value(feature: Feature, value: Any, data: DataConfig, where: str) -> Value:
    place = f"{where}: {feature.name}"
    if isinstance(value, (list, dict)):
        raise ConfigError(f"{place}: is a {type(value).__name__}, where one value is expected")
    if value is None:
        return None
    # What a time becomes is a number to the model; a number that is given is that already.
    is_time = data.types.get(feature.name) == TIME or feature.name in data.dates
    kind = TEXT if feature.is_text else INTEGER if feature.whole else NUMBER
    rules = data if data.transactions is None else DataConfig(path="-", missing=data.missing)
    if data.transactions is None and is_time and not isinstance(value, (int, float)):
        kind = TIME
    try:
        column = mean(base_type(pa.array([value])), feature.name, kind, rules, exact=True).values
    except BadValueError as error:
        raise ConfigError(f"{place}: {value!r} {error.reason}") from error
    except (pa.ArrowException, ValueError, OverflowError) as error:
        raise ConfigError(f"{place}: {value!r} cannot be read as {kind}: {error}") from error
    if feature.name in rules.bounds and (kind == TIME or not is_time):
        column = _within(column, feature.name, rules.bounds[feature.name], place)
    result: Value = (as_number(column, data.dates.get(feature.name)) if kind == TIME else column)[0].as_py()
    return result


def _within(column: pa.Array, name: str, rule: BoundsConfig, place: str) -> pa.Array:
    """The value as `data.bounds` lets it be."""
    if not bounds.outside(column, name, rule)[0].as_py():
        return column
    if rule.otherwise == "clip":
        return bounds.clip(column, rule)
    if rule.otherwise == "missing":
        return pa.nulls(1, column.type)
    raise ConfigError(f"{place}: {column[0]} {bounds.why(name, rule)}")
