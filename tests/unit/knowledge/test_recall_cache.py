"""The cache of recall changes no answer, whatever happens to it and however many processes share it."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from array import array
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.numbered_files import newest_file
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.stored_postings import StoredEntry, StoredPostings
from tests.unit.knowledge.entries_to_rank import answers, facts


def test_answers_are_the_same_with_and_without_the_cache(tmp_path: Path) -> None:
    entries = facts(320)
    fresh = answers(Ranker(), entries)
    assert answers(Ranker(tmp_path), entries) == fresh
    assert (tmp_path / "recall.db").exists()
    again, other = Ranker(tmp_path), Ranker(tmp_path)
    assert answers(again, entries) == fresh
    changed = [*entries[5:], Entry("new", "fact", "Rounding of invoices in part1", path="memory/new.md")]
    assert answers(again, changed) == answers(Ranker(), changed) != fresh
    assert answers(other, entries) == fresh
    for n in range(14):
        changed = [*changed, Entry(f"more{n}", "fact", f"Socket {n} of module7", path=f"memory/more{n}.md")]
        assert answers(Ranker(tmp_path), changed) == answers(Ranker(), changed)


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 999, b"SQLite format 3\0" + bytes(9999)])
def test_a_damaged_or_missing_cache_changes_no_answer(tmp_path: Path, damage: bytes) -> None:
    entries = facts(320)
    fresh = answers(Ranker(tmp_path), entries)
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / "recall.db").write_bytes(damage)
    assert answers(Ranker(tmp_path), entries) == fresh
    (tmp_path / "file").write_bytes(b"")
    assert answers(Ranker(tmp_path / "file"), entries) == fresh


@pytest.mark.parametrize("seed", range(8))
def test_torn_pages_in_the_cache_change_no_answer(tmp_path: Path, seed: int) -> None:
    entries = facts(320)
    fresh = answers(Ranker(tmp_path), entries)
    path, chance = tmp_path / "recall.db", random.Random(seed)
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(path.read_bytes())
    for _ in range(3):
        start = 4096 * chance.randrange(1, len(data) // 4096) + chance.choice([0, chance.randrange(4000)])
        length = chance.choice([64, 4096 - start % 4096])
        data[start : start + length] = chance.choice([bytes(length), chance.randbytes(length)])
    path.write_bytes(data)
    assert answers(Ranker(tmp_path), entries) == fresh
    assert answers(Ranker(tmp_path), entries) == fresh
    more = [*entries, Entry("new", "fact", "Rounding of invoices in part1", path="memory/new.md")]
    assert answers(Ranker(tmp_path), more) == answers(Ranker(), more)


def test_a_cache_of_mostly_removed_entries_is_rebuilt(tmp_path: Path) -> None:
    for n in range(12):
        entries = [replace(entry, text=f"{entry.text} Edition {n}.") for entry in facts(320)]
        assert answers(Ranker(tmp_path), entries) == answers(Ranker(), entries)
    kept = StoredPostings.open(tmp_path / "recall.db")
    assert kept
    rows, free = kept.rows()
    assert len(rows) == 320
    assert 320 < free < 12 * 320


def test_only_one_process_writes_the_cache_at_a_time(tmp_path: Path) -> None:
    one, two = StoredPostings.open(tmp_path / "recall.db"), StoredPostings.open(tmp_path / "recall.db")
    assert one
    assert two
    assert one.claim()
    assert not two.claim()
    assert one.add([], {}, [])
    assert not two.claim()


ASK = """
import sys
import subprocess
import sys
import contextlib
import random
import sqlite3
import time
from collections.abc import Sequence
from pathlib import Path
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.reading import read_question
from tests.unit.knowledge.entries_to_rank import answers, facts
ranker = Ranker(Path(sys.argv[1]))
for n in range(3):
    print(answers(ranker, facts(320 + int(sys.argv[2]) * n)))
"""
FULL = """
import resource
import sys
from pathlib import Path
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.reading import read_question
from tests.unit.knowledge.entries_to_rank import answers, facts
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
ranker = Ranker(Path(sys.argv[1]))
for number in (320, 330):
    print(answers(ranker, facts(number)))
"""


@pytest.mark.parametrize("size", [40_000, 80_000, 160_000])
def test_a_full_disk_keeps_the_cache_in_memory(tmp_path: Path, size: int) -> None:
    """A file that may not grow stands for the full disk."""
    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), str(size)], capture_output=True, text=True, check=False
    )
    assert (told.stderr, told.stdout.splitlines()) == ("", [str(answers(Ranker(), facts(n))) for n in (320, 330)])
    assert answers(Ranker(tmp_path), facts(320)) == answers(Ranker(), facts(320))


def test_eight_processes_share_one_cache_and_answer_as_one_alone(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path), str(n)], stdout=subprocess.PIPE, text=True)
        for n in range(8)
    ]
    for n, process in enumerate(running):
        said, _ = process.communicate(timeout=120)
        assert said.splitlines() == [str(answers(Ranker(), facts(320 + n * times))) for times in range(3)]


def test_a_killed_process_leaves_a_cache_that_answers(tmp_path: Path) -> None:
    for delay in (0.3, 0.5, 0.7):
        process = subprocess.Popen([sys.executable, "-c", ASK, str(tmp_path), "9"], stdout=subprocess.DEVNULL)
        time.sleep(delay)
        process.kill()
        process.wait()
        assert answers(Ranker(tmp_path), facts(320)) == answers(Ranker(), facts(320))


REMAKE = """
import sys
from dataclasses import replace
from pathlib import Path
from ctxe.knowledge.recall import stored_postings
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.reading import read_question
from tests.unit.knowledge.entries_to_rank import facts
for n in range(3):
    edition = [replace(entry, text=f"{entry.text} Edition {sys.argv[2]}{n}.") for entry in facts(310)]
    stored_postings.VERSION = f"made by {sys.argv[2]} {n}"
    for _ in range(2):
        assert Ranker(Path(sys.argv[1])).ranked(Query("tokens of part13"), edition)[0].entry.id == "f13"
"""


def test_eight_processes_that_rebuild_the_cache_at_once_stay_correct(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", REMAKE, str(tmp_path), str(n)], stdout=-1, stderr=-1, text=True)
        for n in range(8)
    ]
    assert [process.communicate(timeout=120) for process in running] == [("", "")] * 8
    number, place = newest_file(tmp_path / "recall.db")
    assert number > 8
    held = sqlite3.connect(place)
    assert held.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    held.close()
    assert [path.name for path in tmp_path.glob("recall*.db")] == [place.name]


def test_a_reader_keeps_its_open_cache_while_another_process_rebuilds_it(tmp_path: Path) -> None:
    path = tmp_path / "recall.db"
    old = StoredPostings.open(path)
    assert old
    assert old.claim()
    assert old.add([StoredEntry(10_000, "old", "m", (1, 0, 0))], {"t": (array("I", [10_000]), array("B", [1]))}, [])
    new = StoredPostings.open(path)
    assert new
    assert new.rows() == ([], 0)
    assert new.claim()
    assert new.add([StoredEntry(0, "new", "m", (1, 0, 0))], {}, [])
    assert old.claim()
    assert old.add([StoredEntry(10_001, "older", "m", (1, 0, 0))], {}, [])
    assert [row.key for row in old.rows()[0]] == ["old", "older"]
    old.close()
    again = StoredPostings.open(path)
    assert again
    assert again.rows() == new.rows() == ([StoredEntry(0, "new", "m", (1, 0, 0))], 1)
