"""The page in headless Chromium: what a reader gets, not what the markup says."""

import itertools
import re

import numpy as np
import pytest

from components.report.page import STYLES, TEMPLATES
from tests.components.report.browser import CHROMIUM, Browser
from tests.components.report.material import NASTY

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

# Everything that could give the page a second, horizontal scroll bar, in words.
TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .skip'))
  .map(e => e.tagName + '.' + (e.className.baseVal ?? e.className))"""
OPEN = "document.querySelectorAll('details').forEach(d => d.open = true)"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def address(full_run):
    return next(full_run.root.glob("reports/*/report.html")).as_uri()


def test_the_page_is_silent_and_asks_for_nothing(browser, address):
    browser.open(address)
    browser.evaluate(OPEN)
    assert browser.said() == []
    assert browser.requested() == [address]


def test_complaints_and_requests_would_be_seen(browser, address, tmp_path):
    """The test above can fail: a page with a script and a picture from elsewhere is caught."""
    html = address.removeprefix("file://")
    bad = tmp_path / "bad.html"
    with open(html, encoding="utf-8") as file:
        bad.write_text(file.read() + '<script>alert(1)</script><img src="http://127.0.0.1:9/x.png">')
    browser.open(bad.as_uri())
    assert len(browser.said()) >= 2
    assert all("Content Security Policy" in text for text in browser.said())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_nothing_is_wider_than_the_window(browser, address, width, scheme):
    browser.open(address, width=width, scheme=scheme)
    browser.evaluate(OPEN)
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(TOO_WIDE) == []
    # Wide tables scroll in boxes of their own, which the keyboard reaches.
    boxes = "[...document.querySelectorAll('.scroll')]"
    assert browser.evaluate(
        f"{boxes}.every(e => e.tabIndex === 0 && getComputedStyle(e).overflowX === 'auto')"
    )
    if width <= 360:
        assert browser.evaluate(f"{boxes}.some(e => e.scrollWidth > e.clientWidth)")


def test_every_chart_is_there_and_has_ink(browser, address):
    browser.open(address)
    browser.evaluate(OPEN)
    for section, least in {
        "segments": 3,
        "changes": 3,
        "distributions": 6,
        "picture": 1,
        "fit": 1,
        "sweep": 2,
        "data": 2,
    }.items():
        sizes = browser.evaluate(
            f"""[...document.querySelectorAll('section[aria-labelledby="{section}"] svg')].map(svg => {{
              const box = svg.getBoundingClientRect();
              const drawn = [...svg.querySelectorAll('path, rect, circle')].filter(e => e.getBBox().width > 0);
              return [box.width, box.height, drawn.length, svg.getAttribute('role'), !!svg.querySelector('title')];
            }})"""
        )
        assert len(sizes) >= least, section
        for width, height, drawn, role, titled in sizes:
            assert width > 20 and height > 5 and drawn > 0 and role == "img" and titled, section


def test_text_in_charts_can_be_read_on_a_phone(browser, address):
    browser.open(address, width=360)
    browser.evaluate(OPEN)
    heights = browser.evaluate(
        """[...document.querySelectorAll('svg text')].map(
             t => parseFloat(getComputedStyle(t).fontSize) * t.getScreenCTM().d)"""
    )
    assert len(heights) > 50
    assert min(heights) >= 9


def test_an_attribute_that_is_markup_is_text(browser, address):
    browser.open(address)
    browser.evaluate(OPEN)
    assert browser.evaluate("document.scripts.length") == 0
    text = browser.evaluate("document.body.innerText")
    # As a value, as the name of a column, in a sweep's reason, in a retired segment's name and in a slice.
    for section in ("profiles", "distributions", "sweep", "changes", "quality", "data"):
        shown = browser.evaluate(
            f"document.querySelector('section[aria-labelledby=\"{section}\"]').innerText"
        )
        assert NASTY in shown, section
    assert text.count(NASTY) > 10


def test_dark_mode(browser, address):
    colours = {}
    for scheme in ("light", "dark"):
        browser.open(address, scheme=scheme)
        style = "getComputedStyle(document.body)"
        colours[scheme] = [
            np.mean([int(n) for n in re.findall(r"\d+", browser.evaluate(f"{style}.{name}"))[:3]])
            for name in ("backgroundColor", "color")
        ]
    assert colours["light"][0] > 200 > 100 > colours["light"][1]
    assert colours["dark"][0] < 60 < 200 < colours["dark"][1]


def test_print_opens_what_is_folded_and_clips_no_table(browser, address):
    # A4 without margins, at 96 pixels an inch.
    browser.open(address, width=688, scheme="dark", media="print")
    assert browser.evaluate("[...document.querySelectorAll('details')].every(d => !d.open)")
    folded = browser.evaluate(
        "[...document.querySelectorAll('details > :not(summary)')].map(e => e.checkVisibility() && e.offsetHeight)"
    )
    assert folded and all(folded)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 688
    assert browser.evaluate(
        "[...document.querySelectorAll('table')].every(t => t.getBoundingClientRect().right <= innerWidth + 1)"
    )
    # Whatever the screen's scheme, paper is white.
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert browser.evaluate("getComputedStyle(document.querySelector('nav')).display") == "none"
    document = browser.pdf()
    assert document.startswith(b"%PDF")


def test_landmarks_and_names_for_assistive_technology(browser, address):
    browser.open(address)
    browser.evaluate(OPEN)
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    roles = [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in nodes if not n["ignored"]]
    present = [role for role, _ in roles]
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert present.count(landmark) == 1, landmark
    for role in ("image", "region", "table", "link", "DisclosureTriangle"):
        named = [name for found, name in roles if found == role]
        assert named and all(named), role
    assert present.count("heading") >= 10


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_enough_for_aa(browser, address, scheme):
    """Of all text that the page shows, against what lies behind it: WCAG 2.2, 1.4.3."""
    browser.open(address, scheme=scheme)
    browser.evaluate(OPEN)
    pairs = browser.evaluate(
        """(() => {
          const parts = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
          const behind = e => {
            const layers = [];
            for (let node = e; node; node = node.parentElement) {
              const style = getComputedStyle(node);
              const [r, g, b, a = 1] = parts(style.backgroundColor);
              if (a > 0) layers.push([r, g, b, a]);
              if (a === 1) break;
            }
            return layers.reverse().reduce(
              (under, [r, g, b, a]) => [r, g, b].map((c, i) => c * a + under[i] * (1 - a)), [255, 255, 255]);
          };
          const seen = new Map();
          for (const e of document.querySelectorAll('body *:not(svg *)')) {
            if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim())) continue;
            const colour = parts(getComputedStyle(e).color).slice(0, 3);
            seen.set(JSON.stringify([colour, behind(e)]), e.tagName + '.' + e.className);
          }
          return [...seen].map(([pair, where]) => [...JSON.parse(pair), where]);
        })()"""
    )
    assert len(pairs) > 8
    for ink, paper, where in pairs:
        assert contrast(ink, paper) >= 4.5, (where, ink, paper)


@pytest.mark.parametrize("dark", [False, True])
def test_segment_colours_carry_text_and_stand_out(dark):
    style = "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in STYLES)
    blocks = re.findall(r":root \{([^}]*--paper[^}]*)\}", style)
    assert len(blocks) == 2
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[dark]))
    colours = {name: [int(code[i : i + 2], 16) for i in (1, 3, 5)] for name, code in found.items()}
    segments = [colours[f"c{i}"] for i in range(1, 13)]
    for colour in segments:
        # A number on it is in the colour of the paper; a bar or a dot lies on paper, card and track.
        assert contrast(colour, colours["paper"]) >= 4.5
        assert contrast(colour, colours["card"]) >= 3
        assert contrast(colour, colours["track"]) >= 3
    for a, b in itertools.combinations(segments, 2):
        assert np.linalg.norm(np.subtract(a, b)) > 40


def contrast(first, second):
    """WCAG 2.2's contrast ratio of two colours of 0 to 255."""
    luminances = []
    for colour in (first, second):
        c = np.array(colour) / 255
        linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
        luminances.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    low, high = sorted(luminances)
    return (high + 0.05) / (low + 0.05)
