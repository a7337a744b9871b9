import itertools
import json
import re
import shutil
import subprocess
from pathlib import Path

import lxml.html
import numpy as np
import pytest

from components.evaluator.verdict import SliceMetrics, ThresholdResult
from configs.outputs import ReportConfig


def page_of(run):
    return lxml.html.document_fromstring(run.html)


def text_of(node):
    return " ".join(node.text_content().split())


def table(page, identifier):
    rows = page.xpath(f"//table[@id='{identifier}']/tbody/tr")
    return {text_of(row.find("th")): [text_of(cell) for cell in row.findall("td")] for row in rows}


def test_pushed_run_in_json(run):
    artifact = run.report()
    report = run.json
    assert report["status"] == "pushed"
    assert report["version"] == "7"
    assert report["model"] == str(run.root / "serving" / "7")
    assert report["assignments"] == str(run.root / "assignments" / "7" / "assignments.parquet")
    assert report["served_before"] == "6"
    assert Path(report["report"]).read_text(encoding="utf-8") == run.html
    assert report["k"] == 3
    # The table holds all 300, the model's own sizes only the 240 it was fitted on.
    assert (report["customers"], report["counted"], report["sizes_from"]) == (300, 300, "assignments")
    assert [s["size"] for s in report["segments"]] == [100, 100, 100]
    assert [s["share"] for s in report["segments"]] == pytest.approx([1 / 3] * 3)
    assert [s["id"] for s in report["segments"]] == [1, 2, 3]
    assert report["metrics"]["silhouette"] == 0.91
    assert report["baseline_metrics"] == {"silhouette": 0.85, "smallest_segment_share": 0.25}
    assert [t["held"] for t in report["thresholds"]] == [True, True]
    assert report["reasons"] == []
    assert artifact.get_string_custom_property("status") == "pushed"
    assert artifact.get_string_custom_property("path") == report["report"]
    # The artifact and the published copy are the same.
    for name in ("report.html", "report.json"):
        assert Path(artifact.uri, name).read_bytes() == Path(report["report"]).with_name(name).read_bytes()


def test_pushed_run_on_the_page(run):
    run.report()
    page = page_of(run)
    assert text_of(page.xpath("//h1")[0]) == "retail"
    assert text_of(page.xpath("//*[@class='decision pushed']/strong")[0]) == "Now serving: version 7"
    assert "It replaces version 6." in text_of(page.xpath("//header")[0])
    tiles = {
        text_of(tile.find("dt")): text_of(tile.find("dd")) for tile in page.xpath("//dl[@class='tiles']/div")
    }
    assert tiles == {"Households": "300", "Segments": "3", "Rows read": "1,234,567", "As of": "31 Dec 2017"}
    names = [text_of(h3) for h3 in page.xpath("//ol[@class='segments']//h3")]
    assert names == [segment["name"] for segment in run.json["segments"]]
    assert "high value" in names[0]
    assert "recent" in names[0]
    sizes = [text_of(size) for size in page.xpath("//span[@class='size']")]
    assert sizes == ["100 households, 33%"] * 3
    metrics = {text_of(row.find("th")): row for row in page.xpath("//table[@class='metrics']/tbody/tr")}
    silhouette = next(row for name, row in metrics.items() if name.startswith("Silhouette"))
    assert [text_of(cell) for cell in silhouette.findall("td")] == [
        "0.91",
        "0.85",
        "✓ held silhouette 0.91 is at least 0.00",
    ]
    body = text_of(page.body)
    assert "1,234,567 rows read from 1 file, 11,226 dropped" in body
    assert "11,226: keep: sales_value gt 0" in body
    assert "300 households: 240 to fit the model, 60 held out to judge it" in body
    assert "abcdef0123456789" in body
    assert "7 iterations, converged, inertia 12.5" in body


def test_profile_table_holds_the_medians_of_the_training_customers(run):
    run.report()
    train = np.arange(300) % 5 != 0
    recency, kind = run.table["recency_days"], run.table["kind"]
    medians = [np.median(recency[train]), *(np.median(recency[train & (kind == j)]) for j in range(3))]
    row = next(row for row in run.json["figures"]["numeric"] if row["name"] == "recency_days")
    shown = [row["all"], *(cell["value"] for cell in row["segments"])]
    assert shown == pytest.approx(medians, rel=1e-6)
    assert [np.sign(cell["difference"]) for cell in row["segments"]][::2] == [-1, 1]
    cells = table(page_of(run), "numeric")["recency days"]
    assert [float(cell) for cell in cells] == pytest.approx(medians, rel=0.01)


def test_categorical_shares(run):
    run.report()
    shares = table(page_of(run), "categorical")
    assert shares["<script>alert(1)</script>"] == ["33%", "0%", "0%", "100%"]
    assert set(shares) >= {"north & south", "east"}


