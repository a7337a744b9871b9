"""Which changes of the code a component's cache key notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import code_version as subject


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project in place of this one."""
    files = {
        "components/__init__.py": "",
        "components/a/__init__.py": "",
        "components/a/executor.py": "from components.shared import thing\nimport transforms.t\n",
        "components/a/page.html": "<p>",
        "components/b/__init__.py": "",
        "components/b/executor.py": "import os\n",
        "components/shared.py": "thing = 1\n",
        "transforms/__init__.py": "",
        "transforms/t.py": "def f():\n    from transforms import late\n",
        "transforms/late.py": "x = 1\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(subject, "_ROOT", str(tmp_path))
    forget()
    yield tmp_path
    forget()


def forget() -> None:
    subject._source.cache_clear()
    subject._imports.cache_clear()


@pytest.mark.parametrize(
    ("changed", "notices_a", "notices_b"),
    [
        ("components/a/executor.py", True, False),
        ("components/a/page.html", True, False),
        ("components/shared.py", True, False),
        ("transforms/t.py", True, False),
        ("transforms/late.py", True, False),
        ("transforms/__init__.py", True, False),
        ("components/b/executor.py", False, True),
        ("components/__init__.py", True, True),
    ],
)
def test_a_change_is_noticed_by_what_runs_it(
    project: Path, changed: str, notices_a: bool, notices_b: bool
) -> None:
    before = [subject.code_version(f"components.{c}.executor") for c in "ab"]
    path = project / changed
    path.write_text(path.read_text() + "\n# changed\n")
    forget()
    after = [subject.code_version(f"components.{c}.executor") for c in "ab"]
    assert [x != y for x, y in zip(before, after, strict=True)] == [notices_a, notices_b]


def test_the_real_components_differ() -> None:
    transform, trainer = (
        subject.code_version("transforms.preprocessing"),
        subject.code_version("components.trainer.run_fn"),
    )
    assert transform != trainer
    assert transform == subject.code_version("transforms.preprocessing")
