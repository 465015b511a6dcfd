"""The index stays correct while others use it, files change under it, and commits touch everything."""

from __future__ import annotations

import multiprocessing
import os
import random
from pathlib import Path

import pytest

from ctxe.repo.git import Git
from ctxe.repo.indexing.index import Index
from ctxe.repo.planning.planner import plan
from tests.repositories import git, repository


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    files = {f"{name}.py": f"def {name}():\n    return 1\n" for name in ("cup", "pot")}
    return repository(tmp_path / "tree", files, "Pour the tea")


def opened(tree: Path) -> Index:
    return Index(tree, Git(tree, os.environ), tree.parent / "index.db", 1)


def test_files_indexed_by_another_session_are_not_read_again(tree: Path) -> None:
    one, other = opened(tree), opened(tree)
    scanned: list[int] = []
    done = one.refresh(lambda *_: scanned.append(other.refresh().scanned))
    assert (scanned, done.scanned, done.total) == ([2], 0, 2)
    assert [file._replace(scanned=0) for file in one.files.values()] == [
        file._replace(scanned=0) for file in other.files.values()
    ]


def test_a_plan_reads_one_snapshot_while_another_session_writes(tree: Path) -> None:
    one, other = opened(tree), opened(tree)
    one.refresh()
    held = one.files.by_path.copy()
    (tree / "pot.py").unlink()
    for number in range(30):
        (tree / f"lid{number}.py").write_text(f"import cup\n\n\ndef lid():\n    return cup.pour({number})\n")
        (tree / "cup.py").write_text(f"import lid{number}\n\n\ndef pour(lid):\n    return {number}\n")
        other.refresh()
    assert one.files.by_path == held
    plans = [plan(index, "pour the cup with its lid", 4_000)[0] for index in (one, other)]
    assert plans[0].files == plans[1].files
    assert len(plans[0].files) > 10
    with one.consistent():
        before = one.postings(["pour"])
        (tree / "cup.py").write_text("def pour(lid):\n    return lid(pour)\n")
        other.refresh()
        assert one.postings(["pour"]) == before
    with one.consistent():
        assert one.postings(["pour"]) == other.postings(["pour"])


def test_lines_of_a_file_changed_since_indexing_are_not_counted(tree: Path) -> None:
    index = opened(tree)
    index.refresh()
    (tree / "cup.py").write_text("def cup():\n    return 'something longer'\n")
    assert index.count_exactly() == 1
    counted = {index.files[number].path: bool(inside.line_tokens) for number, inside in index.details([1, 2]).items()}
    assert counted == {"cup.py": False, "pot.py": True}


def test_a_sweeping_commit_does_not_relate_its_files(tree: Path) -> None:
    for number in range(41):
        (tree / f"m{number}.py").write_text(f"def name_{number}(): ...\n")
    git(tree, "add", ".")
    git(tree, "commit", "-qm", "Reformat everything")
    index = opened(tree)
    index.refresh()
    assert [len(index.history.changed_in(commit)) for commit in range(len(index.history.commits))] == [2, 0]
    assert index.history.messages(["reformat"]) == {}


def work(tree: Path, seed: int) -> None:
    """A session that changes files and plans, again and again."""
    chance, index = random.Random(seed), opened(tree)
    for _ in range(60):
        for _ in range(3):
            one, other = chance.randrange(30), chance.randrange(30)
            if chance.random() < 0.3:
                (tree / f"m{one}.py").unlink(missing_ok=True)
            else:
                (tree / f"m{one}.py").write_text(f"from m{other} import f\n\n\ndef f(x):\n    return x + {other}\n")
        index.refresh()
        assert plan(index, f"mend f in m{one}.py", 2_000)[0].tokens <= 2_000
    index.close()


def test_concurrent_sessions_leave_the_index_that_one_alone_would(tree: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    sessions = [spawn.Process(target=work, args=(tree, seed)) for seed in range(3)]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join(60)
    assert [session.exitcode for session in sessions] == [0, 0, 0]
    shared, fresh = opened(tree), Index(tree, Git(tree, os.environ), None, 1)
    imports = []
    for index in (shared, fresh):
        index.refresh()
        found = {path: index.neighbours(number) for path, number in index.files.by_path.items()}
        imports.append({p: [{index.files[n].path for n in side} for side in sides] for p, sides in found.items()})
    assert imports[0] == imports[1]
