"""A memory folder damaged everywhere in every way: all intact entries are still there, and nothing hangs."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ctxe.domain.errors import CtxeError
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.recall.query import Query
from ctxe.project import Project
from ctxe.project.memory import failures, memories, standing, transfer
from ctxe.project.memory.recordings import learn, recordings
from ctxe.project.sessions import summaries

FRONT = b"---\nid: x\ntitle: "
WAYS: dict[str, bytes | Callable[[Path], object]] = {
    "empty": b"",
    "torn": FRONT + b"To",
    "torn character": FRONT + "é".encode()[:-1],
    "nothing but nul": bytes(4096),
    "nul inside": b"---\nid: x\0y\ntitle: a\0b\n---\nbo\0dy\n",
    "no utf-8": b"---\nid: \xff\xfe\ntitle: \xc3\x28\n---\n\xff",
    "utf-16": "---\nid: x\ntitle: y\n---\n".encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf---\nid: x\ntitle: bom\n---\nt\n",
    "crlf": b"---\r\nid: x\r\ntitle: crlf\r\n---\r\nt\r\n",
    "cr": b"---\rid: x\rtitle: cr\r---\rt\r",
    "conflict": b"<<<<<<< HEAD\n---\nid: a\ntitle: one\n=======\n---\nid: b\n>>>>>>> other\n---\nt\n",
    "conflict inside": FRONT + b"x\n<<<<<<< HEAD\nscope: one\n=======\nscope: two\n>>>>>>> b\n---\nt\n",
    "two fronts": b"---\nid: x\ntitle: one\n---\n---\nid: y\ntitle: two\n---\n",
    "keys twice": b"---\nid: x\nid: y\ntitle: a\ntitle: b\n---\n",
    "one long line": b"x" * 5_000_000,
    "a long title": FRONT + b"y" * 3_000_000 + b"\n---\n",
    "deep": b"---\nid: deep\nk: " + b"[" * 50_000 + b"\n---\n",
    "deep json": b'{"id": "d", "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "bomb": b"---\na: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nid: *c\n---\n",
    "many lines": b"- 10:00 x\n" * 20_000,
    "other json": b"[1,2]\n",
    "wrong types": b"---\nid: 7\ntitle: 3\nstatus: 4\nfiles: 5\nsupersedes: {a: b}\ncreated: 99999-99-99\n---\n",
    "itself": b'---\nid: loop\nkind: decision\ntitle: l\nsupersedes: [loop, "0001"]\n---\n',
    "beyond numbers": b'---\nid: "99999999999999999999-abcd"\nkind: decision\ntitle: big\ncreated: 1e309\n---\n',
    "no number": b"---\nid: n\nkind: decision\ntitle: n\ncreated: nan\nts: -inf\n---\n",
    "a folder": Path.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link that leads out": lambda path: path.symlink_to("/etc/hostname"),
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
}
ENTRIES = ("decisions/0009-x-abcd.md", "memory/x-0010-abcd.md", "failures/abcdabcd-1234.md", "inbox/x-0011-abcd.md")
LOGS = ("daily/2026-11-20.md", "memory/log/bulk.jsonl", "sessions/20261121-000000-abcdef.jsonl")
SUMMARIES = ("MEMORY.md", "../MEMORY.md")
CACHE = ("entries.json", "counters.db", "recall.db", "undo.json", "known.json", "number")
PLACES = (*ENTRIES, *LOGS, *SUMMARIES, ".gitignore", ".gitattributes")


def damaged(folder: Path, cache: Path, way: bytes | Callable[[Path], object]) -> dict[Path, bytes]:
    """Put the damage in every place; the bytes of memory files as they must stay."""
    held = {}
    for place in (*PLACES, *(str(cache / name) for name in CACHE)):
        path = folder / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        if isinstance(way, bytes):
            path.write_bytes(way)
            if place in (*ENTRIES, *LOGS, *SUMMARIES):
                held[path] = way
        else:
            way(path)
    return held


def looks(project: Project) -> list[Callable[[], object]]:
    """Everything that only reads; none of it may fail."""
    return [
        lambda: memories.rows(project, all_=True),
        lambda: memories.overview(project),
        lambda: memories.today(project),
        lambda: memories.weeks(project),
        lambda: memories.statistics(project),
        lambda: (transfer.export_entries(project, "jsonl"), transfer.export_entries(project, "md")),
        lambda: [failures.timeline(project, group) for group in failures.failure_groups(project)],
        lambda: failures.statistics(project),
        lambda: standing.sources(project),
        lambda: note_changes(project.store),
        lambda: summaries(project),
        lambda: [learn(project, path) for path in recordings(project, (), every=True)],
        lambda: project.ranker.ranked(Query("good kept words"), project.store.entries()),
    ]


@pytest.mark.parametrize("way", WAYS)
def test_damage_everywhere_in_the_memory_folder_hides_no_intact_entry(tmp_path: Path, way: str) -> None:
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    (tmp_path / "p").mkdir()
    before = Project.open(tmp_path / "p", environment).store
    before.add(Entry("", "decision", "Good one", text="kept words"))
    before.add(Entry("", "failure", "`x`: boom", "open", signature="ab" * 16))
    held = damaged(before.folder, before.cache, WAYS[way])
    began = time.monotonic()
    project = Project.open(tmp_path / "p", environment)
    for look in looks(project):
        look()
    for act in (
        lambda: project.store.add(Entry("", "decision", "Another")),
        lambda: project.store.log("- 11:00 [s] two"),
        lambda: failures.add_failure(project, "it broke"),
        project.store.undo,
    ):
        with contextlib.suppress(CtxeError):
            act()
    for look in looks(project):
        look()
    assert time.monotonic() - began < 20
    assert {"Good one", "`x`: boom"} <= {entry.title for entry in project.store.entries()}
    assert [path for path, data in held.items() if not path.read_bytes().startswith(data)] == []