def test_everything_is_escaped(run):
    run.inputs["pushed_model"].set_string_custom_property(
        "pushed_destination", "/data/<img src=x onerror=y>/7"
    )
    run.report(report_config=json.dumps({"title": "<b>bold</b> & co", "customers": '"><i>people</i>'}))
    page = page_of(run)
    assert text_of(page.xpath("//h1")[0]) == "<b>bold</b> & co"
    for tag in ("script", "img", "i", "b", "iframe", "object"):
        assert page.xpath(f"//{tag}") == [], tag
    assert "<script" not in run.html
    assert text_of(page.body).count("<script>alert(1)</script>") >= 3
    # Nor do values of the data add attributes.
    assert not [name for node in page.iter() for name in node.attrib if name.startswith("on")]


def test_page_is_self_contained_and_accessible(run):
    run.report()
    page = page_of(run)
    assert page.xpath("//@href | //@src | //@srcset | //@action") == ["data:,"]
    assert "url(" not in run.html
    assert "@import" not in run.html
    assert page.get("lang") == "en"
    assert "default-src 'none'" in page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert page.xpath("//meta[@name='viewport']")
    levels = [int(node.tag[1]) for node in page.iter() if re.fullmatch(r"h[1-6]", str(node.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    assert all(table.find("caption") is not None for table in page.xpath("//table"))
    assert all(cell.get("scope") for cell in page.xpath("//th"))
    assert all(svg.find("title") is not None and svg.get("role") == "img" for svg in page.xpath("//svg"))
    identifiers = page.xpath("//@id")
    assert len(identifiers) == len(set(identifiers))
    for reference in " ".join(page.xpath("//@aria-labelledby")).split():
        assert reference in identifiers
    assert "prefers-color-scheme: dark" in run.html
    assert "@media print" in run.html


def test_scatter_shows_the_held_out_customers_and_the_centroids(run):
    run.report()
    scatter = run.json["figures"]["scatter"]
    assert scatter["split"] == "eval"
    assert scatter["customers"] == 60
    assert [len(group["points"]) for group in scatter["segments"]] == [20, 20, 20]
    assert sum(scatter["explained"]) <= 1 + 1e-9
    assert scatter["explained"][0] >= scatter["explained"][1]
    for group in scatter["segments"]:
        # Each centroid lies amid its own customers.
        assert np.linalg.norm(np.mean(group["points"], axis=0) - group["centroid"]) < 0.2
    # Distances between centroids are those of the model, for these three span the plane.
    shown = np.array([group["centroid"] for group in scatter["segments"]])
    for a, b in ((0, 1), (1, 2), (0, 2)):
        expected = np.linalg.norm(run.centroids[a] - run.centroids[b])
        assert np.linalg.norm(shown[a] - shown[b]) == pytest.approx(expected, rel=0.02)
    page = page_of(run)
    assert len(page.xpath("//*[@class='number']")) == 3
    dots = page.xpath("//path[starts-with(@class, 'dots')]/@d")
    assert [d.count("M") for d in dots] == [20, 20, 20]


def test_refused_by_thresholds(run):
    unmet = ThresholdResult("silhouette", "min", 0.95, 0.91, False, True, "silhouette 0.91 is below 0.95")
    run.judge(blessed=False, thresholds=[unmet])
    run.refuse()
    artifact = run.report()
    report = run.json
    assert artifact.get_string_custom_property("status") == "not_blessed"
    assert report["status"] == "not_blessed"
    assert report["model"] is None
    assert report["version"] is None
    assert report["assignments"] is None
    assert report["reasons"] == ["silhouette 0.91 is below 0.95"]
    # Without a table the sizes are those of the fit.
    assert (report["customers"], report["counted"], report["sizes_from"]) == (300, 240, "training")
    assert [s["size"] for s in report["segments"]] == [80, 80, 80]
    header = text_of(page_of(run).xpath("//*[starts-with(@class, 'decision')]")[0])
    assert "did not meet the thresholds" in header
    assert "silhouette 0.91 is below 0.95" in header
    assert "Version 6 stays in service." in header
    assert "Now serving" not in run.html
    assert "✗ not held" in run.html


def test_refused_by_the_serving_check(run):
    run.refuse(blessed=True, infra_blessed=False, parent=None)
    failures = ["assign: the distance of row 3 is NaN"]
    Path(run.inputs["infra_blessing"].uri, "check.json").write_text(json.dumps({"failures": failures}))
    run.report()
    assert run.json["status"] == "failed_serving_check"
    assert run.json["reasons"] == failures
    assert "No model is in service yet." in run.html


def test_a_model_that_does_not_answer_still_gets_a_page(run, tmp_path):
    broken = tmp_path / "broken" / "Format-Serving"
    (broken / "assets.extra").mkdir(parents=True)
    original = Path(run.inputs["model"].uri, "Format-Serving", "assets.extra", "segments.json")
    (broken / "assets.extra" / "segments.json").write_bytes(original.read_bytes())
    (broken / "saved_model.pb").write_bytes(b"not a model")
    run.inputs["model"].uri = str(broken.parent)
    run.refuse(infra_blessed=False)
    run.report()
    assert run.json["status"] == "failed_serving_check"
    assert run.json["figures"]["scatter"] is None
    assert "There is no picture." in run.html
    assert len(page_of(run).xpath("//ol[@class='segments']/li")) == 3


def test_undefined_metrics_and_slices(run):
    slices = [SliceMetrics("shop", "<east>", 20, {"silhouette": float("nan"), "smallest_segment_share": 0.0})]
    run.judge(metrics={"silhouette": float("nan"), "calinski_harabasz": float("inf")}, slices=slices)
    run.report()
    assert run.json["metrics"] == {"silhouette": None, "calinski_harabasz": None}
    assert table(page_of(run), "slices") == {"shop: <east>": ["20", "-", "-"]}


def test_what_was_validated(run):
    run.report()
    anomalies = [text_of(item) for item in page_of(run).xpath("//ul[@class='anomalies']/li")]
    assert anomalies == [
        "Warning: shop, expected one of 2 values, found <script>alert(1)</script> (80 households)"
    ]
    columns = table(page_of(run), "columns")
    assert columns["monetary"] == [
        "number",
        "25%",
        "12 to 2,612",
        "values of at least 0; a value for at least 50 % of the customers",
    ]
    assert columns["shop"][:3] == ["text", "0%", "3 distinct values"]


def test_a_second_page_of_a_run_replaces_the_first(run):
    run.report()
    stale = run.root / "reports" / "2026-05-03T10-00-00" / "stale.txt"
    stale.write_text("x")
    run.refuse()
    run.report()
    assert run.json["status"] == "not_blessed"
    assert not stale.exists()
    assert [path.name for path in (run.root / "reports").iterdir()] == ["2026-05-03T10-00-00"]


def test_a_crash_while_publishing_leaves_the_old_page(run, monkeypatch):
    from components.report import executor

    run.report()
    before = run.html

    def crash(folder, files):
        if ".incoming-" in folder:
            Path(folder, "report.html").write_text("half")
            raise OSError("disk full")

    monkeypatch.setattr(executor, "_write", crash)
    with pytest.raises(OSError, match="disk full"):
        run.report()
    assert run.html == before


def test_title_and_word_from_the_config(run):
    config = ReportConfig(title="Loyal shoppers", customers="companies")
    run.report(report_config=config.model_dump_json(by_alias=True))
    assert text_of(page_of(run).xpath("//h1")[0]) == "Loyal shoppers"
    assert "300 companies in 3 segments" in text_of(page_of(run).body)


def test_an_unknown_key_of_the_config_is_refused(run):
    with pytest.raises(ValueError, match="colour"):
        run.report(report_config='{"colour": "red"}')


def test_a_published_page_and_a_table_in_an_object_store(run, store):
    (run.root / "bucket").mkdir()
    (run.root / "assignments").rename(run.root / "bucket" / "assignments")
    run.inputs["assignments"].set_string_custom_property(
        "path", "store://bucket/assignments/7/assignments.parquet"
    )
    artifact = run.report(publish_dir="store://bucket/reports")
    path = "store://bucket/reports/2026-05-03T10-00-00/report.html"
    assert artifact.get_string_custom_property("path") == path
    published = run.root / "bucket" / "reports" / "2026-05-03T10-00-00"
    report = json.loads((published / "report.json").read_text(encoding="utf-8"))
    assert report["report"] == path
    assert report["customers"] == 300
    # Readers recognize a whole folder by the page, so it comes last.
    assert store.written[-1] == path


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
@pytest.mark.slow
@pytest.mark.parametrize("width", [1200, 500])
def test_page_renders_in_a_browser_without_overflow(run, tmp_path, width):
    run.report()
    html = run.html.replace("default-src 'none';", "default-src 'none'; script-src 'unsafe-inline';")
    sizes = "innerWidth, document.documentElement.scrollWidth, document.body.scrollHeight"
    probe = f"document.title = [{sizes}].join()"
    (tmp_path / "probe.html").write_text(html + f"<script>{probe}</script>", encoding="utf-8")
    command = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--window-size={width},900"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "probe.html").as_uri()]
    dom = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    inner, scroll, height = map(
        int, text_of(lxml.html.document_fromstring(dom).xpath("//title")[0]).split(",")
    )
    assert scroll <= inner
    assert height > 1000


def test_a_bound_that_was_not_compared_is_not_said_to_hold(run):
    item = ThresholdResult(
        "silhouette", "max_regression", 0.05, 0.91, True, False, "silhouette is not compared"
    )
    run.judge(thresholds=[item])
    run.report()
    (silhouette,) = (
        row
        for row in page_of(run).xpath("//table[@class='metrics']/tbody/tr")
        if text_of(row.find("th")).startswith("Silhouette")
    )
    assert text_of(silhouette.findall("td")[-1]) == "- silhouette is not compared"
