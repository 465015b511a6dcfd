"""Cases from which the planner's weights are learnt: what is mined, which lines count, what a plan shows."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import pytest

from scripts.fitting.cases import (
    Case,
    clean,
    given,
    later,
    lines_of,
    load,
    mine,
    mirror_of,
    save,
    text_of,
    touched,
    without_names,
)
from scripts.fitting.features import Inside, Opened, look_inside, see, snapshot
from scripts.fitting.packing import lines_shown
from tests.repositories import git

TOLD = "Pour more slowly when the pot is nearly full\n\nIt ran over whenever somebody poured without a look at the cup."


@pytest.fixture
def mirrors(tmp_path: Path) -> Path:
    """One repository with five commits, one of which is a case."""
    root = tmp_path / "work"
    root.mkdir()
    git(root, "init", "-q")
    (root / "pot.py").write_text("def pour(pot):\n    return pot\n\n\ndef warm(pot):\n    return pot\n")
    (root / "cup.py").write_text("def fill(cup):\n    return cup\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", TOLD + " (first)")
    (root / "pot.py").write_text("def pour(pot):\n    return pot.slowly\n\n\ndef warm(pot):\n    return pot\n")
    git(root, "commit", "-qam", TOLD + " (#12)\n\nSigned-off-by: A Person <a@example.invalid>")
    (root / "cup.py").write_text("def fill(cup):\n    return cup.full\n")
    git(root, "commit", "-qam", "Short")
    git(root, "commit", "-qm", TOLD.replace("Pour", "Revert pouring"), "--allow-empty")
    mirrors = tmp_path / "mirrors"
    mirror_of(mirrors, "tea/house").parent.mkdir(parents=True)
    git(tmp_path, "clone", "-q", "--bare", str(root), str(mirror_of(mirrors, "tea/house")))
    return mirrors


def test_a_case_is_a_commit_with_a_message_that_changes_existing_source(mirrors: Path, tmp_path: Path) -> None:
    [case] = mine(mirrors, "tea/house", 28)
    assert (case.group, case.language, case.gold) == ("mined", "python", ("pot.py",))
    assert text_of(mirrors, case) == TOLD
    assert lines_of(mirrors, case) == {"pot.py": {1, 2}}
    save([case], tmp_path / "cases.json")
    assert load(tmp_path / "cases.json") == [case]


def test_signals_are_computed_on_the_tree_before_the_change(mirrors: Path, tmp_path: Path) -> None:
    from ctxe.repo.planning.mix import fitted

    [case] = mine(mirrors, "tea/house", 28)
    snapshot([case], mirrors, tmp_path)
    [seen] = see([case], mirrors, tmp_path, fitted())
    assert set(seen.paths) == {"pot.py", "cup.py"}
    assert seen.said["title_file"][seen.paths.index("pot.py")] > 0.0
    assert seen.said["called"] == [0.0, 0.0]
    [opened] = look_inside([case], mirrors, tmp_path, fitted())
    assert [(file.path, file.touched) for file in opened.files if sum(file.touched)] == [("pot.py", [2])]
    assert lines_shown([opened], fitted().units, 5.0, 0.25) == [100.0] * 4


def test_an_index_of_another_version_is_left_unchanged_until_it_is_rebuilt(mirrors: Path, tmp_path: Path) -> None:
    from ctxe.repo.planning.mix import fitted

    [case] = mine(mirrors, "tea/house", 28)
    snapshot([case], mirrors, tmp_path)
    [kept] = tmp_path.glob("*.db")
    with contextlib.closing(sqlite3.connect(kept)) as db:
        db.execute("PRAGMA user_version=1")
    before = kept.read_bytes()
    assert list(see([case], mirrors, tmp_path, fitted())) == []
    assert kept.read_bytes() == before
    snapshot([case], mirrors, tmp_path)
    assert [seen.case for seen in see([case], mirrors, tmp_path, fitted())] == [case]


def test_changes_soon_after_a_case_reuse_its_index(mirrors: Path, tmp_path: Path) -> None:
    from ctxe.repo.planning.mix import fitted

    [case] = mine(mirrors, "tea/house", 28)
    root = tmp_path / "work"
    (root / "cup.py").write_text("def fill(cup):\n    return cup.brim\n")
    (root / "lid.py").write_text("def close(lid):\n    return lid\n")
    git(root, "add", ".")
    git(root, "commit", "-qm", TOLD.replace("Pour", "Fill"))
    (root / "lid.py").write_text("def close(lid):\n    return lid.shut\n")
    git(root, "commit", "-qam", TOLD.replace("Pour", "Close"))
    git(root, "push", "-q", str(mirror_of(mirrors, "tea/house")), "HEAD")
    found = later(mirrors, "tea/house", [case])
    assert [(one.near, one.gold) for one in found] == [(case.id, ("cup.py",)), (case.id, ("lid.py",))]
    assert later(mirrors, "tea/house", [case, *found]) == []
    snapshot([case], mirrors, tmp_path)
    assert [seen.case for seen in see(found, mirrors, tmp_path, fitted())] == found[:1]  # no lid.py in that tree yet


def test_lines_of_a_patch_with_and_without_context() -> None:
    bare = "--- a/x.py\n+++ b/x.py\n@@ -3 +3 @@\n-old\n+new\n@@ -9,0 +10,2 @@\n+one\n+two\n"
    assert touched(bare) == {"x.py": {1, 3, 9}}
    wide = "diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,4 +1,4 @@\n one\n two\n-old\n+new\n four\n"
    assert touched(wide) == {"x.py": {1, 3}}
    assert touched("--- /dev/null\n+++ b/new.py\n@@ -0,0 +1 @@\n+one\n") == {}


def test_the_hard_text_of_a_case_names_no_changed_file() -> None:
    text = "In src/tea/pot.py:12 and `tea.pot`, see pot.py. But spot.py and teapot stay."
    assert without_names(text, ["src/tea/pot.py"]) == "In  and  see  But spot.py and teapot stay."


def test_commit_messages_lose_trailers_and_references() -> None:
    assert (
        clean("Fix it (#12)\n\nSee https://example.org/x for more\nFixes: #3\nCo-authored-by: B")
        == "Fix it\n\nSee  for more"
    )


def test_cases_of_a_benchmark_are_read(tmp_path: Path) -> None:
    shared = '"repo": "a/b", "lang": "go", "base": "f00", "gold": ["x.go"]'
    commit, issue = '"text": {"from": "commit", "sha": "abc"}', '"text": {"from": "lite", "value": "i-1"}'
    (tmp_path / "cases.json").write_text(
        f'{{"cases": [{{"id": "c", {shared}, {commit}}}, {{"id": "i", {shared}, {issue}}}]}}'
    )
    (tmp_path / "lite_dev.jsonl").write_text(
        '{"instance_id": "i-1", "problem_statement": "It fails", "patch": "--- a/x.go"}\n'
    )
    assert given(tmp_path) == [
        Case("c", "commit", "a/b", "go", "f00", ("x.go",), "abc"),
        Case("i", "issue", "a/b", "go", "f00", ("x.go",), "", "It fails", "--- a/x.go"),
    ]


def test_more_room_shows_more_of_a_change() -> None:
    blocks = [(n, 100 * n + 1, 100 * n + 100, 3000) for n in range(5)]
    units = [{"prose_here": 1.0 - n / 5} for n in range(5)]
    case = Case("c", "mined", "a/b", "go", "f00", ("x.go",))
    opened = Opened(case, [Inside("x.go", 1.0, units, [0, 1, 0, 1, 0], blocks)], {"x.go": {150, 350}})
    assert lines_shown([opened], {"prose_here": 1.0}, 5.0, 0.25) == [0.0, 50.0, 100.0, 100.0]
