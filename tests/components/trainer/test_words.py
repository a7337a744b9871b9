import pytest

from components.trainer.words import as_line, format_count, format_number, format_share, in_words, listed


@pytest.mark.parametrize(
    ("column", "words"),
    [
        ("recency_days", "recency days"),
        ("TotalCharges", "total charges"),
        ("LIMIT_BAL", "limit bal"),
        ("BILL_AMT1", "bill amt1"),
        ("HTTPRequests", "http requests"),
        ("cons.price.idx", "cons price idx"),
        ("Größe-der-Firma", "größe der firma"),
        ("_", "_"),
    ],
)
def test_in_words(column, words):
    assert in_words(column) == words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (float("nan"), "-"),
        (float("inf"), "-"),
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (1234567.8, "1,234,568"),
        (-4321.5, "-4,322"),
        (842.4, "842"),
        (99.96, "100"),
        (31.44, "31.4"),
        (31.04, "31"),
        (9.996, "10"),
        (2.754, "2.75"),
        (2.0, "2"),
        (0.9999, "1"),
        (0.4567, "0.457"),
        (0.0312, "0.031"),
        (0.00000123, "0.0000012"),
        (1.5e-9, "1.5e-09"),
        (3e20, "3e+20"),
    ],
)
def test_format_number(value, text):
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (None, "-"),
        (0, "0%"),
        (0.0004, "under 0.1%"),
        (0.018, "1.8%"),
        (0.04, "4%"),
        (0.0999, "10%"),
        (0.336, "34%"),
        (0.994, "99%"),
        (0.997, "over 99%"),
        (1 - 1e-12, "100%"),
        (1, "100%"),
    ],
)
def test_format_share(share, text):
    assert format_share(share) == text


def test_counts_and_lists():
    assert format_count(2469, "households") == "2,469 households"
    assert format_count(1, "households") == "1 household"
    assert format_count(1, "companies") == "1 company"
    assert format_count(1, "people") == "1 people"
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_as_line():
    assert as_line("  a\r\n b\u200b\x07 ") == "a b"
    assert as_line("x" * 41) == "x" * 37 + "..."
