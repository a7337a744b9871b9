import itertools
import json
import re
from pathlib import Path

import lxml.html
import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from components.evaluator.verdict import SliceMetrics, ThresholdResult
from configs.outputs import ReportConfig
from tests.components.report.material import MIGRATION, NASTY, SWEEP, fit


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
    assert tiles == {
        "Households": "300",
        "Segments": "3",
        "Silhouette": "0.91",
        "Smallest segment": "33%",
        "As of": "31 Dec 2017",
    }
    names = [text_of(h3) for h3 in page.xpath("//ol[@class='segments']//h3")]
    assert names == [segment["name"] for segment in run.json["segments"]]
    assert "high value" in names[0]
    assert "recent" in names[0]
    sizes = [text_of(size) for size in page.xpath("//span[@class='size']")]
    assert sizes == ["100 households, 33%"] * 3
    assert table(page, "thresholds") == {
        "Silhouette": ["0.91", "at least 0", "0.85", "✓ held"],
        "Smallest segment": ["33%", "at least 1%", "25%", "✓ held"],
    }
    metrics = {name.split(" How ")[0]: row for name, row in table(page, "metrics").items()}
    assert metrics["Silhouette"] == ["0.91", "0.85"]
    others = table(page, "metrics-more")
    assert next(row for name, row in others.items() if name.startswith("Calinski")) == ["12,346", "-"]
    body = text_of(page.body)
    assert "1,234,567 rows read from 1 file, 11,226 dropped" in body
    assert "11,226: keep: sales_value gt 0" in body
    assert "monetary: 4 were moved to the nearest bound, 1,200 stood for missing" in body
    assert "<script>alert(1)</script>: 2 could not be read as a time and are missing" in body
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
    run.search(SWEEP)
    run.migrate(MIGRATION)
    run.report()
    page = page_of(run)
    addresses = page.xpath("//@href | //@src | //@srcset | //@action")
    assert addresses[0] == "data:,"
    assert all(address[0] == "#" and page.xpath(f"//*[@id='{address[1:]}']") for address in addresses[1:])
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
    by_segment = [sum(d.count("M") for d in dots[i::3]) for i in range(3)]
    assert by_segment == [20, 20, 20]


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
    assert table(page_of(run), "slices-1") == {"<east>": ["20", "-"], "All": ["60", "-"]}


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
        "median 893, mean 1,166, 0 for 5%",
        "Histogram: 50%, 33%, 17%",
        "values of at least 0; a value for at least 50 % of the customers",
    ]
    assert columns["shop"][:5] == [
        "text",
        "0%",
        "3 distinct values",
        "<script>alert(1)</script> 50%, east 30%, north & south 20%",
        "Most frequent values: 50%, 30%, 20%",
    ]


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


def test_a_bound_that_was_not_compared_is_not_said_to_hold(run):
    item = ThresholdResult(
        "silhouette", "max_regression", 0.05, 0.91, True, False, "silhouette is not compared"
    )
    run.judge(thresholds=[item])
    run.report()
    assert table(page_of(run), "thresholds") == {
        "Silhouette": [
            "0.91",
            "at most 0.05 worse than in service",
            "0.85",
            "not compared silhouette is not compared",
        ]
    }


def test_distributions_count_the_customers_of_both_splits(run):
    run.report()
    figures = run.json["figures"]["distributions"]
    assert figures["customers"] == 300
    columns = {column["name"]: column for column in figures["columns"]}
    assert set(columns) == {"recency_days", "monetary", NASTY}
    kind, monetary = run.table["kind"], run.table["monetary"]
    for strip, own in zip(
        columns["monetary"]["segments"], (monetary[kind == j] for j in range(3)), strict=True
    ):
        assert strip["count"] == len(own)
        assert strip["quantiles"] == pytest.approx(np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95]), rel=1e-5)
        counts = np.histogram(own, columns["monetary"]["edges"])[0]
        np.testing.assert_allclose(np.array(strip["shares"]) * len(own), counts, atol=1e-3)
    # Whole numbers, some missing: bins end between them.
    visits = columns[NASTY]
    assert visits["all"]["count"] == np.count_nonzero(run.table[NASTY])
    assert all(edge % 1 == 0.5 for edge in visits["edges"])
    # The most telling columns come first, and the table beside the pictures says the same.
    captions = [
        text_of(c) for c in page_of(run).xpath("//section[@aria-labelledby='distributions']//figcaption")
    ]
    assert captions[2] == NASTY
    medians = table(page_of(run), "quantiles")
    assert medians["all"][0] == f"{visits['all']['count']}"


