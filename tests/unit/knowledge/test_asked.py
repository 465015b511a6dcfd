"""Questions about what was decided or went wrong before, in the words people use for them, and words that are none."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctxe.domain.section import Task
from ctxe.knowledge.asked import asked_kind
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.memory import Memory
from ctxe.knowledge.recall.query import Query
from ctxe.knowledge.recall.ranker import Ranker
from ctxe.knowledge.recall.search import Search
from tests.unit.knowledge.stores import store_in


@pytest.mark.parametrize(
    "words",
    [
        "what did we decide about flag values and defaults?",
        "ok, what did we agree on for the pager",
        "did we settle on tabs?",
        "which decision covers colors?",
        "why was it decided to drop Python 3.9?",
        "is there a decision about migrations",
        "Can you remind me what we decided on caching?",
        "have we ever agreed to break the API",
    ],
)
def test_questions_about_decisions_ask_for_decisions(words: str) -> None:
    assert asked_kind(words)[0] == "decision"


@pytest.mark.parametrize(
    "words",
    [
        "did this fail before?",
        "have we seen this error before",
        "what went wrong last time with the upload?",
        "what did you try earlier for the flaky test",
        "has the build broken like this already?",
    ],
)
def test_questions_about_earlier_trouble_ask_for_failures(words: str) -> None:
    assert asked_kind(words) == ("failure", words)


@pytest.mark.parametrize(
    "words",
    [
        "how does click decide whether colors are stripped?",
        "where is it decided which parser runs",
        "we decided to use JSON: change the store",
        "fix the decision tree",
        "what fails in the tests?",
        "run it as before",
        "why is the cache wrong?",
        "do it as decision 7 says",
        "do the migration before the decision is forgotten",
        "why does decision 12 forbid it?",
        "which decision functions does the planner use",
        "is the decision table loaded lazily",
        "what did we break in the decision tree renderer?",
        "how do I see what was wrong before the crash",
        "",
    ],
)
def test_other_words_ask_for_no_kind(words: str) -> None:
    assert asked_kind(words) == ("", "")


def test_who_asks_for_a_decision_is_shown_it_though_it_would_not_be_shown_unasked(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    for number in range(60):
        topic = ("parser", "color", "prompt", "completion", "pager")[number % 5]
        store.add(Entry("", "decision", f"Keep the {topic} of kind {number} as it was", text=f"See {topic} {number}."))
    wanted = store.add(Entry("", "decision", "Tell an absent value from an empty default", text="Flags may be unset."))

    def recalled(words: str) -> list[str]:
        sections = Memory(store, lambda text: len(text.split()), tmp_path, tmp_path).offer(Task(words), 2_500)
        return [chunk.id for section in sections if section.name == "recalled" for chunk in section.chunks]

    assert recalled("does it print a value twice?") == []
    assert recalled("what did we decide about values?") == [wanted.id]
    assert recalled("what did we decide about databases?") == []
    search = Search(store.entries(), lambda text: len(text.split()), Ranker())
    found = search.search(Query("what did we decide about values?", inject=True))
    assert [result.id for result in found.results] == [wanted.id], "the search says what is put before a model"


def test_the_words_of_the_question_itself_find_nothing(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(Entry("", "decision", "The pager has no colors", text="We decided so: what users asked for."))
    sections = Memory(store, lambda text: len(text.split()), tmp_path, tmp_path).offer(
        Task("what did we decide about databases?"), 2_500
    )
    assert [section.name for section in sections if section.chunks] == ["memory"]


def test_a_title_with_which_the_text_begins_is_shown_once(tmp_path: Path) -> None:
    store = store_in(tmp_path)
    store.add(
        Entry("", "decision", "Sessions are stored as JSONL", text="Sessions are stored as JSONL, a line an event.")
    )
    sections = Memory(store, lambda text: len(text.split()), tmp_path, tmp_path).offer(
        Task("what did we decide about sessions?"), 2_500
    )
    (chunk,) = next(section.chunks for section in sections if section.name == "recalled")
    assert chunk.text.count("Sessions are stored as JSONL") == 1
