"""Tool output is cleaned on every path: to the model, the screen, the log and the memory of failures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctxe.agent.dispatch import PIECES, STOPPED, Dispatcher
from ctxe.domain.conversation import ToolCall, ToolResult, Touch
from ctxe.domain.errors import ToolError
from ctxe.domain.events import Event, ToolFinished, ToolStarted
from ctxe.domain.model import ToolSchema
from ctxe.domain.tool import (
    Action,
    Allow,
    Answer,
    Ask,
    Decision,
    Deny,
    KnownFailure,
    Progress,
    Risk,
    Tool,
    ToolOutput,
    without_progress,
)

CALL = ToolCall("c1", "run", "{}")


def ran(*items: Progress | ToolOutput | BaseException, seen: list[ToolOutput] | None = None) -> Iterator[Event]:
    """One call of a tool that yields (or raises) these; ``seen`` takes what is asked of remembered failures."""

    def run() -> Iterator[Progress | ToolOutput]:
        for item in items:
            if isinstance(item, BaseException):
                raise item
            yield item

    def recognised(output: ToolOutput) -> KnownFailure | None:
        if seen is not None:
            seen.append(output)
        return None

    tool = Tool(ToolSchema("run", "", {}), Risk.EXECUTE, lambda _: Action("run", "run KEY", Risk.EXECUTE, run))
    return Dispatcher(
        {"run": tool},
        lambda _: Allow(),
        lambda *_: Allow(),
        lambda output: (output.text[:12], "h1" if len(output.text) > 12 else ""),
        lambda text: text.replace("KEY", "•"),
        recognise_failure=recognised,
    )(CALL)


def end(events: Iterator[Event]) -> ToolFinished:
    (*_, last) = events
    assert isinstance(last, ToolFinished)
    return last


def test_text_display_and_facts_are_cleaned_before_anybody_sees_them() -> None:
    facts = {
        "command": "x",
        "exit_code": 1,
        "error": {"class": "E", "message": "bad KEY", "line": 3},
        "tests": {"failed": ["t[KEY]", "u"], "passed": 2, "runner": None},
    }
    seen: list[ToolOutput] = []
    touch = Touch("KEY.py", "read", "d")
    done = end(ran(ToolOutput("KEY and more than that", False, "a KEY", "shell", (touch,), facts), seen=seen))
    clean = {
        "command": "x",
        "exit_code": 1,
        "error": {"class": "E", "message": "bad •", "line": 3},
        "tests": {"failed": ["t[•]", "u"], "passed": 2, "runner": None},
    }
    assert seen == [ToolOutput("• and more than that", False, "a •", "shell", (touch,), clean)]
    assert done.result == ToolResult("c1", "• and more t", False, "h1", (touch,))
    assert (done.display, done.full, done.facts) == ("a •", "• and more than that", clean)


def test_the_title_of_a_call_is_cleaned() -> None:
    started, *_, done = ran(ToolOutput("done"))
    assert isinstance(started, ToolStarted)
    assert isinstance(done, ToolFinished)
    assert (started.title, done.title) == ("run •", "run •")


def test_a_tool_with_only_progress_or_no_output_has_a_result() -> None:
    assert end(ran(Progress("talk"))).result == ToolResult("c1", "the tool ended without a result", ok=False)
    assert end(ran(ToolOutput(""))).result == ToolResult("c1", "(no output)")
    assert end(ran(ToolError("no KEY"))).result == ToolResult("c1", "no •", ok=False)


def test_an_interrupted_tool_keeps_its_newest_output() -> None:
    pieces = [Progress(f"{n} ") for n in range(PIECES + 2)]
    got: list[Event] = []
    with pytest.raises(KeyboardInterrupt):
        got.extend(ran(*pieces, Progress("KEY"), KeyboardInterrupt()))
    started, *_, last = got
    assert isinstance(started, ToolStarted)
    assert isinstance(last, ToolFinished)
    assert last.full == " ".join(str(n) for n in range(3, PIECES + 2)) + f" •\n{STOPPED}"
    assert not last.result.ok


@pytest.mark.parametrize(
    ("decision", "answer", "granted", "by"),
    [
        (Allow("run:x"), Deny("never asked"), [], "rule"),
        (Ask("why"), Allow("run:x"), ["run:x"], "user"),
        (Ask("why"), Allow(), [], "user"),
    ],
)
def test_only_what_a_person_allows_for_always_is_granted(
    decision: Decision, answer: Answer, granted: list[str], by: str
) -> None:
    rules: list[str] = []
    tool = Tool(
        ToolSchema("run", "", {}),
        Risk.EXECUTE,
        lambda _: Action("run", "run it", Risk.EXECUTE, without_progress(lambda: ToolOutput("out"))),
    )
    dispatcher = Dispatcher(
        {"run": tool},
        lambda _: decision,
        lambda *_: answer,
        lambda output: (output.text, ""),
        str,
        on_granted=rules.append,
    )
    events = list(dispatcher(CALL))
    assert events[0] == ToolStarted("c1", "run", "run it", by)
    assert rules == granted
    assert 0.0 <= end(iter(events)).seconds < 60.0
