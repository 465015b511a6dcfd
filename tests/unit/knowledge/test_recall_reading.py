"""What is read of an entry and of a question before anything is ranked."""

from __future__ import annotations

import pytest

from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.reading import (
    MOST_READ,
    MOST_WORDS,
    Question,
    grams,
    read_question,
    read_terms,
    wording,
    words_beside,
    written_words,
)
from ctxe.knowledge.recall.reading_cache import ReadingCache


def test_the_text_of_an_entry_holds_title_text_and_failure_fields_once() -> None:
    failure = Entry(
        "a", "failure", "Omega", text="kappa", command="make", error="boom", tried="again", outcome="no", fix="yes"
    )
    assert wording(failure) == "Omega\nkappa\nmake\nboom\nagain\nno\nyes"
    assert wording(Entry("a", "failure", "kappa", text="kappa of make", command="make", error="boom")) == (
        "kappa of make\nboom"
    )
    assert wording(Entry("a", text="x" * (MOST_READ + 1))) == "x" * MOST_READ


def test_an_entry_is_read_as_words_title_names_files_mentions_and_speaker() -> None:
    entry = Entry(
        "adr-7", "decision", "Omega", text="ADR-7 replaces ADR 3: kappa?", files=("src/tau.py",), scope=("lib/*",)
    )
    found = read_terms(entry)
    assert found.words == {"omega": 1, "adr": 2, "7": 1, "replac": 1, "3": 1, "kappa": 1}
    assert found.length == 7
    assert found.title == {"omega"}
    assert found.names == {"src", "tau", "py"}
    assert found.files == {"F:src/tau.py", "F:*/tau.py", "F:*/tau.*", "F:lib/"}
    assert found.mentions == {"M:adr-3"}
    assert found.opening == {"adr", "7", "replac", "3", "kappa"}
    assert found.ids == {"I:adr-7", "I:adr 7"}
    assert written_words(wording(entry)) == {"omega", "adr", "7", "replaces", "3", "kappa"}
    assert (found.said_by, found.asks) == (frozenset(), True)
    turn = read_terms(Entry("D1", "log", text="(2024-05-01) Ada Lovelace: kappa"))
    assert (turn.title, turn.said_by, turn.asks) == (frozenset(turn.words), frozenset({"ada", "lovelace"}), False)


def test_the_reading_cache_holds_a_limited_number_of_words_and_drops_the_oldest() -> None:
    entries = [Entry("a", text="omega kappa"), Entry("b", text="tau"), Entry("c", text="sigma lambda")]
    readings = ReadingCache(entries.__getitem__, most=4)
    assert [sorted(readings[slot].words) for slot in (0, 1)] == [["kappa", "omega"], ["tau"]]
    assert set(readings.grams[1]) == {" tau", "tau "}
    readings.offer(2, read_terms(entries[2]))
    assert list(readings) == [0, 1]
    assert readings[2] == read_terms(entries[2])
    assert (list(readings), list(readings.grams)) == ([1, 2], [1])
    readings.drop(1)
    readings.offer(0, read_terms(entries[0]))
    assert (list(readings), list(readings.grams)) == ([2, 0], [])
    alone = ReadingCache(entries.__getitem__, most=1)
    assert [len(alone[slot].words) for slot in (0, 1, 2)] == [2, 1, 2]
    assert list(alone) == [2]


