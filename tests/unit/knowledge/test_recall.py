"""The ranker: its signals, when it shows nothing, and that the cache changes no answer."""

from __future__ import annotations

import contextlib
import random
import sqlite3
import subprocess
import sys
import time
from array import array
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.errors import ProviderError
from ctxe.domain.section import Task
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.numbered_files import newest_file
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import MEANT, Ranker
from ctxe.knowledge.recall.reading import file_terms, folder_terms, id_term, read_question, scope_terms
from ctxe.knowledge.recall.signals import SIGNALS
from ctxe.knowledge.recall.stored_postings import StoredEntry, StoredPostings
from ctxe.knowledge.recall.weights import TRACE, WORDS, shipped_weights
from ctxe.knowledge.recall.worth import CLUES

SUBJECTS = (
    "parser tokens grammar", "socket retries timeout", "database migration schema", "login password session",
    "image thumbnails resize", "invoice rounding currency", "calendar timezone recurrence", "search ranking synonyms",
    "upload multipart chunks", "cache eviction memory", "logging rotation format", "email bounce template",
)  # fmt: skip


def facts(number: int = 24) -> list[Entry]:
    """Facts about many subjects, no two of the same words."""
    return [
        Entry(
            f"f{n}",
            "fact",
            f"The {SUBJECTS[n % 12]} of part{n}",
            text=f"Part{n} owns the {SUBJECTS[n % 12].split()[n % 3]} and its module{n} says how.",
            path=f"memory/f{n}.md",
        )
        for n in range(number)
    ]


def best(entries: list[Entry], text: str = "", files: tuple[str, ...] = (), as_of: float | None = None) -> list[str]:
    return [one.entry.id for one in Ranker().ranked(Query(text, files=files, as_of=as_of), entries)]


def test_words_are_found_by_stem_and_by_the_parts_of_identifiers() -> None:
    entries = [*facts(), Entry("x", "fact", "FrameReader.readNextFrame retries", text="See max_frame_size.")]
    assert best(entries, "why is the frame reader retrying?")[0] == "x"
    assert best(entries, "what limits a frame's size")[0] == "x"
    assert best(entries, "maxFrameSize")[0] == "x"


def test_files_and_scopes_speak_for_an_entry() -> None:
    entries = [
        *facts(),
        Entry("file", "fact", "Careful", files=("src/net/socket.c",)),
        Entry("scope", "fact", "Careful", scope=("src/api/**",)),
    ]
    assert best(entries, files=("src/net/socket.c",))[0] == "file"
    assert best(entries, files=("lib/net/socket.c",))[0] == "file"
    assert best(entries, files=("src/api/v2/users.py",)) == ["scope"]
    assert best(entries, files=("docs/readme.md",)) == []


def test_neighbouring_turns_and_the_speaker_count() -> None:
    talk = (
        "Ada: Where did you go last summer?",
        "Ben: To the lake with my sister, we rented a boat.",
        "Ada: I stayed at home and painted the fence.",
        "Ben: My boat is painted blue by the way.",
        "Ada: Lovely, what did the rent cost?",
    )
    log = [Entry(f"D{n}", "log", session="s", ts=str(n), text=text) for n, text in enumerate(talk)]
    assert best([*facts(), *log], "Where did Ben go last summer?")[:2] == ["D1", "D0"]
    assert best([*facts(), *log], "What did Ada paint?")[0] == "D2"


def test_equal_scores_put_the_newest_first_and_old_failures_last() -> None:
    failures = [
        Entry(f"n{n}", "failure", "`make`: linker not found", ts=str(n), signature=f"{n:064x}") for n in range(3)
    ]
    assert best(failures, "linker not found") == ["n2", "n1", "n0"]
    assert best(failures, "linker not found", as_of=2.0)[0] == "n2"
    ranked = Ranker().ranked(Query("linker not found", as_of=2.0), failures, lambda entry: entry.time < 2.0)
    assert [one.entry.id for one in ranked] == ["n1", "n0"]


def test_citations_of_an_entry_by_its_id_count() -> None:
    rules = [Entry(f"adr-{n}", "decision", "Use of timeouts in clients", path=f"{n}") for n in range(1, 5)]
    citing = Entry("x", "fact", "Gateway", text="It follows ADR 3 and adr-0003.")
    assert best([*facts(), *rules, citing], "timeouts in clients")[0] == "adr-3"


