"""Renders the page."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import jinja2
from markupsafe import Markup

from components.example_gen.changes import in_words as in_words_of_rule
from components.report.content import Content
from components.report.figures.palette import LEGEND
from components.report.figures.spark import spark_path
from components.trainer.words import format_count, format_number, format_share, in_words, listed, singular

TEMPLATES = Path(__file__).parent / "templates"
PAGE = "report.html"
STYLES = ("style.css", "figures.css", "small.css", "print.css")


def render(content: Content) -> str:
    """The page as HTML. Every value of the data is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=format_number,
        share=format_share,
        count=format_count,
        words=in_words,
        singular=singular,
        listed=listed,
        day=_day,
        spark=spark_path,
        cleaned=in_words_of_rule,
        percent=lambda share: f"{100 * share:.2f}%",
        points=_points,
        sentence=lambda text: text[:1].upper() + text[1:],
        filename=lambda path: os.path.basename(path.rstrip("/")) or path,
    )
    # Our own style sheets are the one text that must not be escaped.
    style = Markup("".join((TEMPLATES / name).read_text(encoding="utf-8") for name in STYLES))
    return environment.get_template(PAGE).render(page=content, legend=LEGEND, style=style)


def _points(change: float) -> str:
    """A change of a share, in words: "now 2.1 points more", "now 0.4 points less", "unchanged"."""
    rounded = round(100 * change, 1)
    if rounded == 0:
        return "unchanged"
    return f"now {abs(rounded):g} points {'more' if rounded > 0 else 'less'}"


def _day(moment: str | None) -> str:
    """An ISO 8601 date or time for people: "3 Dec 2026" or "3 Dec 2026, 14:05"; other text as it is."""
    if not moment:
        return ""
    try:
        parsed = datetime.datetime.fromisoformat(str(moment).replace("Z", "+00:00"))
    except ValueError:
        return str(moment)
    day = f"{parsed.day} {parsed:%b %Y}"
    return day if (parsed.hour, parsed.minute, parsed.second) == (0, 0, 0) else f"{day}, {parsed:%H:%M}"
