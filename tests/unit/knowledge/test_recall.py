"""The ranker: what counts for an entry, and when it shows nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.domain.errors import ProviderError
from ctxe.domain.section import Task
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import MEANT, Ranker
from ctxe.knowledge.recall.reading import file_terms, folder_terms, id_term, read_question, scope_terms
from ctxe.knowledge.recall.signals import SIGNALS
from ctxe.knowledge.recall.weights import TRACE, WORDS, shipped_weights
from ctxe.knowledge.recall.worth import CLUES
from tests.unit.knowledge.entries_to_rank import facts


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
