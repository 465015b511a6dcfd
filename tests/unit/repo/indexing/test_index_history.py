"""The index reads the history of commits, and follows it when it is rewritten, merged or fetched."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ctxe.repo.git import Git
from ctxe.repo.indexing.history import TITLE
from ctxe.repo.indexing.index import Index
from tests.repositories import git
from tests.unit.repo.indexing.opened import counted, opened


def test_history_is_read_commit_by_commit(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    assert (len(index.history.commits), index.history.commits.paths) == (1, ["logo.png", "tea/cup.py", "tea/pot.py"])
    (tree / "tea" / "cup.py").write_text("x = 1\n")
    git(tree, "commit", "-qam", "Empty the cup")
    index.refresh()
    past = index.history.commits
    assert [past.paths[number] for number in past.files(1)] == ["tea/cup.py"]
    wanted = ["empti", "tea", "cup", TITLE + "tea", TITLE + "cup", "brew"]
    assert {term: list(found) for term, found in index.history.messages(wanted).items()} == {
        TITLE + "tea": [0 << 8 | 1],
        TITLE + "cup": [1 << 8 | 1],
        "cup": [0 << 8 | 1],
    }


def test_a_rewritten_history_is_read_again(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    git(tree, "commit", "-q", "--amend", "-m", "Brew")
    index.refresh()
    assert len(index.history.commits) == 1


def test_only_the_rewritten_part_of_the_history_is_read_again(tree: Path) -> None:
    for name in ("Fill the cup", "Brew the tea"):
        git(tree, "commit", "-q", "--allow-empty", "-m", name)
    index = opened(tree)
    index.refresh()
    # what nobody but the index knows tells whether it was kept or read anew
    index.db.execute("UPDATE messages SET term='kept' WHERE term=?", (TITLE + "pour",))
    git(tree, "commit", "-q", "--amend", "--allow-empty", "-m", "Spill the tea")
    (tree / "tea" / "cup.py").write_text("x = 1\n")
    git(tree, "commit", "-qam", "Wipe the cup")
    index.refresh()
    wanted = ["kept", TITLE + "pour", TITLE + "brew", TITLE + "spill", TITLE + "wipe"]
    found = {term: [number >> 8 for number in some] for term, some in index.history.messages(wanted).items()}
    assert found == {"kept": [0], TITLE + "spill": [2], TITLE + "wipe": [3]}
    past = index.history.commits
    assert (len(past), len(past.when), [past.paths[number] for number in past.files(3)]) == (4, 4, ["tea/cup.py"])


def test_merged_older_commits_are_ordered_as_in_a_new_index(tree: Path) -> None:
    def at(when: int, *args: str) -> None:
        dated = {**os.environ, "GIT_COMMITTER_DATE": f"@{when} +0000", "GIT_AUTHOR_DATE": f"@{when} +0000"}
        subprocess.run(["git", "-C", str(tree), *args], check=True, capture_output=True, env=dated)

    def commit(when: int, name: str) -> None:
        (tree / name).write_text(f"# {name}\n")
        git(tree, "add", name)
        at(when, "commit", "-qm", f"Add {name}")

    at(1_000, "commit", "-q", "--amend", "--no-edit")
    git(tree, "branch", "-M", "main")
    git(tree, "checkout", "-qb", "other")
    commit(2_000, "a.py")
    commit(4_000, "b.py")
    git(tree, "checkout", "-q", "main")
    commit(1_500, "c.py")
    commit(3_000, "d.py")
    commit(5_000, "e.py")
    index = opened(tree)
    index.refresh()
    at(6_000, "merge", "-q", "--no-ff", "other")
    commit(7_000, "f.py")
    index.refresh()
    fresh = opened(tree, "fresh.db")
    fresh.refresh()
    past, anew = index.history.commits, fresh.history.commits
    assert list(past.when) == list(anew.when) == [1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 7_000]
    assert [past.paths[past.files(n)[0]] for n in range(2, 7)] == ["a.py", "d.py", "b.py", "e.py", "f.py"]
    words = ["add", TITLE + "d", "py"]
    assert {w: list(f) for w, f in index.history.messages(words).items()} == {
        w: list(f) for w, f in fresh.history.messages(words).items()
    }


def test_switching_branches_gives_each_its_own_history(tree: Path) -> None:
    git(tree, "checkout", "-qb", "green")
    git(tree, "commit", "-q", "--allow-empty", "-m", "Try green tea")
    index = opened(tree)
    index.refresh()
    for branch, number in (("-", None), ("green", 1)):
        git(tree, "checkout", "-q", branch)
        index.refresh()
        found = index.history.messages([TITLE + "green"]).get(TITLE + "green")
        assert (found[0] >> 8 if found else None) == number
        assert len(index.history.commits) == 1 + (number or 0)


def test_history_fetched_into_a_shallow_clone_is_read(tree: Path) -> None:
    for name in ("Fill the cup", "Brew the tea"):
        git(tree, "commit", "-q", "--allow-empty", "-m", name)
    near = tree.parent / "near"
    git(tree.parent, "clone", "-q", "--depth=1", tree.as_uri(), str(near))
    index = Index(near, Git(near, os.environ), tree.parent / "near.db", 1)
    index.refresh()
    assert len(index.history.commits) == 1
    git(near, "fetch", "-q", "--unshallow")
    index.refresh()
    assert len(index.history.commits) == 3


def test_a_tree_without_commits_has_no_history(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.py").write_text("x = 1\n")
    index = opened(tmp_path / "tree")
    assert counted(index.refresh()) == (1, 0, 1)
    assert len(index.history.commits) == 0
