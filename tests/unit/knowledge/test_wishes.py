"""Only lasting wishes and decisions of the user become proposals: no question, quotation, report or single task."""

from __future__ import annotations

import json

import pytest

from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn
from ctxe.knowledge.entries.entry import Entry
from ctxe.knowledge.upkeep.digest import digest

KEPT = """always use tabs in Makefiles
never commit to main
Please never touch the lock file by hand
we use pnpm here, not npm
in this repo we use conventional commits
In this project all dates are UTC
we don't mock the database
I prefer small commits
you must always run the linter
make sure you always add a changelog entry
tests must never hit the network
don't ever push tags
we always squash merges
ab jetzt immer auf Deutsch antworten
no, use httpx instead of requests"""
DECIDED = """let's go with sqlite
OK, let's use Redis for the cache
we decided to drop Python 3.8
We'll go with parsing by argparse
decision: API versions live in the path
let's stick with unittest"""
NOTHING = """the loop never ends
The server never starts when the port is used, fix it
users always see a 404
it is always None here
I never saw that before
in this repo there is a bug in the parser
the parser we use is slow
we don't know why this fails
let's go with the first option
let's use that
let's go with option 2
let's use your suggestion
let's keep going
let's keep it simple
let's use tabs for now
temporarily let's use the old API
just this once, never mind the linter
let's use Redis?
should we always use tabs
could you always log this
why do we use npm
the docs say always use tabs
he said "always use tabs"
the error says never call this twice
fix the comment "never call this"
> always use tabs
    always use tabs
thanks, always a pleasure
never mind
rename always_on to enabled
no, use that instead"""


def proposed(*words: str) -> list[tuple[str, str]]:
    turns = tuple(Turn(said, steps=(Step(Reply("Done."), ()),)) for said in ("fix it", *words))
    return [(draft.kind, draft.title) for draft in digest(Conversation(turns), ())]


@pytest.mark.parametrize("words", KEPT.splitlines())
def test_lasting_wishes_are_proposed(words: str) -> None:
    assert proposed(words) == [("preference", words)]


@pytest.mark.parametrize("words", DECIDED.splitlines())
def test_decisions_are_proposed(words: str) -> None:
    assert proposed(words) == [("decision", words)]


@pytest.mark.parametrize("words", NOTHING.splitlines())
def test_questions_quotations_and_one_off_tasks_are_not_proposed(words: str) -> None:
    assert proposed(words) == []


def test_file_content_in_a_message_is_not_proposed() -> None:
    assert proposed("here it is:\n```\nalways use tabs\nlet's use redis\n```\nfix it") == []
    page = [f"Line {n} of the guide." for n in range(30)]
    page[15] = "Always use tabs."
    assert proposed("\n".join(page)) == []


def ran(*commands: str) -> Conversation:
    calls = [ToolCall(str(n), "run_command", json.dumps({"command": command})) for n, command in enumerate(commands)]
    steps = tuple(Step(Reply("", (call,)), (ToolResult(call.id, ""),)) for call in calls)
    return Conversation((Turn("go", steps=steps),))


def test_the_widest_command_of_each_purpose_is_proposed() -> None:
    part = "pytest tests/unit/test_a.py::test_b"
    runs = (part, part, "pytest tests/unit", "pytest tests/unit", "pytest", "pytest", "go test -run X ./a") * 2
    assert [draft.title for draft in digest(ran(*runs), ())] == ["Tests: `pytest`"]
    assert digest(ran(part, part), ()) == ()
    module = "python -m unittest test_calc"
    assert [draft.title for draft in digest(ran(module, module), ())] == [f"Tests: `{module}`"]
    known = (Entry("a", "routine", "Tests: `make test`"),)
    assert digest(ran("pytest", "pytest"), known) == ()
