"""Numbers as people write them, "1,234.50", "$12" or "12 %", as text that a machine reads."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from components.example_gen.bad_values import refuse
from configs.cleaning import NumberConfig

# Blanks between groups of digits: as typed, and the two no-break spaces that programs write.
_BLANKS = " \u00a0\u202f"
_SPACE = rf"[\s{_BLANKS}]*"

# What is looked for where a column was not said to hold numbers; the first that fits most is proposed. No blanks
# between groups: telephone numbers have them.
_USUAL_SIGNS = ("$", "€", "£", "¥", "₹", "%", "USD", "EUR", "GBP", "CHF")
_USUAL: tuple[dict[str, str], ...] = (
    {},
    {"thousands": ","},
    {"decimal": ","},
    {"thousands": ".", "decimal": ","},
    {"thousands": "'"},
)


def plain_numbers(column: pa.Array, form: NumberConfig) -> pa.Array:
    """Text [n] as numbers in the notation of Python: "-$1,234.50" becomes "-1234.50".

    Groups of digits must be whole, so that a decimal comma is never taken for one between thousands: "1,5" is
    refused where `thousands` is a comma.

    Raises:
      BadValueError: the first value that is not written so.
    """
    bare = _without_signs(column, form.stripped)
    refuse(
        pc.invert(pc.match_substring_regex(bare, _pattern(form))), column, f"is not a number {_written(form)}"
    )
    if form.thousands is not None:
        between = f"[{_BLANKS}]" if form.thousands == " " else re.escape(form.thousands)
        bare = pc.replace_substring_regex(bare, between, "")
    return pc.replace_substring(bare, ",", ".") if form.decimal == "," else bare


def proposal(text: pa.Array, least_share: float) -> tuple[int, str] | None:
    """Whether text, most of which is no plain number, looks like numbers that are written for people.

    Args:
      text: strings [n] that are no plain numbers, none missing.
      least_share: of them that must look so.

    Returns:
      The place of the first that does, and what to write under the column in `data.numbers`; None if it does not.
    """
    signs = [sign for sign in _USUAL_SIGNS if pc.any(pc.match_substring(text, sign)).as_py()]
    bare = _without_signs(text, signs)
    changed = pc.not_equal(bare, pc.utf8_trim_whitespace(text))
    looks, best, most = pa.array([False] * len(text), pa.bool_()), _USUAL[0], 0
    for form in _USUAL:
        fits = pc.match_substring_regex(bare, _pattern(NumberConfig.model_validate(form)))
        # The plain notation tells something only where a sign stood beside it.
        fits = fits if form else pc.and_(fits, changed)
        found = pc.sum(fits).as_py() or 0
        looks, best, most = pc.or_(looks, fits), *((form, found) if found > most else (best, most))
    if not most or pc.mean(looks).as_py() < least_share:
        return None
    said = {key: f"'{value}'" for key, value in best.items()}
    if signs:
        said["strip"] = f"'{signs[0]}'" if len(signs) == 1 else f"[{', '.join(map(repr, signs))}]"
    return pc.index(looks, True).as_py(), f"{{{', '.join(f'{key}: {value}' for key, value in said.items())}}}"


def _without_signs(column: pa.Array, signs: list[str]) -> pa.Array:
    """Text without blanks around it and without these before or behind, a minus kept: "- $ 5 " becomes "-5"."""
    if not signs:
        return pc.utf8_trim_whitespace(column)
    either = "|".join(re.escape(sign) for sign in sorted(signs, key=len, reverse=True))
    sign = f"(?:{_SPACE}(?:{either}))*{_SPACE}"
    return pc.replace_substring_regex(column, f"^{_SPACE}([+-]?){sign}([+-]?)(.*?){sign}$", r"\1\2\3")


def _pattern(form: NumberConfig) -> str:
    digits = r"\d+"
    if form.thousands is not None:
        between = f"[{_BLANKS}]" if form.thousands == " " else re.escape(form.thousands)
        # Groups of two but for the last are how India writes them.
        digits = rf"(?:\d{{1,3}}(?:{between}\d{{2,3}})*{between}\d{{3}}|\d+)"
    point = re.escape(form.decimal)
    return rf"^[+-]?(?:{digits}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


def _written(form: NumberConfig) -> str:
    parts = [f"thousands {form.thousands!r}"] if form.thousands is not None else []
    parts.append(f"decimal {form.decimal!r}")
    parts += [f"strip {', '.join(map(repr, form.stripped))}"] if form.stripped else []
    return f"written with {' and '.join(parts)}, as data.numbers says"
