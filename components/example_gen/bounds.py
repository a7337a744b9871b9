"""The values that `data.bounds` allows, and what becomes of the others."""

from __future__ import annotations

import math

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.conditions import meets
from components.example_gen.convert import TEXT, TIME, TIMESTAMP, convert
from configs.cleaning import BoundsConfig
from configs.condition import Condition
from configs.errors import ConfigError


def outside(column: pa.Array, name: str, rule: BoundsConfig) -> pa.Array:
    """Where a column [n] holds a value that it may not hold: bool [n]; a missing value never does.

    Raises:
      ConfigError: a bound is no number, or no time, as the column is.
    """
    if rule.allowed is not None:
        within = Condition(column=name, is_in=rule.allowed)
    else:
        within = Condition(column=name, ge=rule.min, le=rule.max)
    return pc.and_(column.is_valid(), pc.invert(meets(column, within, f"data.bounds.{name}")))


def check(column: pa.Array, name: str, rule: BoundsConfig) -> None:
    """Refuses a rule that a column of this type cannot be under.

    Raises:
      ConfigError: its bounds are no numbers or times as the column is, or the column is text and has bounds.
    """
    if pa.types.is_string(column.type) and rule.allowed is None:
        raise ConfigError(
            f"data.bounds.{name}: 'min' and 'max' are for numbers and times, but the column is {TEXT}; set"
            f" data.types: {{{name}: number}} or time, or name the 'allowed' values"
        )
    outside(column, name, rule)


def clip(column: pa.Array, rule: BoundsConfig) -> pa.Array:
    """Values outside moved to the nearest bound; in a column of whole numbers, to the nearest whole number within."""
    for bound, nearest, inward in (
        (rule.min, pc.max_element_wise, math.ceil),
        (rule.max, pc.min_element_wise, math.floor),
    ):
        if bound is None:
            continue
        if column.type == TIMESTAMP:
            limit = convert(pa.array([str(bound)]), TIME)[0]
        elif pa.types.is_integer(column.type):
            limit = pa.scalar(inward(float(bound)), pa.int64())
        else:
            limit = pa.scalar(float(bound), pa.float64())
        column = nearest(column, limit, skip_nulls=False)
    return column


def describe(name: str, rule: BoundsConfig) -> str:
    """A rule as people write it, for what counts its rows: 'age not within 0 to 120'."""
    return f"{name} not {_allowed(rule)}"


def why(name: str, rule: BoundsConfig) -> str:
    """What to tell people about a value outside."""
    return (
        f"is not {_allowed(rule)}, as data.bounds.{name} asks; mend it, or set 'otherwise' there: to drop the row,"
        f" {'' if rule.allowed is not None else 'clip the value, '}or have it missing"
    )


def _allowed(rule: BoundsConfig) -> str:
    if rule.allowed is not None:
        shown = ", ".join(map(str, rule.allowed[:8]))
        return f"one of {shown}" + (f" and {len(rule.allowed) - 8} more" if len(rule.allowed) > 8 else "")
    if rule.min is None or rule.max is None:
        return f"at most {rule.max}" if rule.min is None else f"at least {rule.min}"
    return f"within {rule.min} to {rule.max}"
