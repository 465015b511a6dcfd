"""Odd tasks and odd trees: a sensible plan or none, never an error, never above the cap, never a removed file."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sqlite3
import time
from pathlib import Path

import pytest

from ctxe.domain.errors import StoreError
from ctxe.repo.git import Git
from ctxe.repo.indexing import database
from ctxe.repo.indexing.index import Index
from ctxe.repo.indexing.repair import REBUILT, ask_with_repair, refresh_with_repair
from ctxe.repo.planning.planner import Plan
from ctxe.storage.vectors import Vectors, key_of
from tests.repositories import git, repository
from tests.unit.repo.planned import plan

FILES = {
    "tea/pot.py": "def pour(pot):\n    return pot.tea\n",
    "tea/strain_leaves.py": "def strain_leaves(leaves):\n    return [leaf for leaf in leaves if leaf.small]\n",
    "docs/kanne.md": "# Die Kanne\n\nDie Kanne tropft beim Gießen.\n",
    "src/заварник.py": "def налить(чашка):\n    return чашка\n",
}
LOG = "".join(
    f"2026-11-21T17:{n % 60:02}:00.{n:06} INFO worker-{n % 7} handled request {n * 7919:x} in {n % 97} ms\n"
    for n in range(26_000)
)


def planted(root: Path, files: dict[str, str] = FILES) -> Path:
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return root


def committed(root: Path) -> Path:
    return repository(root, FILES, "Strain the leaves")


def indexed(root: Path) -> Index:
    index = Index(root, Git(root, os.environ), root.parent / "index.db", 1)
    index.refresh()
    return index


def first(made: Plan) -> str:
    return made.files[0].path if made.files else ""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return indexed(committed(tmp_path_factory.mktemp("odd") / "tree"))


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ("Die Kanne tropft, wenn man gießt", "docs/kanne.md"),
        ("Чашка: налить не работает", "src/заварник.py"),
        ("strain_leaves に小さい葉が残る", "tea/strain_leaves.py"),
        ("\x00\x1b[31m\ud800 strain_leaves \uffff", "tea/strain_leaves.py"),
        ("a" * 300_000 + " strain leaves", "tea/strain_leaves.py"),
        ("@@@ ((( [[[ ``` strain_leaves", "tea/strain_leaves.py"),
        ("xyzzy plugh", ""),
        ("the of and", ""),
        ("?!", ""),
    ],
)
def test_tasks_in_other_languages_or_without_words_are_planned(index: Index, task: str, path: str) -> None:
    assert first(plan(index, task, 3000)) == path


def test_a_long_pasted_log_neither_hides_the_title_nor_slows_the_plan(index: Index) -> None:
    assert len(LOG) > 1_700_000
    task = "strain_leaves lets large ones through\n\n" + LOG
    began = time.process_time()
    made = plan(index, task, 3000)
    assert first(made) == "tea/strain_leaves.py"
    assert time.process_time() - began < 3.0


def test_a_task_of_only_a_log_is_planned(index: Index) -> None:
    assert plan(index, LOG, 3000).tokens <= 3000


def test_a_tree_without_git_is_planned(tmp_path: Path) -> None:
    made = plan(indexed(planted(tmp_path / "tree")), "strain the leaves", 3000)
    assert first(made) == "tea/strain_leaves.py"


def test_a_shallow_clone_and_a_repository_without_commits_are_planned(tmp_path: Path) -> None:
    origin = committed(tmp_path / "origin")
    git(tmp_path, "clone", "-q", "--depth", "1", origin.as_uri(), "shallow")
    assert first(plan(indexed(tmp_path / "shallow"), "strain the leaves", 3000)) == "tea/strain_leaves.py"
    git(tmp_path, "init", "-q", "unborn/tree")
    planted(tmp_path / "unborn/tree")
    assert first(plan(indexed(tmp_path / "unborn/tree"), "strain the leaves", 3000)) == "tea/strain_leaves.py"


def test_an_empty_tree_gives_an_empty_plan(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    made = plan(indexed(tmp_path / "tree"), "strain the leaves", 3000)
    assert (made.files, made.left_out, made.tokens) == ((), (), 0)


def test_generated_huge_and_odd_files_do_not_push_others_out(tmp_path: Path) -> None:
    root = committed(tmp_path / "tree")
    (root / "bundle.min.js").write_text("function strain_leaves(){return 1};" * 40_000)
    (root / "one_line.py").write_text("strain_leaves = '" + "x" * 50_000_000 + "'\n")
    (root / "latin.py").write_bytes("def strain_leaves_later():\n    return 'Blätter'\n".encode("latin-1"))
    (root / "utf16.py").write_bytes("def strain_tea():\n    return 1\n".encode("utf-16"))
    (root / "loop").symlink_to(root)
    made = plan(indexed(root), "strain_leaves lets large leaves through", 3000)
    assert first(made) == "tea/strain_leaves.py"
    assert made.tokens <= 3000
    assert all(len(file.text) < 20_000 for file in made.files)


def test_a_deleted_file_is_not_shown_by_a_plan(tmp_path: Path) -> None:
    root = committed(tmp_path / "tree")
    index = indexed(root)
    (root / "tea/strain_leaves.py").unlink()
    made = plan(index, "strain the leaves", 3000)  # it went after the index was refreshed
    assert [file.text for file in made.files if "def strain_leaves" in file.text] == []
    index.refresh()
    assert "tea/strain_leaves.py" not in [file.path for file in plan(index, "strain the leaves", 3000).files]


def test_a_file_changed_since_indexing_is_shown_as_it_is_now(tmp_path: Path) -> None:
    root = committed(tmp_path / "tree")
    index = indexed(root)
    (root / "tea/strain_leaves.py").write_text("# rewritten\ndef strain_leaves(leaves):\n    return set(leaves)\n")
    [shown] = [file for file in plan(index, "strain the leaves", 3000).files if file.path == "tea/strain_leaves.py"]
    assert "return set(leaves)" in shown.text
    assert "leaf.small" not in shown.text


def test_circular_links_are_not_followed(tmp_path: Path) -> None:
    root = planted(tmp_path / "tree")
    (root / "tea/up").symlink_to("..")
    (root / "tea/self.py").symlink_to("self.py")
    (root / "dead.py").symlink_to("nowhere.py")
    index = indexed(root)
    assert sorted(index.files.by_path) == sorted(FILES)
    assert first(plan(index, "strain the leaves", 3000)) == "tea/strain_leaves.py"


def test_files_of_a_submodule_are_not_planned(tmp_path: Path) -> None:
    theirs = committed(tmp_path / "theirs")
    root = committed(tmp_path / "tree")
    git(root, "-c", "protocol.file.allow=always", "submodule", "-q", "add", theirs.as_uri(), "lib/theirs")
    git(root, "commit", "-qm", "Borrow their leaves")
    index = indexed(root)
    assert [path for path in index.files.by_path if path.startswith("lib/")] == []
    assert first(plan(index, "strain the leaves", 3000)) == "tea/strain_leaves.py"


def test_files_changed_during_indexing_are_corrected_by_the_next_refresh(tmp_path: Path) -> None:
    root = committed(tmp_path / "tree")
    for number in range(200):
        (root / f"m{number:03}.py").write_text(f"def name_{number}(): ...\n")
    index = Index(root, Git(root, os.environ), tmp_path / "index.db", 1)

    def meddle(done: int, _todo: int) -> None:
        if done < 100:
            (root / "m190.py").unlink(missing_ok=True)
            (root / "m191.py").write_text("def brew_oolong(): ...\n")

    index.refresh(meddle)
    assert all("name_190" not in file.text for file in plan(index, "name_190", 3000).files)
    index.refresh()
    assert "m190.py" not in index.files.by_path
    assert first(plan(index, "brew_oolong", 3000)) == "m191.py"


@pytest.mark.parametrize("how", ["block", "bytes", "zeros", "cut"])
def test_an_index_damaged_anywhere_is_rebuilt_and_gives_the_same_plan(tmp_path: Path, how: str) -> None:
    root = planted(tmp_path / "tree", FILES | {f"m{n}.py": f"def name_{n}():\n    return {n}\n" for n in range(60)})
    path = tmp_path / "index.db"
    index = indexed(root)
    index.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    task = "strain_leaves and name_7"
    wanted = [(file.path, file.text) for file in plan(index, task, 2000).files]
    index.close()
    whole, chance, mended = path.read_bytes(), random.Random(how), 0
    for _ in range(6):
        path.write_bytes(damaged(whole, how, chance))
        found = Index(root, Git(root, os.environ), path, 1)
        refresh_with_repair(found)
        made = ask_with_repair(found, lambda one: plan(one, task, 2000))
        assert [(file.path, file.text) for file in made.files] == wanted
        mended += made.note == REBUILT
        found.close()
    assert mended or how == "cut"  # a file that is cut short is noticed when it is opened


def test_an_error_that_survives_a_rebuild_does_not_rebuild_again(tmp_path: Path) -> None:
    index = indexed(planted(tmp_path / "tree"))
    asked = []

    def ask(one: Index) -> str:
        asked.append(one.note)
        if len(asked) < 6:
            raise KeyError(len(asked) > 3)
        return "told"

    for times in (2, 3):
        with pytest.raises(KeyError, match="False"):
            ask_with_repair(index, ask)
        assert len(asked) == times
    with pytest.raises(KeyError, match="True"):
        ask_with_repair(index, ask)
    assert (ask_with_repair(index, ask), len(asked)) == ("told", 6)
    assert asked == ["", REBUILT, REBUILT, REBUILT, REBUILT, REBUILT]


def damaged(data: bytes, how: str, chance: random.Random) -> bytes:
    found, start = bytearray(data), chance.randrange(4096, len(data) // 2)
    if how == "cut":
        return bytes(found[:start])
    if how == "bytes":
        for _ in range(3000):
            found[chance.randrange(4096, len(found))] = chance.randrange(256)
    else:
        found[start : start + 65536] = chance.randbytes(65536) if how == "block" else bytes(65536)
    return bytes(found[: len(data)])


def test_vectors_survive_a_rebuilt_index(tmp_path: Path) -> None:
    index = indexed(committed(tmp_path / "tree"))
    Vectors(index.db, "test/one", lambda texts: [[1.0] for _ in texts]).learn(["leaves"])
    index.renew()
    assert index.refresh().scanned == len(FILES)
    assert Vectors(index.db, "test/one", lambda texts: []).unknown([key_of("leaves")]) == set()


def test_a_rebuilt_index_is_closed_with_its_owner(tmp_path: Path) -> None:
    index = indexed(committed(tmp_path / "tree"))
    index.renew()
    db = index.db
    del index
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        db.execute("SELECT 1")


def test_an_unwritable_index_is_one_line_or_kept_in_memory(tmp_path: Path) -> None:
    root = committed(tmp_path / "tree")
    indexed(root).close()
    (root / "tea/steep.py").write_text("def steep_leaves(): ...\n")
    with contextlib.closing(database.connect(tmp_path / "index.db")) as held:
        held.execute("BEGIN IMMEDIATE")
        index = Index(root, Git(root, os.environ), tmp_path / "index.db", 1)
        index.db.execute("PRAGMA busy_timeout=50")
        with pytest.raises(StoreError, match=r"cannot use .*locked"):
            refresh_with_repair(index)
        held.execute("ROLLBACK")
    assert refresh_with_repair(index).scanned == 1
