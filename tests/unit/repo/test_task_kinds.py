"""Tasks that ask for documents, tests or settings get these first, all others get source files."""

from __future__ import annotations

import os
import subprocess

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.mix import fitted
from ctxe.repo.planning.task_kinds import KIND_SHARE, kind_shares, words
from tests.unit.repo.planned import plan

FILES = {
    "lantern/wick.py": "def trim(wick):\n    '''Trim the wick of a lantern, nightly.'''\n    return wick[1:]\n",
    "lantern/release.py": "def release(wick):\n    '''Publish a nightly wick, each release.'''\n    return wick\n",
    "tests/test_wick.py": "from lantern.wick import trim\n\n\ndef test_trim():\n    assert trim('wick') == 'ick'\n",
    **{f"examples/{name}/README.md": f"# Lantern {name}\n\nTrim the wick of {name}.\n" for name in "abcdefg"},
    "README.md": "# Lanterns\n\nEach has a wick.\n",
    "docs/wick.md": "# The wick\n\nTrim the wick of your lantern every evening.\n",
    "CHANGELOG.md": "# Changelog\n\n## 1.2\n\n- The wick burns longer.\n",
    "deploy/Dockerfile": "FROM scratch\nCOPY lantern /lantern\n",
    "lantern/docker.py": "def image(file):\n    '''Build the image of a lantern with docker.'''\n    return file\n",
    ".github/workflows/nightly.yml": "name: nightly\non:\n  schedule: []\njobs:\n  publish:\n    steps: []\n",
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    root = tmp_path_factory.mktemp("tree")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    found = Index(root, Git(root, os.environ), root.parent / f"{root.name}.db", 1)
    found.refresh()
    return found


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("trim the wick shorter", "lantern/wick.py"),
        ("the nightly release publishes the wrong wick", "lantern/release.py"),
        ("update the changelog for 1.3", "CHANGELOG.md"),
        ("docs: say how to trim the wick", "docs/wick.md"),
        ("Document how the wick is trimmed in the user guide", "docs/wick.md"),
        ("add tests for trim", "tests/test_wick.py"),
        ("README.md says too little of the wick", "README.md"),
        ("the wick in examples/c/README.md is trimmed twice", "examples/c/README.md"),
        ("the dockerfile copies too much of the lantern", "deploy/Dockerfile"),
        ("fix the GitHub workflow of the nightly publish job", ".github/workflows/nightly.yml"),
    ],
)
def test_files_of_the_requested_kind_come_first(index: Index, task: str, path: str) -> None:
    assert plan(index, task, 4000).files[0].path == path


def test_a_file_named_without_its_suffix_is_shown_as_named(index: Index) -> None:
    assert "named in the task: dockerfile" in plan(index, "fix the dockerfile", 4000).files[0].why


def test_learnt_words_change_the_kind_shares_and_no_words_change_nothing() -> None:
    odds = {"doc": {"": -4.0, "manual": 6.0, "parse": -2.0}}
    none, some, both = (kind_shares(title, odds)["doc"] for title in ("turn it", "Manual", "parse the manual"))
    assert KIND_SHARE["doc"] < none < 0.38
    assert none < both < some
    assert some == pytest.approx(0.35 + 1.65 / (1 + 2.718281828 ** (1.2 - 2.0)))
    assert kind_shares("manual", {}) == KIND_SHARE
    assert words("docs(cli): .github/ci.yml, Größe x") == {"docs:", "docs", "cli", "github", "ci", "yml", "gr"}


def test_the_shipped_weights_know_the_obvious_words() -> None:
    odds = fitted().kinds
    assert set(odds) == {"doc", "test", "config"}
    for kind, word in (("doc", "changelog"), ("doc", "readme"), ("test", "tests"), ("config", "workflow")):
        assert odds[kind][word] == max(odds[other].get(word, 0.0) for other in odds) > 1.0