def test_silhouettes_of_the_held_out_customers(run):
    run.report()
    plot = run.json["figures"]["silhouette"]
    assert (plot["split"], plot["customers"]) == ("eval", 60)
    held_out = np.arange(300) % 5 == 0
    # As the model standardizes them.
    mean, std, _, kind = fit(run.table)
    numbers = np.stack([run.table["recency_days"], run.table["monetary"]], axis=1)
    features = np.column_stack([(numbers - mean) / std, run.table["shop"] == NASTY])[held_out]
    expected = silhouette_samples(features, kind[held_out])
    assert plot["mean"] == pytest.approx(expected.mean(), abs=1e-5)
    for j, segment in enumerate(plot["segments"]):
        own = expected[kind[held_out] == j]
        assert segment["mean"] == pytest.approx(own.mean(), abs=1e-5)
        np.testing.assert_allclose(segment["values"], np.sort(own)[::-1], atol=1e-3)
    assert [row[0] for row in table(page_of(run), "silhouettes").values()] == ["20", "20", "20"]


def test_a_run_without_a_search_or_a_predecessor_says_nothing_of_them(run):
    run.report()
    page = page_of(run)
    assert not page.xpath("//*[@id='sweep'] | //*[@id='changes']")
    assert (run.json["sweep"], run.json["migration"]) == (None, None)
    run.migrate({"parent_version": None})
    run.report()
    assert not page_of(run).xpath("//*[@id='changes']")


def test_the_search_for_the_number_of_segments(run):
    run.search(SWEEP)
    run.report()
    page = page_of(run)
    assert text_of(page.xpath("//*[@id='sweep']")[0]) == "Why 3 segments"
    candidates = table(page, "candidates")
    assert list(candidates) == ["2", "3", "4", "5"]
    assert candidates["3"][-1] == "✓ chosen"
    assert candidates["4"][-1] == f"✗ not eligible a sliver {NASTY}"
    assert candidates["5"][:5] == ["-", "1", "0.9", "25%", "-"]
    section = page.xpath("//section[@aria-labelledby='sweep']")[0]
    assert [len(svg.xpath(".//circle[@class='ring']")) for svg in section.xpath(".//svg")] == [1, 1]
    assert len(section.xpath(".//circle[contains(@class, 'hollow')]")) == 2
    assert "each on 240 households and judged on 200 households" in text_of(section)
    assert run.json["sweep"] == SWEEP


def test_what_changed_since_the_served_model(run):
    run.migrate(MIGRATION)
    run.report()
    page = page_of(run)
    assert text_of(page.xpath("//*[@id='changes']")[0]) == "What changed since version 6"
    body = text_of(page.xpath("//section[@aria-labelledby='changes']")[0])
    assert "155 of 290 households (53%) are in another segment than under version 6." in body
    assert (
        "5 of them changed themselves, and would have moved under the old model too; the other 150 moved"
        in body
    )
    matrix = table(page, "migration")
    assert matrix["1 one"] == ["90 60%", "0", "60 40%"]
    assert matrix[f"4 four {NASTY}"] == ["0", "55 61%", "35 39%"]
    shares = table(page, "growth")
    assert [cell for name, row in shares.items() if name.startswith("1") for cell in row] == [
        "60%",
        "50%",
        "33%",
    ]
    assert [cell for name, row in shares.items() if name.startswith("3") for cell in row] == ["-", "-", "33%"]
    assert "50% in version 6, now 16.7 points less." in text_of(page.xpath("//ol[@class='segments']/li")[0])
    assert run.json["migration"] == MIGRATION
    assert run.json["segments"][0]["share_before"] == 0.5
