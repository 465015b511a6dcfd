"""The index follows the tree, answers what is there, and is shared by sessions."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from ctxe.repo.indexing.scan import DEFINED, NAMED, PATH, STEM
from tests.unit.repo.indexing.opened import CUP, counted, edges, having, opened


def test_after_the_first_build_only_changed_files_are_read(tree: Path) -> None:
    index = opened(tree)
    assert counted(index.refresh()) == (3, 0, 3)
    assert counted(index.refresh()) == (0, 0, 3)
    (tree / "tea" / "cup.py").write_text("def empty(pot):\n    return pot\n")
    assert counted(index.refresh()) == (1, 0, 3)
    assert (having(index, DEFINED + "fill"), having(index, DEFINED + "empty")) == (set(), {"tea/cup.py"})
    assert counted(opened(tree).refresh()) == (0, 0, 3)


def test_the_index_answers_terms_paths_and_definitions_of_each_file(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    assert having(index, "pour") == {"tea/pot.py"}
    assert having(index, "pot") == {"tea/pot.py", "tea/cup.py"}
    assert having(index, PATH + "tea") == {"tea/pot.py", "tea/cup.py"}
    assert having(index, NAMED + "fill") == {"tea/cup.py"}
    assert having(index, STEM + "logo") == {"logo.png"}
    assert having(index, DEFINED + "pot") == {"tea/pot.py"}
    pot = index.files[index.files.by_path["tea/pot.py"]]
    assert (pot.kind, pot.language, pot.lines) == ("source", "python", 7)
    details = index.details([pot.id])[pot.id]
    assert [found.title for found in details.definitions] == ["Pot", "Pot.pour"]

    assert (len(details.line_tokens), index.count_exactly(), len(index.details([pot.id])[pot.id].line_tokens)) == (
        0,
        2,
        7,
    )


def test_imports_are_linked_to_files_added_later(tree: Path) -> None:
    (tree / "tea" / "cup.py").unlink()
    index = opened(tree)
    index.refresh()
    pot = index.files.by_path["tea/pot.py"]
    assert index.neighbours(pot) == ([], [])
    (tree / "tea" / "cup.py").write_text(CUP)
    index.refresh()
    cup = index.files.by_path["tea/cup.py"]
    assert (index.neighbours(pot), index.neighbours(cup)) == (([cup], []), ([], [pot]))


def test_a_deleted_file_is_forgotten_and_found_again(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    (tree / "tea" / "cup.py").unlink()
    assert counted(index.refresh()) == (0, 1, 2)
    assert having(index, NAMED + "fill") == set()
    (tree / "tea" / "cup.py").write_text(CUP)
    assert counted(index.refresh()) == (1, 0, 3)
    pot, cup = index.files.by_path["tea/pot.py"], index.files.by_path["tea/cup.py"]
    assert index.neighbours(pot) == ([cup], [])


def test_a_touched_but_unchanged_file_is_not_scanned(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    os.utime(tree / "tea" / "cup.py", (1, 1))
    assert counted(index.refresh()) == (0, 0, 3)
    assert index.files[index.files.by_path["tea/cup.py"]].mtime == 1_000_000_000


def test_a_change_within_the_same_tick_is_seen(tree: Path) -> None:
    index = opened(tree)
    path = tree / "tea" / "cup.py"
    tick = time.time_ns() + 10_000_000_000  # however long a busy machine takes until it looks
    path.write_text(CUP)
    os.utime(path, ns=(tick, tick))
    index.refresh()
    path.write_text(CUP.replace("fill", "pull"))
    os.utime(path, ns=(tick, tick))
    assert counted(index.refresh()) == (1, 0, 3)
    assert having(index, NAMED + "pull") == {"tea/cup.py"}


@pytest.mark.parametrize(
    ("importer", "text", "before", "come", "after"),
    [
        ("a/use.py", "import cup\n", "lib/cup.py", "a/cup.py", "lib/cup.py"),
        ("a/use.py", "import tin\n", "a/tin.py", "tin.py", "tin.py"),
        ("a/use.py", "from b.pot import lid\n", "b/pot.py", "b/pot/lid.py", "b/pot/lid.py"),
        ("a/use.py", "import tin\n", "", "tin/__init__.py", "tin/__init__.py"),
        ("a/use.ts", "import x from './tin'\n", "", "a/tin/index.ts", "a/tin/index.ts"),
        ("a/use.go", 'package a\nimport "example.com/m/b"\n', "b/one.go", "b/two.go", "b/one.go b/two.go"),
        ("a/use.c", '#include "tin.h"\n', "b/tin.h", "a/tin.h", "a/tin.h"),
    ],
)
def test_a_file_added_or_removed_relinks_imports(
    tree: Path, importer: str, text: str, before: str, come: str, after: str
) -> None:
    for path, words in ((importer, text), (before, "\n"), ("pad.py", "x = 1\n")):
        if path:
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text(words)
    index = opened(tree)
    index.refresh()
    meant = set(filter(None, [before]))
    assert edges(index).get(importer, set()) == meant
    (tree / come).parent.mkdir(parents=True, exist_ok=True)
    (tree / come).write_text("")
    index.refresh()
    assert edges(index).get(importer, set()) == set(after.split())
    (tree / come).unlink()
    index.refresh()
    assert edges(index).get(importer, set()) == meant


def test_an_empty_file_that_became_binary_is_data(tree: Path) -> None:
    (tree / "tea" / "cup.py").write_text("")
    index = opened(tree)
    index.refresh()
    (tree / "tea" / "cup.py").write_bytes(b"\0\1" * 9)
    index.refresh()
    assert index.files[index.files.by_path["tea/cup.py"]].kind == "data"


def test_several_workers_and_one_process_build_the_same_index(tree: Path) -> None:
    for number in range(200):
        (tree / f"m{number}.py").write_text(f"def name_{number}():\n    return other_{number % 7}\n")
    alone, staffed = opened(tree, "one.db"), opened(tree, "two.db", workers=2)
    assert counted(alone.refresh()) == counted(staffed.refresh()) == (203, 0, 203)
    for term in ("other_3", NAMED + "name", DEFINED + "name_150"):
        assert having(alone, term) == having(staffed, term)


def test_two_sessions_may_build_at_once(tree: Path) -> None:
    for number in range(60):
        (tree / f"m{number}.py").write_text(f"def name_{number}(): ...\n")
    totals: list[int] = []

    def build() -> None:
        index = opened(tree)
        totals.append(index.refresh().total)
        index.close()

    threads = [threading.Thread(target=build) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [63] * 4
    index = opened(tree)
    assert counted(index.refresh()) == (0, 0, 63)
    assert having(index, DEFINED + "name_59") == {"m59.py"}


def test_many_small_updates_are_merged(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    for number in range(40):
        (tree / "tea" / "cup.py").write_text(f"def fill_{number}(): ...\n")
        index.refresh()
    [(segments,)] = index.db.execute("SELECT count(*) FROM segments").fetchall()
    assert segments < 30
    assert having(index, DEFINED + "fill_39") == {"tea/cup.py"}
    assert having(index, DEFINED + "fill_38") == set()
    assert having(index, NAMED + "pour") == {"tea/pot.py"}


def test_a_file_removed_while_it_is_read_is_no_error(tree: Path) -> None:
    index = opened(tree)
    (tree / "tea" / "cup.py").chmod(0)
    assert index.refresh().total == 3


def test_the_size_of_the_index_includes_its_open_journal(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    taken = sum(file.stat().st_size for file in tree.parent.glob("index.db*") if not file.name.endswith("-shm"))
    assert index.status()["bytes"] == taken > 10_000
