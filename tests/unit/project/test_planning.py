"""The plan of a session: no request waits for a long index."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.section import Priority, Section, Task
from ctxe.project import Project
from ctxe.project.allowance import Allowance
from ctxe.project.memory.writer import memory_writer
from ctxe.project.window.kit import kit_for
from ctxe.project.window.plan_source import BUILDING, MOST, SHORT, PlanSource, steering_of
from ctxe.repo.planning.steering import Steering
from ctxe.storage.vocabulary import count
from ctxe.terminal.transcript import gathered_lines

ASKED = Task("why does the teapot pour twice")


def planning(root: Path, patience: float) -> PlanSource:
    (root / "tea").mkdir()
    (root / "tea" / "teapot.py").write_text("class Teapot:\n    def pour(self):\n        return 2\n")
    (root / "tea" / "cup.py").write_text("class Cup:\n    size = 1\n")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    project = Project.open(root, {"HOME": str(root.parent)})
    kit = kit_for(project, memory_writer(project, "x"))
    return PlanSource(project, tuple, kit.files, kit.allowance, patience)


def paths(offered: object) -> list[str]:
    assert isinstance(offered, list)
    return [chunk.path for section in offered for chunk in section.chunks]


def test_a_request_is_sent_without_a_plan_while_the_index_is_built(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=0.0)
    assert source.offer(ASKED, 8_000) == (Section("files", Priority.INJECTED, (), "task", "files", (BUILDING,)),)
    limit = time.monotonic() + 20
    while isinstance(offered := source.offer(ASKED, 8_000), tuple) and time.monotonic() < limit:
        time.sleep(0.05)
    assert paths(offered) == ["tea/teapot.py"]


def test_progress_of_the_first_index_is_reported(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=0.0)
    for number in range(2_000):
        (tmp_path / "tea" / f"leaf{number}.py").write_text("def steep(water):\n    return water\n" * 20)
    assert source.progress() == ""
    source.offer(ASKED, 8_000)
    told, limit = set[str](), time.monotonic() + 60
    while isinstance(source.offer(ASKED, 8_000), tuple) and time.monotonic() < limit:
        told.add(source.progress())
        time.sleep(0.02)
    assert any(re.fullmatch(r"indexing <?\d+% of 2,002 files", one) for one in told), told
    assert source.progress() == ""


def test_a_note_beside_the_message_says_that_the_index_is_being_built(tmp_path: Path) -> None:
    built = gathered_lines(planning(tmp_path, patience=0.0).offer(ASKED, 8_000), unicode=True)
    assert [text for row in built for text, _ in row] == [f"gathered for this: no files, {BUILDING.why}"]
    assert gathered_lines((Section("files", Priority.INJECTED, (), "task", "files", (SHORT,)),), unicode=True) == []


def test_files_changed_while_the_index_was_built_are_planned_in_their_new_form(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=0.0)
    source.offer(ASKED, 8_000)
    limit = time.monotonic() + 20
    while not source._background.is_built(0.0) and time.monotonic() < limit:
        time.sleep(0.05)
    (tmp_path / "tea" / "teapot.py").unlink()
    (tmp_path / "tea" / "kettle.py").write_text(
        "class Kettle:\n    def pour(self, teapot):\n        return twice(teapot)\n"
    )
    assert paths(source.offer(ASKED, 8_000)) == ["tea/kettle.py"]


def test_a_request_waits_for_the_index_of_a_small_tree(tmp_path: Path) -> None:
    assert paths(planning(tmp_path, patience=30.0).offer(ASKED, 8_000)) == ["tea/teapot.py"]


def test_only_a_few_of_many_equally_ranked_files_are_sent(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    for number in range(9):
        (tmp_path / "tea" / f"pot{number}.py").write_text(f"def decant_{number}(wine):\n    return wine\n")
    (section,) = source.offer(Task("why does it decant the wine"), 8_000)
    assert len(section.chunks) == MOST
    assert sum(out.why == "is less relevant to the words" for out in section.left_out) == 9 - MOST


def test_a_follow_up_message_gets_a_smaller_plan(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    wine = "".join(
        f"def decant_{n}(wine):\n    return wine * {n}  # decant the wine {n} times\n\n\n" for n in range(900)
    )
    (tmp_path / "tea" / "pot.py").write_text(wine)
    asked = Task("why does it decant the wine")
    sizes = []
    for task in (asked, replace(asked, files=("tea/cup.py",))):
        (section,) = source.offer(task, 20_000)
        sizes.append(sum(count(chunk.text) for chunk in section.chunks))
    assert 4_000 < sizes[0] <= 8_000
    assert 2_000 < sizes[1] <= 4_000


def test_words_that_correct_the_work_before_them_bring_only_the_files_they_name(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    wrong = replace(ASKED, words=f"no, not like this: {ASKED.words}")
    assert paths(source.offer(wrong, 8_000)) == ["tea/teapot.py"]
    assert source.offer(replace(wrong, files=("tea/cup.py",)), 8_000)[0].chunks == ()
    named = replace(wrong, words=f"{wrong.words}, see tea/teapot.py", files=("tea/cup.py",))
    assert paths(source.offer(named, 8_000)) == ["tea/teapot.py"]
    assert source.offer(Task("what did we decide about the teapot that pours?"), 8_000)[0].chunks == ()


def test_a_file_already_in_the_window_is_not_planned_again(tmp_path: Path) -> None:
    first = planning(tmp_path, patience=30.0)
    [path] = paths(first.offer(ASKED, 8_000))
    files = first._files
    held = replace(files, workspace=replace(files.workspace, seen_digest={path: files.digest_of(path)}.get))
    [section] = PlanSource(Project.open(tmp_path, {}), tuple, held, Allowance(), 30.0).offer(ASKED, 8_000)
    assert section.chunks == ()
    assert [(out.id, out.why) for out in section.left_out][:1] == [(path, "was in the request already")]


def test_a_mentioned_file_is_planned_only_when_it_does_not_fit_whole(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    named = replace(ASKED, named=("tea/teapot.py",))
    assert paths(source.offer(named, 8_000)) == ["tea/teapot.py"]
    [section] = source.offer(replace(named, sent_whole=("tea/teapot.py",)), 8_000)
    assert (section.chunks, section.left_out[0].why) == ((), "was in the request already")


def test_dropped_files_are_not_planned_and_added_files_count_as_in_use() -> None:
    chosen = (("tea/cup.py", "drop"), ("tea/sieve.py", "add"), ("tea/leaf.py", "read-only"))
    task = Task("pour", files=("tea/pot.py", "tea/leaf.py"), named=("tea/kettle.py",))
    assert steering_of(task, chosen) == Steering(
        touched=("tea/sieve.py", "tea/leaf.py", "tea/pot.py"), added=("tea/kettle.py",), dropped=("tea/cup.py",)
    )


def test_a_steering_message_plans_only_the_files_it_names(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    assert paths(source.offer(ASKED, 8_000))
    under_way = replace(ASKED, under_way=True)
    assert paths(source.offer(under_way, 8_000)) == []
    assert paths(source.offer(replace(under_way, words="and teapot.py pours twice"), 8_000)) == ["tea/teapot.py"]
    assert source.offer(Task("thanks", under_way=True), 8_000) == ()


@pytest.mark.parametrize(
    "words",
    [
        "thanks",
        "ok, go on",
        "Looks good, please continue!",
        "good morning, where were we?",
        "let's go on with the next step",
        "write a test for it",
        "commit and push that",
        "anything else?",
        "that's wrong, try again",
        "can you make that shorter?",
        "stop, that is not what I meant",
        "which files did you change?",
        "keep the old behaviour",
        "remove the second one",
        "rename it to something clearer",
    ],
)
def test_a_message_without_a_subject_builds_no_index(tmp_path: Path, words: str) -> None:
    source = planning(tmp_path, patience=30.0)
    [section] = source.offer(Task(words), 8_000)
    assert (section.chunks, [out.id for out in section.left_out]) == ((), ["files:plan"])
    assert section.left_out[0].why.startswith("the words say too little to plan files by")
    assert source.offer(Task(""), 8_000) == ()
    assert not list(tmp_path.rglob("index.db"))


def test_a_message_with_only_a_path_plans_that_file_alone(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    for number in range(3):
        (tmp_path / "tea" / f"line{number}.py").write_text("def add_line(md):\n    return md\n")
    (tmp_path / "CHANGES.md").write_text("# Changes\n\n- a line was added\n")
    words = "add a line to CHANGES.md"
    assert paths(source.offer(Task(words), 8_000)) == ["CHANGES.md"]
    (tmp_path / "CHANGES.md").unlink()
    assert paths(source.offer(Task(words), 8_000)) == []
    assert paths(source.offer(Task("explain @tea/cup.py", named=("tea/cup.py",)), 8_000)) == ["tea/cup.py"]


def test_two_callers_at_once_wait_for_one_index_build(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=2.0)
    index = Project.open(tmp_path, {"HOME": str(tmp_path.parent)}).cache / "index.db"
    index.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(index)) as held:
        held.execute("BEGIN EXCLUSIVE")  # an index that is not built in time
        ahead = threading.Thread(target=source.offer, args=(replace(ASKED, is_preview=True), 8_000))
        ahead.start()
        began = time.monotonic()
        assert source.offer(ASKED, 8_000) == (Section("files", Priority.INJECTED, (), "task", "files", (BUILDING,)),)
        assert time.monotonic() - began < 3
        ahead.join()


def test_a_mentioned_picture_plans_no_files(tmp_path: Path) -> None:
    source = planning(tmp_path, patience=30.0)
    (tmp_path / "tea" / "shot.py").write_text("def shot(png):\n    return png\n")
    only = Task("what is on @tea/shot.png ?", named=("tea/shot.png",))
    assert source.offer(only, 8_000) == (Section("files", Priority.INJECTED, (), "task", "files", (SHORT,)),)
    both = Task("why does the teapot in @tea/shot.png, pour twice", named=("tea/shot.png",))
    assert paths(source.offer(both, 8_000)) == ["tea/teapot.py"]