def test_a_query_is_read_from_words_error_and_command() -> None:
    asked = read_question(Query("which omega", command="make tau", error="kappa", files=("src/net/a.py",)))
    assert asked == Question(
        words={"kappa": 1.0, "make": 1.0, "omega": 1.0, "tau": 1.0},
        head=frozenset({"omega"}),
        ids=frozenset(),
        files=frozenset({"F:src/net/a.py", "F:*/a.py", "F:*/a.*", "F:src/", "F:src/net/"}),
        grams=frozenset(
            {" ome", "omeg", "mega", "ega ", " kap", "kapp", "appa", "ppa ", " mak", "make", "ake ", " tau", "tau "}
        ),
        plain=frozenset({"which", "omega", "kappa", "make", "tau"}),
        text="which omega\nkappa\nmake tau",
        traced=False,
    )


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("0007-3fa2", "decision"), "as 0007-3fa2 says"),
        (Entry("0007-3fa2", "decision"), "as 0007 says"),
        (Entry("0007-3fa2", "decision"), "decision 7"),
        (Entry("0007-3fa2", "decision"), "Decisions 7 and 8"),
        (Entry("EIP-4844", "decision"), "add 4844 fields"),
        (Entry("eip-4844", "decision"), "VerifyEIP4844Header"),
        (Entry("MSC2858", "decision"), "msc2858_enabled"),
        (Entry("adr-0012", "decision"), "ADR 12"),
        (Entry("adr-0012", "decision"), "0012,"),
        (Entry("3fa29c1b-91bc", "failure"), "failure 3fa29c1b again"),
    ],
)
def test_an_id_in_a_query_names_its_entry(entry: Entry, words: str) -> None:
    assert read_terms(entry).ids & read_question(Query(words)).ids


@pytest.mark.parametrize(
    "words",
    [
        "404.5 or 3.404",
        "2404-404-1",
        "404-05-03",
        "issue #404",
        "a.py:404",
        "src/404/x",
        "40404",
        "4041",
        "rfc 40",
        "404:12",
    ],
)
def test_numbers_in_dates_versions_paths_and_issues_name_no_entry(words: str) -> None:
    assert not read_terms(Entry("rfc-404", "decision")).ids & read_question(Query(words)).ids


def test_a_short_number_alone_names_no_entry() -> None:
    assert read_terms(Entry("pep-8", "decision")).ids == {"I:pep-8", "I:pep 8"}
    assert not read_terms(Entry("pep-8", "decision")).ids & read_question(Query("8 spaces, 8 of them, step 8")).ids
    assert read_terms(Entry("conv-26/D1:3", "log")).ids == frozenset()


TRACE = 'Traceback (most recent call last):\n  File "a.py", line 1, in run\nValueError: omega\n'


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("alpha beta\ngamma", {"alpha", "beta"}),
        ("alpha\nValueError: omega\ngamma", {"alpha", "valueerror", "valu", "error", "omega"}),
        (TRACE + "gamma", {"valueerror", "valu", "error", "omega"}),
        ("Traceback (most recent call last):\ngamma", {"traceback", "recent", "call", "last"}),
        ("x\n" + "".join(f"error: w{n}\n" for n in range(5)), {"x", "w0", "w1", "w2"}),
    ],
)
def test_the_head_of_a_query_is_its_first_line_and_first_error_lines(text: str, head: set[str]) -> None:
    assert read_question(Query(text)).head == head


def test_a_pasted_log_counts_by_its_most_frequent_words() -> None:
    asked = read_question(
        Query(" ".join([*(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}x" for n in range(MOST_WORDS + 50)), "zeta zeta"]))
    )
    assert len(asked.words) == MOST_WORDS
    assert asked.words["zeta"] == pytest.approx(1.693147, abs=1e-6)


def test_words_near_a_mention_count_for_the_mentioned_entry() -> None:
    far, near = "alpha " * 30, "beta"
    text = f"{far}{near} see PEP 8 {near} {far}"
    assert words_beside(text, "M:pep-8") == {"ha": 1, "alpha": 47, "beta": 2, "see": 1, "pep": 1, "8": 1}
    assert words_beside("omega PEP 8 kappa PEP-0008", "M:pep-8") == {
        "omega": 2,
        "pep": 4,
        "8": 2,
        "0008": 2,
        "kappa": 2,
    }
    assert words_beside("omega PEP 8" + " tau PEP 8" * 20, "M:pep-8")["omega"] == 8
    assert words_beside("omega PEP 80", "M:pep-8") == {}


def test_a_word_is_cut_into_runs_of_four_characters() -> None:
    assert grams("omega") == {" ome", "omeg", "mega", "ega "}
    assert grams("ab") == {" ab "}
    assert grams("a") == {" a "}
