"""Which project a folder belongs to: the nearest one around it, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.project.place import find, person
from tests.repositories import git


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for folder in (".ctxe", "code/.ctxe/sessions", "code/tool/src", "notes"):
        (tmp_path / folder).mkdir(parents=True)
    return tmp_path


def root(home: Path, folder: str, user: int) -> str:
    return str(find(home / folder, home / ".config", home / ".cache", home, user).root.relative_to(home))


@pytest.mark.parametrize(
    ("folder", "own", "others"),
    [
        ("code/tool/src", "code", "code/tool/src"),
        ("code", "code", "code"),
        ("notes", "notes", "notes"),
        (".", ".", "."),
    ],
)
def test_the_nearest_memory_folder_marks_the_project_unless_it_is_the_home_folders(
    home: Path, folder: str, own: str, others: str
) -> None:
    assert (root(home, folder, person()), root(home, folder, person() + 1)) == (own, others)


def test_a_home_repository_is_the_project_only_of_folders_with_tracked_files(home: Path) -> None:
    (home / ".config/editor").mkdir(parents=True)
    (home / ".config/editor/init").write_text("set number\n")
    (home / ".gitignore").write_text("*\n")
    git(home, "init", "-q")
    git(home, "add", "-f", ".config/editor/init")
    folders = ("notes", "code/tool", ".config/editor", ".config", ".")
    assert [root(home, folder, person()) for folder in folders] == ["notes", "code", ".", ".", "."]
    git(home / "notes", "init", "-q")
    assert root(home, "notes", person()) == "notes"
