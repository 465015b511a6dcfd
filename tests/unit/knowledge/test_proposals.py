"""Proposals of a model about a session: its request shows what is known, its answer is read with care."""

from __future__ import annotations

import json

import pytest

from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.upkeep.proposals import MOST_SAID, parse_proposals, proposal_prompt

HELD = (
    Entry("0001-aaaa", "decision", "Store sessions as JSONL", text="Appending is atomic.\n\nMore.", path="d.md"),
    Entry("0002-bbbb", "fact", "The port is 8080", path="f.md"),
)


def said(**values: object) -> str:
    return json.dumps({"kind": "fact", "title": "The cache is rebuilt by make", "text": "Because.", **values})


def test_the_question_holds_the_memory_and_the_newest_turns() -> None:
    step = Step(
        Reply("Looking.", (ToolCall("1", "run_command", '{"command": "make"}'),)), (ToolResult("1", "x" * 999, False),)
    )
    talk = Conversation((Turn("y" * MOST_SAID, steps=(step,) * 99), Turn("fix it", steps=(step, Step(Reply("Done."))))))
    asked = proposal_prompt(talk, HELD)
    assert asked == (
        '<memory from="memory">\n0001-aaaa decision: Store sessions as JSONL\nAppending is atomic.\n\n'
        "0002-bbbb fact: The port is 8080\n</memory>\n\n"
        '<memory from="session">\nuser: fix it\nmodel: Looking.\nrun_command {"command": "make"}\n'
        f"failed: {'x' * 300}\nmodel: Done.\n</memory>"
    )


def test_a_proposal_keeps_its_reason_and_the_entry_it_corrects() -> None:
    new = said(kind="decision", title="Sessions go to SQLite", files=["store.py", 7], replaces="0001-aaaa")
    assert parse_proposals(f"Sure:\n{new}\n", HELD, "s1", "openai/x") == (
        Entry(
            "",
            "decision",
            "Sessions go to SQLite",
            "proposed",
            by="session digest by openai/x (proposed)",
            session="s1",
            files=("store.py",),
            supersedes=("0001-aaaa",),
            text="Because.",
        ),
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "nothing worth keeping",
        "[1, 2]",
        "{" * 100_000,
        said(kind="failure"),
        said(kind=["fact"]),
        said(title=""),
        said(title="x" * 200),
        said(text="x" * 2000),
        said(title="Port is 8080"),
    ],
)
def test_malformed_and_known_proposals_are_dropped(answer: str) -> None:
    assert parse_proposals(answer, HELD, "s1", "m") == ()


def test_at_most_three_distinct_proposals_that_replace_existing_ids() -> None:
    many = "\n".join(
        said(title=title, replaces="0009-zzzz") for title in ("One thing", "One thing", "Two", "Three", "Four")
    )
    assert [(draft.title, draft.supersedes) for draft in parse_proposals(many, HELD, "s1", "m")] == [
        ("One thing", ()),
        ("Two", ()),
        ("Three", ()),
    ]
