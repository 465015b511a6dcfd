"""The memory folder under kill -9, many writers, full and read-only disks, and git merges: nothing told is lost."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ctxe.knowledge.entries.daily import weeks
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
from ctxe.knowledge.failures.remembered import groups
from ctxe.knowledge.upkeep.bulk import import_lines
from tests.repositories import git

WRITER = """
import sys
from pathlib import Path
from ctxe.knowledge.entries.daily import weeks
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.entries.store import Store
folder = Path(sys.argv[1]) / ".ctxe"
store = Store(folder, folder / "cache")
for n in range(int(sys.argv[3])):
    kind = ("decision", "fact", "failure")[n % 3]
    entry = store.add(Entry("", kind, f"{sys.argv[2]} number {n}", text="words " * 40, signature=f"{n:08x}"))
    print(entry.id, flush=True)
    if n % 10 == 0:
        store.log(f"- 10:00 [{sys.argv[2]}] line {n}")
"""


def store_in(folder: Path) -> Store:
    return Store(folder / ".ctxe", folder / ".ctxe" / "cache")


@pytest.fixture
def quick_folder() -> Iterator[Path]:
    """A folder in memory where there is one: a killed process is not a power cut, and fsync costs nothing there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as name:
        yield Path(name)


def writer(folder: Path, name: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), name, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_entries_reported_as_saved_survive_kill_9(quick_folder: Path) -> None:
    chance = random.Random(7)
    saved: list[str] = []
    while len(saved) < 1000:
        with writer(quick_folder, "w", 100_000) as child:
            assert child.stdout is not None
            saved.append(child.stdout.readline().strip())
            time.sleep(chance.uniform(0.05, 0.5))
            child.send_signal(signal.SIGKILL)
            saved += [line.strip() for line in child.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    snapshot = store_in(quick_folder).snapshot()
    assert set(saved) <= {entry.id for entry in snapshot.entries}
    assert snapshot.problems == ()
    store_in(quick_folder).entries()
    assert [path for name in ("decisions", "memory") for path in (quick_folder / ".ctxe" / name).rglob("*.tmp")] == []


POINTS = """
import json, os, shutil, signal, sys
from pathlib import Path
from ctxe.knowledge.entries.daily import weeks
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.store import Store
import filelock

root = Path(sys.argv[1])

def fresh(folder):
    store = Store(folder / ".ctxe", folder / ".ctxe" / "cache")
    return store

def child(folder, point):
    count = 0
    def stop(event, arguments):
        nonlocal count
        if event in ("open", "os.rename", "os.remove", "os.mkdir", "os.unlink", "os.scandir", "os.listdir"):
            count += 1
            if count == point:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(stop)
    store = fresh(folder)
    store.supersede("1", Entry("", "decision", "New", text="new " * 50))
    os.write(1, b"S")
    store.forget("1")
    os.write(1, b"F")
    os._exit(0)

seed = root / "seed"
fresh(seed).add(Entry("", "decision", "Old", text="old"))
reached = 0
for point in range(1, 500):
    folder = root / str(point)
    shutil.copytree(seed, folder)
    read, write = os.pipe()
    pid = os.fork()
    if not pid:
        os.dup2(write, 1)
        child(folder, point)
    os.close(write)
    said = os.read(read, 10)
    os.close(read)
    _, status = os.waitpid(pid, 0)
    snapshot = fresh(folder).snapshot()
    titles = sorted(entry.title for entry in snapshot.entries)
    strays = [str(path) for path in (folder / ".ctxe" / "decisions").glob(".*")]
    print(json.dumps([point, said.decode(), titles, [problem.says for problem in snapshot.problems], strays]))
    shutil.rmtree(folder)
    if status == 0:
        break
else:
    sys.exit("the work never ended")
"""


def test_a_write_killed_at_any_point_leaves_old_or_new_content(quick_folder: Path) -> None:
    run = subprocess.run([sys.executable, "-c", POINTS, str(quick_folder)], capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(rows) > 30
    allowed = {"": [["Old"], ["New", "Old"]], "S": [["New", "Old"], ["New"]], "SF": [["New"]]}
    assert [row for row in rows if row[2] not in allowed[row[1]]] == []
    assert [row for row in rows if row[3] or row[4]] == []


def test_eight_writing_processes_lose_no_entry(quick_folder: Path) -> None:
    writers = [writer(quick_folder, f"w{n}", 100) for n in range(8)]
    said = [child.communicate(timeout=100) for child in writers]
    assert [child.returncode for child in writers] == [0] * 8
    ids = [line for out, _ in said for line in out.split()]
    snapshot = store_in(quick_folder).snapshot()
    assert len(set(ids)) == 800
    assert {entry.id for entry in snapshot.entries if entry.kind != "log"} == set(ids)
    assert sum(entry.kind == "log" for entry in snapshot.entries) == 80
    assert snapshot.problems == ()


def remember(folder: Path, branch: str) -> None:
    """What one session on a branch may leave behind, in words that another branch uses too."""
    store = store_in(folder)
    store.add(Entry("", "decision", "Use Postgres", text=f"says {branch}"))
    store.add(Entry("", "fact", "The API listens on 8080"))
    store.supersede("0001", Entry("", "decision", "Store sessions as JSONL", text=branch))
    store.add(Entry("", "failure", "`pytest`: boom", signature="ab" * 16, text=branch))
    store.add(Entry("", "preference", "Tabs", status="proposed"))
    store.log(f"- 10:00 [{branch}] did something")
    store.log(f"- 10:05 [{branch}] did more")
    import_lines(store, [json.dumps({"id": f"{branch}-1", "kind": "log", "text": "x", "ts": 1}).encode()], "bulk")


def test_two_branches_that_both_remember_merge_without_a_conflict(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    store = store_in(tmp_path)
    store.add(Entry("", "decision", "Store sessions in SQLite"))
    store.share()
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "base")
    for branch in ("one", "two"):
        git(tmp_path, "checkout", "-q", "-b", branch, "main")
        remember(tmp_path, branch)
        git(tmp_path, "add", "-A")
        git(tmp_path, "commit", "-qm", branch)
    git(tmp_path, "merge", "-q", "--no-edit", "one")
    assert git(tmp_path, "status", "--porcelain") == ""
    snapshot = store_in(tmp_path).snapshot()
    assert snapshot.problems == ()
    titles = sorted(entry.title or entry.text for entry in snapshot.entries)
    twice = ["Use Postgres", "The API listens on 8080", "Store sessions as JSONL", "`pytest`: boom", "Tabs", "x"]
    lines = [f"did {what}" for what in ("something", "more")]
    assert titles == sorted(["Store sessions in SQLite", *(2 * [*twice, *lines])])
    assert [entry.status for entry in snapshot.entries if entry.title == "Store sessions in SQLite"] == ["superseded"]
    assert len({entry.id for entry in snapshot.entries}) == len(snapshot.entries)
    (group,) = groups(snapshot.entries, {})
    assert group.seen == 2


UNPRIVILEGED = """
import os, sys
from pathlib import Path
import filelock, ctxe.knowledge.entries.logs
from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.daily import weeks
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.entries.store import Store
folder = Path(sys.argv[1]) / ".ctxe"
store = Store(folder, Path(sys.argv[2]))
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
print(*(entry.title for entry in store.entries()))
for act in (lambda: store.add(Entry("", title="x")), lambda: store.log("x"), lambda: store.change("1", title="y")):
    try:
        act()
    except StoreError as error:
        print(error.message, "|", error.hint)
print(note_changes(store), end="")
"""


def test_a_read_only_folder_is_read_and_every_write_is_one_line() -> None:
    with tempfile.TemporaryDirectory() as base:
        project = Path(base) / "project"
        store = store_in(project)
        store.add(Entry("", title="Kept", kind="decision"))
        shutil.rmtree(store.cache)
        for path in (Path(base), project, *project.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
        command = [sys.executable, "-c", UNPRIVILEGED, str(project), f"{base}/nowhere/cache"]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        for path in (Path(base), project, *project.rglob("*")):
            path.chmod(0o700)
        assert run.stderr == ""
        cause = f"cannot create {project}/.ctxe/cache: Permission denied | check free space and permissions"
        assert run.stdout.splitlines() == ["Kept", *[cause] * 3]
        assert [entry.title for entry in store.entries()] == ["Kept"]


FULL = """
import errno, resource, sys
from pathlib import Path
from ctxe.domain.errors import StoreError
from ctxe.knowledge.entries.daily import weeks
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.entries.outside_changes import note_changes
from ctxe.knowledge.entries.store import Store
folder = Path(sys.argv[1]) / ".ctxe"
store = Store(folder, folder / "cache")
one = store.add(Entry("", title="Kept", text="x" * 2000))
if sys.argv[2] == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
told = 0
for n in range(60):
    try:
        store.add(Entry("", title=f"More {n}", text="y" * 30_000))
        store.change(one.id, text="z" * 30_000)
    except StoreError as error:
        told += 1
        assert "File too large" in error.message or "No space left on device" in error.message, error.message
print(told, len(store.snapshot().problems), len(store.get(one.id).text), *sorted(
    path.name for path in folder.rglob("*") if path.name.endswith(".tmp")))
"""


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    """A tiny file system of its own where the system lets us mount one; else the kernel's limit on file sizes."""
    inside = f'mount -t tmpfs -o size=200k tmpfs {tmp_path} && exec {sys.executable} -c "$0" {tmp_path} disk'
    run = subprocess.run(["unshare", "-rm", "sh", "-c", inside, FULL], capture_output=True, text=True, check=False)
    if "Operation not permitted" in run.stderr or "permission denied" in run.stderr.lower():
        run = subprocess.run(
            [sys.executable, "-c", FULL, str(tmp_path), "limit"], capture_output=True, text=True, check=False
        )
    assert (run.stderr, run.returncode) == ("", 0)
    told, problems, kept, *strays = run.stdout.split()
    assert int(told) > 40
    assert (problems, strays) == ("0", [])
    assert kept in ("2000", "30000")


def test_a_temporary_file_of_a_dead_writer_is_removed_on_the_next_read(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(Entry("", "decision", "One"))
    stray = tmp_path / ".ctxe" / "decisions" / ".0002-x.md.abcd.tmp"
    stray.write_bytes(b"half")
    assert [entry.title for entry in store.entries()] == ["One"]
    assert not stray.exists()
    assert [path.name for path in stray.parent.iterdir()] == [Path(store.get("1").path).name]


def test_a_week_continued_on_two_branches_is_whole_after_the_merge(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    store = store_in(tmp_path)
    store.prepare()
    store.share()
    day = tmp_path / ".ctxe/daily/2026-11-03.md"
    day.parent.mkdir()
    day.write_text("- 09:00 [s0] began (decision 0001-aaaa)\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "base")
    for branch, number in (("one", "0002-bbbb"), ("two", "0003-cccc")):
        git(tmp_path, "checkout", "-q", "-b", branch, "main")
        weeks(store_in(tmp_path).entries(), "2026-11-21")
        with day.open("a") as file:
            file.write(f"- 10:00 [{branch}] went on (decision {number})\n")
        git(tmp_path, "commit", "-qam", branch)
    git(tmp_path, "merge", "-q", "--no-edit", "one")
    assert git(tmp_path, "status", "--porcelain") == ""
    told = weeks(store_in(tmp_path).entries(), "2026-11-21")
    assert {week: (lines[0], set(lines[1:])) for week, lines in told.items()} == {
        "2026-W45": (
            "3 turns on 1 day",
            {"began (decision 0001-aaaa)", "went on (decision 0002-bbbb)", "went on (decision 0003-cccc)"},
        )
    }