def test_an_entry_is_found_by_words_of_entries_that_cite_it() -> None:
    rule = Entry("adr-7", "decision", "Store sessions as JSONL", text="A database is not mergeable.", path="a")
    others = [Entry(f"adr-{n}", "decision", "Store sessions elsewhere", path=f"{n}") for n in (8, 9)]
    backup = "Backups copy files that only ever grow at their end (see ADR-0007), so a nightly restore is cheap. "
    citing = Entry(
        "b", "fact", "Backups", ts="5", text=backup + "Unrelated words follow here. " * 20 + "Bananas ripen."
    )
    everything = [*facts(), *others, rule, citing]
    assert sorted(best(everything, "a restore of files that grow")) == ["adr-7", "b"]
    assert best([*facts(), *others, rule], "a restore of files that grow") == []

    def said(text: str, as_of: float | None = None) -> float:
        (found,) = [one for one in Ranker().ranked(Query(text, as_of=as_of), everything) if one.entry.id == "adr-7"]
        return found.vector[SIGNALS.index("said_of")]

    assert said("a restore of files that grow") > said("a cheap file") > 0.0
    assert said("do bananas ripen") == 0.0
    assert said("a restore of files that grow", as_of=5.0) == 0.0


def test_a_stack_trace_in_the_query_drops_the_shared_words_signal() -> None:
    trace = "the build fails\n\tat org.demo.Widget.draw(Widget.java:12)\nWidget cannot draw"
    told = "the build fails\nsrc/widget.c:12: Widget cannot draw\nWidget.java:12 is where"
    assert [read_question(Query(text)).traced for text in (trace, told)] == [True, False]
    entries = [*facts(), Entry("w", "failure", "Widget", error="Widget cannot draw", ts="1")]
    shared = [Ranker().ranked(Query(text), entries)[0].vector[SIGNALS.index("shared")] for text in (trace, told)]
    assert shared[0] == 0.0 < shared[1]


def test_no_entry_is_shown_unasked_unless_it_bears_on_the_task() -> None:
    entries = [
        *facts(),
        Entry("pool", "decision", "Connections are pooled", text="Each worker keeps a connection pool of five."),
    ]
    ranker = Ranker()
    assert ranker(Task("the connection pool of a worker is exhausted"), entries)[0][0].id == "pool"
    for words in ("write a haiku about the sea", "thanks!", "hi", "", "what is new in the release?", "yes, do it"):
        assert ranker(Task(words), entries) == [], words
    assert ranker(Task("anything"), []) == []


@pytest.mark.parametrize("number", [1, 2, 3, 12])
def test_a_small_memory_shows_a_matching_entry_and_nothing_otherwise(number: int) -> None:
    entries = facts(number)
    told = Ranker()(Task("the parser of part0 loses tokens, is its grammar wrong?"), entries)
    assert [entry.id for entry, _ in told] == ["f0"]
    assert Ranker()(Task("make the button on the start page green"), entries) == []


def test_embeddings_change_the_score_when_a_model_is_configured() -> None:
    entries = [
        *facts(),
        Entry("a", "fact", "Invoices are rounded", text="Half up."),
        Entry("b", "fact", "Invoices are sent", text="Monthly."),
    ]
    asked: list[tuple[int, str]] = []

    def similar(texts: Sequence[str], query: str) -> list[float]:
        asked.append((len(texts), query))
        return [0.9 if "Half up" in text else 0.2 for text in texts]

    def fails(_texts: Sequence[str], _query: str) -> list[float]:
        raise ProviderError("no vectors today")

    question = Query("what happens to the cents of invoices when they are sent?")
    by_words = [(one.entry.id, one.score) for one in Ranker().ranked(question, entries)]
    by_both = Ranker(similar=similar).ranked(question, entries)
    assert by_words[0][0] == "b"
    assert [one.entry.id for one in by_both[:2]] == ["a", "b"]
    assert asked == [(len(by_words), question.text)]
    assert [(one.entry.id, one.score) for one in Ranker(similar=fails).ranked(question, entries)] == by_words
    assert Ranker(similar=similar).ranked(Query("quantum"), entries) == []


def test_equal_embeddings_change_no_score() -> None:
    question, entries = Query("part module says"), facts(60)
    by_words = [(one.entry.id, one.score) for one in Ranker().ranked(question, entries)]
    both = Ranker(similar=lambda texts, _: [0.75] * len(texts)).ranked(question, entries)
    assert len(by_words) > MEANT
    assert [(one.entry.id, one.score) for one in both] == by_words


def test_touched_and_named_files_help_to_show_an_entry_unasked() -> None:
    words = "why does this file close it so late?"
    entries = [*facts(), Entry("x", "decision", "Sockets close twice by design", files=("src/net/socket.c",))]
    heard = {
        "no file": Task(words),
        "another file": Task(words, ("src/net/pipe.c",), ("src/net/pipe.c",)),
        "touched": Task(words, files=("src/net/socket.c",)),
        "named": Task(words, named=("src/net/socket.c",)),
    }
    assert {name: [entry.id for entry, _ in Ranker()(task, entries)] for name, task in heard.items()} == {
        "no file": [], "another file": [], "touched": ["x"], "named": ["x"]
    }  # fmt: skip


