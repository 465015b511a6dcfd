"""Questions about the project as a whole: how they are recognised, which pages answer them, and what is shown."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.overview import about, pages
from ctxe.repo.planning.steering import Steering
from ctxe.storage.vocabulary import count
from tests.unit.repo.planned import plan


@pytest.mark.parametrize(
    ("task", "kind"),
    [
        ("what is this repository?", "whole"),
        ("Explain this project to me, please.", "whole"),
        ("give me an overview of the architecture", "whole"),
        ("what does this codebase do and how is it structured?", "whole"),
        ("how do I run the tests?", "use"),
        ("How can I build this locally?", "use"),
        ("how is the parser of this project tested", ""),
        ("run the tests", ""),
        ("explain this", ""),
        ("repository is not closed after an error", ""),
        ("how do I run test_parser?", ""),
        ("thanks", ""),
        ("", ""),
    ],
)
def test_an_overview_question_names_nothing_but_the_project(task: str, kind: str) -> None:
    assert about(task) == kind


def test_overview_pages_come_best_first_from_their_usual_places() -> None:
    paths = [
        "pyproject.toml", "docs/index.rst", "README.md", "README.zh.md", "src/README.md", "docs/architecture.md",
        ".github/CONTRIBUTING.md", "Makefile", "src/pyproject.toml",
    ]  # fmt: skip
    assert pages(paths, "what is this project?") == (
        "README.md", "docs/architecture.md", "docs/index.rst", "pyproject.toml",
    )  # fmt: skip
    assert pages(paths, "how do I run the tests?") == (
        "README.md", ".github/CONTRIBUTING.md", "Makefile", "pyproject.toml",
    )  # fmt: skip
    assert pages(paths, "why do the tests of the parser hang?") == ()


@pytest.fixture
def index(tmp_path: Path) -> Index:
    files = {
        "README.md": "# Teapot\n\nPours tea.\n" + "More about tea and its making.\n" * 300,
        "setup.cfg": "[metadata]\nname = teapot\n",
        "repository.py": "class Repository:\n    def explain(self, project):\n        return project\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "Begin the repository"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True, capture_output=True)
    found = Index(tmp_path, Git(tmp_path, os.environ), tmp_path / ".ctxe/index.db", 1)
    found.refresh()
    return found


@pytest.mark.parametrize("budget", [600, 1_500, 8_000])
def test_an_overview_plan_begins_with_these_pages_and_keeps_its_budget(index: Index, budget: int) -> None:
    made = plan(index, "explain this repository", budget)
    assert [file.path for file in made.files[:2]] == ["README.md", "setup.cfg"]
    assert made.files[0].why == "it is about the project as a whole"
    assert made.files[0].text.startswith('<file path="README.md"')
    assert "# Teapot\n\nPours tea." in made.files[0].text
    assert made.files[0].mode == ("full" if budget == 8_000 else "region")
    assert all(count(file.text) <= file.tokens for file in made.files)
    assert made.tokens <= budget
    assert max(file.score for file in made.files[2:]) < 0.6 * made.files[0].score


def test_a_file_the_user_dropped_is_not_planned_as_an_overview(index: Index) -> None:
    made = plan(index, "explain this repository", 8_000, Steering(dropped=("README.md",)))
    assert "README.md" not in [file.path for file in made.files]


def test_an_overview_page_too_large_to_read_shows_its_beginning(index: Index) -> None:
    (index.root / "README.md").write_text("# Teapot\n\nPours té.\n" + "Tout sur le thé et sa préparation.\n" * 60_000)
    index.refresh()
    first = plan(index, "explain this repository", 8_000).files[0]
    assert (first.path, first.mode) == ("README.md", "region")
    assert "# Teapot\n\nPours té.\nTout sur le thé" in first.text
