"""A summariser is asked twice at most and costs one notice; what it says is cleaned, cut and paid for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctxe.agent.state import State
from ctxe.agent.summarize import MOST_SAID, SECONDS, Summarizer
from ctxe.agent.transitions import apply
from ctxe.domain.conversation import Conversation, Reply, Step, ToolCall, ToolResult, Turn, Usage
from ctxe.domain.events import Consulted, Notice, Summarized
from ctxe.domain.model import Delta, Model, Prices, Provider, Request, TextDelta
from ctxe.providers.scripted import Line, Play, Scripted
from tests.support.counting import count_words

MODEL = Model("scripted", "cheap", 10_000, 1_000, Prices(1.0, 10.0))


def talked(steps: int, summary: Summarized | None = None) -> State:
    made = []
    for n in range(steps):
        call = ToolCall(f"c{n}", "read_file", f'{{"path": "file_{n}.py"}}')
        made.append(Step(Reply(f"looking at {n}", (call,)), (ToolResult(call.id, f"content_{n} " * 30),)))
    return State(Conversation((Turn("find the bug", (), tuple(made)),)), summary=summary)


def summarizer(*script: Line, clock: Iterator[float] | None = None) -> tuple[Summarizer, Scripted]:
    provider = Scripted(script, MODEL, count=count_words)
    times = clock or iter(float, 1.0)
    return Summarizer(
        lambda: provider, "Sum up.", count_words, lambda text: text.replace("KEY", "•"), times.__next__
    ), provider


def test_a_summary_is_cleaned_cut_and_paid_for() -> None:
    asks, provider = summarizer(Play("## Goal\nfind KEY " + "so " * 2_000, usage=Usage(1_000_000, 100_000)))
    (made,) = asks(talked(3), "the parser")
    assert isinstance(made, Summarized)
    assert made.text.startswith("## Goal\nfind •")
    assert count_words(made.text) <= MOST_SAID
    assert (made.steps, made.model, made.usd) == (3, "scripted/cheap", 2.0)
    (sent,) = provider.requests
    asked = repr(sent.messages)
    assert sent.system == ("Sum up.",)
    assert all(part in asked for part in ("find the bug", "file_2.py", "content_0", "the parser"))


def test_the_next_summary_reads_the_last_one_and_the_steps_since() -> None:
    asks, provider = summarizer("now this")
    list(asks(talked(5, Summarized("it was so", 3))))
    asked = repr(provider.requests[0].messages)
    assert "it was so" in asked
    assert "file_4.py" in asked
    assert "file_2.py" not in asked


FAILURES: tuple[Line, ...] = ("", "  \n", Play(error="overflow"), Play(error="auth"), Play("half", cut=True))


@pytest.mark.parametrize("failure", FAILURES)
def test_after_two_failures_a_session_asks_no_more(failure: Line) -> None:
    asks, provider = summarizer(failure, failure, "never asked for")
    *paid, told = asks(talked(2))
    assert isinstance(told, Notice)
    assert told.text.startswith("no summary by the model: ")
    assert len(paid) == (2 if isinstance(failure, str) else 0)
    assert list(asks(talked(4))) == []
    assert len(provider.requests) == 2


def test_an_empty_summary_is_paid_for() -> None:
    asks, _ = summarizer(Play(" ", usage=Usage(1_000_000, 100_000)), Play("so it was", usage=Usage(10, 1)))
    empty, made = asks(talked(3))
    assert empty == Consulted("sum up", "scripted/cheap", Usage(1_000_000, 100_000), 2.0)
    assert isinstance(made, Summarized)
    state = apply(apply(talked(3), empty), made)
    assert (state.usage, state.summary) == (Usage(1_000_010, 100_001), made)


def test_the_second_request_for_a_summary_is_half_as_long() -> None:
    asks, provider = summarizer(Play(error="overflow"), "short enough")
    (made,) = asks(talked(400))
    assert isinstance(made, Summarized)
    sizes = [count_words(repr(request.messages)) for request in provider.requests]
    assert sizes[1] < 0.6 * sizes[0] < MODEL.window
    assert "earlier parts are left out" in repr(provider.requests[1].messages)


class Dripping:
    """A model that never comes to an end."""

    model = MODEL

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """One letter after another."""
        while True:
            yield TextDelta("a")


def test_a_summary_that_never_ends_is_cut_off() -> None:
    provider: Provider = Dripping()
    times = iter(range(0, 100_000, int(SECONDS / 4)))
    asks = Summarizer(lambda: provider, "Sum up.", count_words, str, lambda: float(next(times)))
    (told,) = asks(talked(2))
    assert told == Notice(
        "no summary by the model: no answer within 60 seconds; the record stands without one", "warning"
    )
