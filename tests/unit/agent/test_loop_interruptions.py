"""Interrupted turns, failing providers and unwritable logs: what arrived is kept, and the session goes on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ctxe.agent.log import read_events
from ctxe.agent.state import State
from ctxe.agent.transitions import CUT_OFF, rebuild
from ctxe.domain.conversation import Fold, Position, Reply, StopReason, ToolResult, Usage
from ctxe.domain.errors import ContextOverflow, Unreachable
from ctxe.domain.events import Consulted, Event, Notice
from ctxe.domain.model import CallDelta, Delta, Request, Text, TextDelta, Waiting
from ctxe.domain.section import Chunk
from ctxe.providers.scripted import Play
from tests.unit.agent.loop_sessions import MODEL, finished, results, session


def test_an_interrupted_call_leaves_a_whole_conversation(tmp_path: Path) -> None:
    live, provider = session(
        tmp_path, Play("", [("echo", {"say": "raise"}), ("echo", {"say": "never"})]), "hello again"
    )
    with pytest.raises(KeyboardInterrupt):
        list(live.turn("go"))
    assert live.state.turn.outcome == "interrupted"
    assert finished(list(live.turn("still there?"))).outcome == "answered"
    blocks = [block for message in provider.requests[-1].messages for block in message.blocks]
    assert [b.text[:11] for b in blocks if isinstance(b, ToolResult)] == ["…\n[the user", "interrupted"]


def test_an_interrupted_answer_keeps_the_text_that_arrived(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "a long answer that is left in the middle of it all, as people do")
    stream = live.turn("go")
    for event in stream:
        if isinstance(event, TextDelta):
            break
    stream.close()
    (step,) = live.state.turn.steps
    assert step.reply.stop == "interrupted"
    assert "a long answer".startswith(step.reply.text[:13])
    assert live.state.turn.outcome == "interrupted"
    ledger = live.state.ledger
    assert ledger is not None
    assert live.state.usage == step.reply.usage == Usage(ledger.used, len(step.reply.text))
    assert live.state.usd == pytest.approx((ledger.used + 10 * len(step.reply.text)) / 1e6)
    assert rebuild(read_events(live.log.path)[0]).usd == live.state.usd


def test_an_answer_interrupted_before_its_first_word_is_paid_for_but_not_kept(tmp_path: Path) -> None:
    live, _ = session(tmp_path, Play("", [("echo", {"say": "a call that takes a while to write"})]))
    stream = live.turn("go")
    begun = next(event for event in stream if isinstance(event, CallDelta) and event.size > 8)
    stream.close()
    (paid,) = [event for event in read_events(live.log.path)[0] if isinstance(event, Consulted)]
    assert live.state.ledger is not None
    assert paid == Consulted(CUT_OFF, MODEL.id, Usage(live.state.ledger.used, begun.size // 4), live.state.usd)
    assert live.state.turn.steps == ()
    assert live.state.usd > 0


def test_a_provider_that_fails_ends_the_turn_and_the_next_one_works(tmp_path: Path) -> None:
    live, _ = session(tmp_path, Play(error="unreachable"), "back")
    seen: list[Event] = []
    with pytest.raises(Unreachable):
        seen.extend(live.turn("go"))
    assert live.state.turn.outcome == "failed"
    assert finished(list(live.turn("again"))).outcome == "answered"


def test_a_context_overflow_folds_once_and_repeats_the_request(tmp_path: Path) -> None:
    folds: list[str] = []

    def fold(state: State, cause: str) -> Fold | None:
        folds.append(cause)
        return Fold(Position(len(state.conversation.turns) - 1, 0), (Chunk("record", "before"),)) if cause else None

    live, provider = session(
        tmp_path, Play(error="overflow"), "fits now", Play(error="overflow"), Play(error="overflow"), fold=fold
    )
    assert finished(list(live.turn("go"))).outcome == "answered"
    assert folds == ["", "overflow"]
    with pytest.raises(ContextOverflow):
        list(live.turn("again"))
    assert len(provider.requests) == 4


def test_an_unwritable_log_is_reported_and_the_chat_goes_on(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "ok")
    live.log.path.mkdir()
    events = list(live.turn("go"))
    assert finished(events).outcome == "answered"
    notices = [event.text for event in events if isinstance(event, Notice)]
    assert [text.startswith("not logged: cannot append") for text in notices] == [True], "and told once"


def test_a_truncated_call_is_reported_and_never_runs(tmp_path: Path) -> None:
    cut = Play("I begin", [("echo", {"say": "HOSTILE"})], stop="length")
    live, provider = session(tmp_path, cut, "in small steps then")
    events = list(live.turn("go"))
    assert results(events) == []
    assert finished(events).outcome == "answered"
    assert [e.text for e in events if isinstance(e, Notice)] == [
        "the answer was cut at the model's output limit; echo was not run"
    ]
    told = provider.requests[-1].messages[-1].blocks[-1]
    assert isinstance(told, Text)
    assert "while it called echo; none of it was run" in told.text


@pytest.mark.parametrize(
    ("stop", "said"),
    [
        ("length", "the answer was cut at the model's output limit"),
        ("refusal", "the model refused to answer"),
        ("filtered", "the provider's filter stopped the answer"),
    ],
)
def test_an_answer_that_was_filtered_or_cut_says_so(tmp_path: Path, stop: StopReason, said: str) -> None:
    live, _ = session(tmp_path, Play("As far as", stop=stop))
    events = list(live.turn("go"))
    assert [event.text for event in events if isinstance(event, Notice)] == [said]
    assert finished(events).outcome == "answered"


class Stammering:
    """A model that begins again after a wait, and is interrupted before it comes to an end."""

    model = MODEL

    def stream(self, request: Request) -> Iterator[Delta | Reply]:
        """Words that are void, a wait, words that count, and the user's Ctrl-C."""
        yield TextDelta("void ")
        yield Waiting(1.0, "cut")
        yield TextDelta("what ")
        yield TextDelta("counts")
        raise KeyboardInterrupt


def test_an_interrupted_answer_keeps_the_text_since_the_last_retry(tmp_path: Path) -> None:
    live, _ = session(tmp_path, "never asked")
    live.ports = replace(live.ports, provider=Stammering())
    with pytest.raises(KeyboardInterrupt):
        list(live.turn("go"))
    (step,) = live.state.turn.steps
    assert live.state.ledger is not None
    usage = Usage(live.state.ledger.used, len("what counts"))
    assert step.reply == Reply("what counts", stop="interrupted", usage=usage, model=MODEL.id)
    assert live.state.turn.outcome == "interrupted"
