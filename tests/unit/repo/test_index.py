"""The index follows the tree, survives damage and interruption, and is shared by sessions."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing import database
from ctxe.repo.indexing.history import TITLE
from ctxe.repo.indexing.index import Index, Refreshed
from ctxe.repo.indexing.repair import REBUILT, refresh_with_repair
from ctxe.repo.indexing.scan import DEFINED, NAMED, PATH, STEM
from ctxe.repo.indexing.worker_pool import WorkerPool
from tests.repositories import git

POT = "from .cup import fill\n\n\nclass Pot:\n    def pour(self):\n        return fill(self)\n"
CUP = "def fill(pot):\n    return pot\n"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "tea").mkdir(parents=True)
    (root / "tea" / "pot.py").write_text(POT)
    (root / "tea" / "cup.py").write_text(CUP)
    (root / "logo.png").write_bytes(b"\x89PNG\0")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "Pour the tea\n\nInto cups.")
    return root


def opened(tree: Path, name: str = "index.db", workers: int = 1) -> Index:
    return Index(tree, Git(tree, os.environ), tree.parent / name, workers)


def counted(done: Refreshed) -> tuple[int, int, int]:
    return done.scanned, done.removed, done.total


def having(index: Index, term: str) -> set[str]:
    heads, _ = index.postings([term]).get(term, ([], []))
    return {index.files[number].path for number in heads[::2]}


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


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_index_is_rebuilt(tree: Path, damage: bytes) -> None:
    (tree.parent / "index.db").write_bytes(damage)
    index = opened(tree)
    assert counted(index.refresh()) == (3, 0, 3)
    assert index.note == ""


def test_damage_in_the_middle_is_noticed_and_repaired(tree: Path) -> None:
    opened(tree).refresh()
    path = tree.parent / "index.db"
    data = bytearray(path.read_bytes())
    data[8192:40000] = b"\xee" * (min(len(data), 40000) - 8192)
    path.write_bytes(data)
    index = opened(tree)
    assert index.refresh().total == 3
    assert having(index, NAMED + "fill") == {"tea/cup.py"}


@pytest.mark.parametrize(
    "tear", ["UPDATE roster SET value = x'00' WHERE name = 'size'", "DELETE FROM roster WHERE name = 'mark'"]
)
def test_a_torn_list_of_files_is_noticed_and_repaired(tree: Path, tear: str) -> None:
    index = opened(tree)
    index.refresh()
    with index.db:
        assert index.db.execute(tear).rowcount == 1
    index.close()
    index = opened(tree)
    assert counted(refresh_with_repair(index)) == (3, 0, 3)
    assert (having(index, NAMED + "fill"), index.note) == ({"tea/cup.py"}, REBUILT)


def test_an_unwritable_folder_keeps_the_index_in_memory(tree: Path) -> None:
    blocker = tree.parent / "file"
    blocker.write_text("")
    index = Index(tree, Git(tree, os.environ), blocker / "index.db", 1)
    assert counted(index.refresh()) == (3, 0, 3)
    assert "kept in memory" in index.note


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_build_continues_where_it_stopped(tree: Path, stop: type[BaseException]) -> None:
    for number in range(400):
        (tree / f"m{number}.py").write_text(f"def name_{number}(): ...\n")

    def interrupt(done: int, _todo: int) -> None:
        raise stop

    index = opened(tree)
    index.segment_files = 100
    with pytest.raises(stop):
        index.refresh(interrupt)
    again = opened(tree)
    assert 0 < again.refresh().scanned < 403
    assert having(again, DEFINED + "name_399") == {"m399.py"}


def edges(index: Index) -> dict[str, set[str]]:
    """What each file imports."""
    ahead = {path: index.neighbours(number)[0] for path, number in index.files.by_path.items()}
    return {path: {index.files[other].path for other in found} for path, found in ahead.items() if found}


def test_imports_scanned_before_an_interruption_are_linked(tree: Path) -> None:
    for number in range(400):
        (tree / "tea" / f"m{number}.py").write_text(f"from .m{(number + 1) % 400} import name\n")

    def interrupt(done: int, todo: int) -> None:
        if done > todo // 2:
            raise KeyboardInterrupt

    index = opened(tree)
    with pytest.raises(KeyboardInterrupt):
        index.refresh(interrupt)
    again, fresh = opened(tree), opened(tree, "other.db")
    assert again.refresh().scanned < 400
    fresh.refresh()
    assert edges(again) == edges(fresh)
    assert len(edges(again)) == 401


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


@pytest.mark.timeout(30)
def test_a_file_that_crashes_every_worker_is_an_error_and_does_not_hang(tree: Path) -> None:
    nameless: list[tuple[int, str]] = [(1, None)]  # type: ignore[list-item]
    staff = WorkerPool(tree, [[(2, "tea/pot.py")], nameless, [(3, "tea/cup.py")]], 10, 2)
    try:
        with pytest.raises(AttributeError):
            list(staff)
    finally:
        staff.stop()


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


def test_an_index_of_another_version_is_rebuilt(tree: Path) -> None:
    opened(tree).refresh()
    db = database.connect(tree.parent / "index.db")
    db.execute("PRAGMA user_version=999")
    db.close()
    assert counted(opened(tree).refresh()) == (3, 0, 3)


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


def test_the_size_of_the_index_includes_its_open_journal(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    taken = sum(file.stat().st_size for file in tree.parent.glob("index.db*") if not file.name.endswith("-shm"))
    assert index.status()["bytes"] == taken > 10_000
