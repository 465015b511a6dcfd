"""What a session leaves as proposals: wishes in the user's own words, working commands, and nothing twice."""

from __future__ import annotations

import json

import pytest

from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Touch, Turn
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.upkeep.digest import digest


def ran(*commands: tuple[str, bool]) -> tuple[Step, ...]:
    calls = [
        ToolCall(str(n), "run_command", json.dumps({"command": command})) for n, (command, _) in enumerate(commands)
    ]
    results = [ToolResult(str(n), "", ok) for n, (_, ok) in enumerate(commands)]
    return tuple(Step(Reply("", (call,)), (result,)) for call, result in zip(calls, results, strict=True))


def test_a_lasting_wish_is_proposed_in_the_users_words() -> None:
    edit = Step(
        Reply("", (ToolCall("1", "edit_file", "{}"),)), (ToolResult("1", "", touches=(Touch("a.py", "edit"),)),)
    )
    talk = Conversation((Turn("fix the bug\nand from now on use tabs in Makefiles", steps=(edit,)),))
    assert digest(talk, (), "s1") == (
        Entry(
            "",
            "preference",
            "and from now on use tabs in Makefiles",
            "proposed",
            by="session digest (proposed)",
            session="s1",
            turn="1",
            files=("a.py",),
        ),
    )


@pytest.mark.parametrize(
    ("words", "title", "text"),
    [
        ("I see. We decided to use JSONL.", "We decided to use JSONL.", "I see. We decided to use JSONL."),
        ("We decided to use JSONL.", "We decided to use JSONL.", ""),
        ("Always sort. Never print.", "Always sort. Never print.", ""),
    ],
)
def test_the_sentence_with_the_wish_becomes_the_title(words: str, title: str, text: str) -> None:
    (draft,) = digest(Conversation((Turn(words),)), ())
    assert (draft.title, draft.text) == (title, text)


@pytest.mark.parametrize(
    "words",
    [
        "fix the parser",
        "why do we use tabs?",
        "is it always like this",
        "always " + "x" * 400,
        "the loop never ends?",
        "",
    ],
)
def test_tasks_and_questions_are_not_proposed(words: str) -> None:
    assert digest(Conversation((Turn(words),)), ()) == ()


def test_a_working_command_is_proposed_once() -> None:
    runs = ran(
        ("cd /x && pytest -q tests 2>&1 | tail -5", False),
        ("pytest tests", True),
        ("ls", True),
        ("ls", True),
        ("ruff check .", True),
        ("make", False),
    )
    titles = [draft.title for draft in digest(Conversation((Turn("go", steps=runs),)), ())]
    assert titles == ["Tests: `pytest tests`"]
    known = (Entry("a", "routine", "How to test", text="Run `pytest tests` in the root"),)
    assert digest(Conversation((Turn("go", steps=runs),)), known) == ()


def test_known_entries_and_waiting_proposals_are_not_proposed_again() -> None:
    talk = Conversation((Turn("always use tabs in Makefiles"),))
    (draft,) = digest(talk, ())
    assert digest(talk, (Entry("a", "preference", "Use tabs in Makefiles", "proposed"),)) == ()
    assert digest(talk, (Entry("a", "log", draft.title),)) == (draft,)


def test_a_session_proposes_at_most_three_entries() -> None:
    words = "\n".join(f"always treat {name} with care" for name in ("parsers", "loops", "files", "locks", "tests"))
    assert len(digest(Conversation((Turn(words),)), ())) == 3


def changed(words: str, *paths: str) -> Turn:
    touches = tuple(Touch(path, "edit") for path in paths)
    step = Step(Reply("", (ToolCall("1", "edit_file", "{}"),)), (ToolResult("1", "", touches=touches),))
    return Turn(words, steps=(step,))


def test_decisions_and_corrections_are_proposed_in_the_users_words() -> None:
    talk = Conversation(
        (
            changed("no, use tabs instead", "a.mk"),
            changed("OK, let's go with SQLite for the cache", "cache.py"),
            changed("no, use httpx instead of requests", "net.py"),
            Turn("wrong"),
            Turn("shall we, let's use Redis?"),
        )
    )
    assert [(draft.kind, draft.title, draft.files) for draft in digest(talk, (), "s")] == [
        ("decision", "OK, let's go with SQLite for the cache", ("cache.py",)),
        ("preference", "no, use httpx instead of requests", ("net.py",)),
    ]


def test_files_that_always_change_together_are_proposed_once() -> None:
    three = [changed(f"step {n}", "api.py", "client.py", *(["log.py"] if n else [])) for n in range(3)]
    assert digest(Conversation(tuple(three[:2])), ()) == ()
    (draft,) = digest(Conversation(tuple(three)), (), "s1")
    assert (draft.kind, draft.title, draft.text, draft.files) == (
        "fact",
        "api.py and client.py change together",
        "In 3 turns of session s1 neither was changed without the other.",
        ("api.py", "client.py"),
    )
    assert digest(Conversation(tuple(three)), (draft,)) == ()


def test_invalid_call_arguments_propose_nothing() -> None:
    call = ToolCall("1", "run_command", '{"command":' + "[" * 100_000)
    steps = (Step(Reply("", (call,)), (ToolResult("1", "no", ok=False),)),)
    assert digest(Conversation((Turn("do it", steps=steps),)), ()) == ()
