"""The part of the page about features that were kept and dropped."""

import copy
import json

import lxml.html

from components.artifacts import SelectedFeatures
from tests.components.report.material import NASTY

SELECTION = {
    "asked": "auto",
    "method": "importances",
    "target": {"name": "churn", "task": "classification", "classes": 2, "customers": 240},
    "sample": {"customers": 240, "of": 1240, "split": "train"},
    "seed": 0,
    "sentences": ["2 of 4 features are kept.", f"There is {NASTY}."],
    "warnings": [f"'{NASTY}' alone tells 'churn'"],
    "kept": ["monetary", "recency_days"],
    "dropped": ["shop", NASTY],
    "score": {"name": "permutation importance", "meaning": "how", "against": "churn", "higher_is_better": True},
    "leaks": [],
    "features": [
        {"name": "monetary", "kind": "numeric", "kept": True, "rule": "", "reason": "", "missing": 0.25, "score": 0.1,
         "threshold": 0.01},
        {"name": "recency_days", "kind": "numeric", "kept": True, "rule": "", "reason": "", "missing": 0.0,
         "score": 0.3, "threshold": 0.01},
        {"name": "shop", "kind": "categorical", "kept": False, "rule": "score", "reason": "too low", "missing": 0.0,
         "score": 0.002, "threshold": 0.01},
        {"name": NASTY, "kind": "numeric", "kept": False, "rule": "missing", "reason": f"no {NASTY}", "missing": 0.9,
         "score": None, "threshold": None},
    ],
}  # fmt: skip


def give(run, selection):
    folder = run.root / "selection"
    folder.mkdir()
    (folder / "selection.json").write_text(json.dumps(selection))
    artifact = SelectedFeatures()
    artifact.uri = str(folder)
    run.inputs["selection"] = artifact
    run.report()


def test_the_table_says_what_was_decided_and_why(run):
    give(run, SELECTION)
    page = lxml.html.fromstring(run.html)
    rows = [
        [cell.text_content().strip() for cell in row]
        for row in page.xpath("//table[@id='selected-features']/tbody/tr")
    ]
    assert [row[0] for row in rows] == ["recency_days", "monetary", "shop", NASTY], (
        "kept first, the best first"
    )
    assert rows[0][1:] == ["numeric", "0%", "0.3", "0.01", "✓ kept"]
    assert rows[2][1:] == ["categorical", "0%", "0.002", "0.01", "✗ dropped too low"]
    assert rows[3][2] == "90%" and rows[3][5].endswith(f"no {NASTY}")
    (section,) = page.xpath("//section[@aria-labelledby='selection']")
    text = " ".join(section.text_content().split())
    assert "2 of 4 features are kept. There is" in text and "240 households of 1,240" in text
    assert f"Warning: '{NASTY}' alone tells 'churn'." in text
    assert NASTY not in run.html, "escaped"
    assert run.json["selection"] == SELECTION


def test_filters_alone_have_no_scores(run):
    content = copy.deepcopy(SELECTION)
    content.update(score=None, warnings=[])
    for feature in content["features"]:
        feature.update(score=None, threshold=None)
    give(run, content)
    page = lxml.html.fromstring(run.html)
    heads = [head.text_content() for head in page.xpath("//table[@id='selected-features']/thead//th")]
    assert heads == ["Column", "Kind", "Missing", "Outcome"]


def test_a_run_without_a_selection_says_nothing_of_it(run):
    run.report()
    assert 'id="selection"' not in run.html and run.json["selection"] is None