def answers(ranker: Ranker, entries: list[Entry]) -> list[list[tuple[str, float]]]:
    asked = ("socket timeout of part13", "module7", "currency rounding in invoices", "who owns image thumbnails?")
    return [[(one.entry.id, round(one.score, 9)) for one in ranker.ranked(Query(text), entries)][:20] for text in asked]


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


def test_files_folders_scopes_and_ids_are_search_terms() -> None:
    assert file_terms(["src/a.test.py"]) == ["F:src/a.test.py", "F:*/a.test.py", "F:*/a.*"]
    assert folder_terms(["src/net/a.c"]) == ["F:src/", "F:src/net/"]
    assert scope_terms(["src/**", "**", "*.py", "docs/a.md"]) == ["F:src/", *file_terms(["docs/a.md"])]
    assert [id_term(name) for name in ("pep-8", "PEP 008", "0007-3fa2", "D1:3")] == [
        "M:pep-8",
        "M:pep-8",
        "M:0007-3fa2",
        "",
    ]


def test_the_shipped_weights_are_complete() -> None:
    weights = shipped_weights()
    assert {way: set(signals) for way, signals in weights.signals.items()} == {
        way: set(SIGNALS) for way in (WORDS, TRACE)
    }
    assert {kind: set(clues) for kind, clues in weights.inject.items()} == {
        kind: {"start", *CLUES} for kind in ("failure", "lasting", "log")
    }
    assert all(value >= 0.0 for signals in weights.signals.values() for value in signals.values())
    assert all(0.0 < share < 1.0 for share in weights.common.values())


ODD = (
    "\0" * 500,
    "x" * 5_000_000,
    "word " * 200_000,
    "\udc80 lone \ud800surrogate",
    "<<<<<<< HEAD\n=======\n>>>>>>> x",
    "日本語のテキスト 한국어 ไทย",
    "\u202e\u2066 mixed \u200b\ufeff marks",
    "[" * 50_000,
    'File "x", line 1\n' * 20_000,
    "a.b" * 30_000,
    "",
    "   \r\n\r\n\t",
)


@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_read_and_asked_quickly_and_never_raise(tmp_path: Path, text: str) -> None:
    odd = Entry("odd", "fact", text[:120], text=text, files=(text[:300],), scope=(text[:50],), path="memory/odd.md")
    entries = [*facts(320), odd]
    began = time.perf_counter()
    for ranker in (Ranker(), Ranker(tmp_path), Ranker(tmp_path)):
        ranker.ranked(Query(text, (text[:300],), error=text, command=text), entries)
        ranker(Task(text, (text[:300],)), entries)
        assert ranker.ranked(Query("the grammar of part0"), entries)[0].entry.id == "f0"
    assert time.perf_counter() - began < 20


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
from tests.unit.knowledge.test_recall import answers, facts
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
from tests.unit.knowledge.test_recall import answers, facts
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
from tests.unit.knowledge.test_recall import facts
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


@pytest.mark.parametrize("words", ["do it as decision 7 says", "0007 says otherwise", "see 0007-3fa2"])
def test_an_entry_named_by_its_id_comes_first_and_is_shown_unasked(words: str) -> None:
    decided = Entry("0007-3fa2", "decision", "Keep sessions as JSONL", text="Appending is atomic.", path="d/7.md")
    entries = [*facts(), decided]
    assert best(entries, words)[0] == "0007-3fa2"
    assert [entry.id for entry, _ in Ranker()(Task(words), entries)] == ["0007-3fa2"]


def test_stack_traces_and_plain_words_have_separate_weights() -> None:
    weights = shipped_weights()
    said = read_question(Query("the parser loses tokens"))
    trace = read_question(
        Query('Traceback (most recent call last):\n  File "a.py", line 1, in run\nValueError: omega\n')
    )
    assert weights.counting(said) is weights.signals[WORDS]
    assert weights.counting(trace) is weights.signals[TRACE]
    assert weights.signals[TRACE] != weights.signals[WORDS]


def test_files_and_ids_count_beside_a_trace() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in run\nValueError: omega\n'
    crowd = [Entry(f"c{n}", "failure", "ValueError: omega", text="in run", ts="2", path=f"{n}") for n in range(30)]
    one = Entry("kin", "failure", "ValueError: omega", ts="1", files=("src/kin.py",), path="kin")
    assert best([one, *crowd], trace, files=("src/kin.py",))[0] == "kin"
    named = Entry("0007-3fa2", "decision", "kappa", path="seven")
    facts_of_it = [replace(other, kind="fact", title="ValueError: kappa sigma") for other in crowd]
    assert best([named, *facts_of_it], f"as 0007 says\n{trace}")[0] == "0007-3fa2"
