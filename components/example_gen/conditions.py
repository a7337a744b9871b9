"""The conditions of `data.keep` on columns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.convert import BadValueError, as_written, convert
from configs.condition import Condition
from configs.errors import ConfigError

_COMPARE: dict[str, Callable[[pa.Array, pa.Scalar], pa.Array]] = {
    "gt": pc.greater,
    "ge": pc.greater_equal,
    "lt": pc.less,
    "le": pc.less_equal,
    "eq": pc.equal,
    "ne": pc.not_equal,
}


def meets(column: pa.Array, condition: Condition, key: str = "data.keep") -> pa.Array:
    """Which values meet a condition.

    Args:
      column: string, int64, double or timestamp[us], [n].
      condition: all of its operators must hold. A missing value meets none but `missing`.
      key: where the configuration says it.

    Returns:
      bool [n], none missing.

    Raises:
      ConfigError: an operand is no number, or no time, as the column is.
    """
    met = pa.array([True] * len(column), pa.bool_()) if len(column) else pa.array([], pa.bool_())
    for name, operand in _operators(condition):
        met = pc.and_(met, pc.fill_null(_meets(column, condition, name, operand, key), False))
    return met


def describe(condition: Condition) -> str:
    """A condition as people write it, for what counts its rows: 'Quantity gt 0'."""
    said = (f"{name} {as_written(operand)}" for name, operand in _operators(condition))
    return f"{condition.column} {' and '.join(said)}"


def _operators(condition: Condition) -> list[tuple[str, Any]]:
    values = {name: getattr(condition, name) for name in type(condition).model_fields if name != "column"}
    return [(name, operand) for name, operand in values.items() if operand is not None]


def _meets(column: pa.Array, condition: Condition, name: str, operand: Any, key: str) -> pa.Array:
    if name == "missing":
        return column.is_null() if operand else column.is_valid()
    if name in ("matches", "not_matches"):
        found = pc.match_substring_regex(pc.cast(column, pa.string()), operand)
        return found if name == "matches" else pc.invert(found)
    if name in ("is_in", "not_in"):
        wanted = _operands(column, condition, name, operand, key)
        found = pc.is_in(_comparable(column), value_set=wanted)
        # `is_in` answers for missing values too; no operator but `missing` holds for one.
        found = pc.if_else(column.is_valid(), found, pa.scalar(None, pa.bool_()))
        return found if name == "is_in" else pc.invert(found)
    return _COMPARE[name](_comparable(column), _operands(column, condition, name, [operand], key)[0])


def _comparable(column: pa.Array) -> pa.Array:
    return pc.cast(column, pa.float64(), safe=False) if pa.types.is_integer(column.type) else column


def _operands(column: pa.Array, condition: Condition, name: str, operands: list[Any], key: str) -> pa.Array:
    """Operands as the column's type: text for text, else numbers or times."""
    kind = "text"
    if pa.types.is_timestamp(column.type):
        kind = "time"
    elif not pa.types.is_string(column.type):
        kind = "number"
    try:
        return convert(pa.array([as_written(operand) for operand in operands], pa.string()), kind)
    except BadValueError as error:
        raise ConfigError(
            f"{key}: {condition.column} {name}: {error.value!r} {error.reason}, the column's values are"
        ) from error
