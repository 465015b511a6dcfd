"""A partial answer: which end is valid, what makes it unusable, and which of its calls may run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ctxe.domain.conversation import Reply, StopReason, ToolCall, Usage
from ctxe.domain.errors import BadReply
from ctxe.domain.model import Delta, Message, Request, Text, TextDelta
from ctxe.providers.draft import Draft, Slot
from ctxe.providers.faults import Endpoint, RequestFault

AT = Endpoint("demo", "m", "http://127.0.0.1:9")
REQUEST = Request((), (), (Message("user", (Text("go"),)),), 100)
ODD = (AttributeError("x"), KeyError("x"), TypeError("x"), ValueError("x"))


def slot(identity: str, arguments: str = '{"a": 1}') -> Slot:
    return Slot(identity, "run", [arguments])


def finished(draft: Draft, error: Exception | None = None, stop: StopReason | None = "end") -> list[Delta | Reply]:
    """What comes of words, then maybe the terminal event, then maybe something that breaks."""

    def deltas() -> Iterator[Delta]:
        draft.text.append("hi")
        yield TextDelta("hi")
        draft.stop = stop
        if error is not None:
            raise error

    return list(draft.finish(deltas(), AT, REQUEST, "demo/m"))


@pytest.mark.parametrize("error", [None, *ODD, RequestFault(BadReply("late"), "late")])
def test_an_error_after_the_end_of_the_stream_does_no_harm(error: Exception | None) -> None:
    draft = Draft(usage=Usage(5, 2))
    assert finished(draft, error) == [TextDelta("hi"), Reply("hi", usage=Usage(5, 2), model="demo/m")]


@pytest.mark.parametrize("error", ODD)
def test_odd_events_before_the_end_are_reported_as_a_fault(error: Exception) -> None:
    with pytest.raises(RequestFault) as caught:
        finished(Draft(), error, stop=None)
    assert caught.value.error.message == "the answer of demo cannot be used: events of an unknown shape"


def test_an_answer_without_an_end_is_truncated_and_a_fault_stays_itself() -> None:
    with pytest.raises(RequestFault) as caught:
        finished(Draft(), stop=None)
    assert caught.value.error.message == "the answer of demo cannot be used: it ended in the middle"
    fault = RequestFault(BadReply("overloaded"), "busy")
    with pytest.raises(RequestFault) as passed:
        finished(Draft(), fault, stop=None)
    assert passed.value is fault


def test_an_internal_error_is_not_reported_as_an_odd_event() -> None:
    with pytest.raises(ZeroDivisionError):
        finished(Draft(), ZeroDivisionError(), stop=None)


@pytest.mark.parametrize("stop", ["length", "refusal", "filtered"])
def test_calls_of_a_truncated_answer_are_named_but_dropped(stop: StopReason) -> None:
    reply = Draft(["half"], [slot("call_longer_id")], stop).reply(AT, REQUEST, "demo/m")
    assert (reply.calls, reply.dropped, reply.stop) == ((), ("run",), stop)


def test_a_call_keeps_its_id_unless_it_is_too_short_or_taken() -> None:
    def ids(request: Request) -> list[str]:
        slots = [slot("call_longer_id"), slot("call_longer_id"), slot("call_1"), slot("")]
        reply = Draft([], slots, "tools").reply(AT, request, "demo/m")
        assert reply.stop == "tools"
        return [call.id for call in reply.calls]

    first = ids(REQUEST)
    assert first[0] == "call_longer_id"
    assert len(set(first)) == 4
    assert ids(REQUEST) == first
    taken = Message("assistant", (ToolCall("call_longer_id", "run", "{}"),))
    later = ids(Request((), (), (*REQUEST.messages, taken), 100))
    assert len({*first, *later}) == 8


@pytest.mark.parametrize(("arguments", "told"), [("", "{}"), ("  ", "{}"), ('{"a": 1}', '{"a": 1}')])
def test_a_call_without_arguments_has_the_empty_object(arguments: str, told: str) -> None:
    reply = Draft([], [slot("call_longer_id", arguments)], "end").reply(AT, REQUEST, "demo/m")
    assert reply.calls == (ToolCall("call_longer_id", "run", told),)


@pytest.mark.parametrize("arguments", ["{", "[]", "3", '{"a": NaN}', "[" * 5_000])
def test_broken_arguments_are_a_fault_that_carries_the_reply(arguments: str) -> None:
    with pytest.raises(RequestFault) as caught:
        Draft([], [slot("call_longer_id", arguments)], "end").reply(AT, REQUEST, "demo/m")
    assert caught.value.reply is not None
    assert caught.value.reply.calls == (ToolCall("call_longer_id", "run", arguments),)


def test_an_answer_without_text_and_calls_is_an_empty_answer_fault() -> None:
    with pytest.raises(RequestFault, match="an empty answer"):
        Draft([" \n"], [], "end").reply(AT, REQUEST, "demo/m")
    assert Draft([" \n"], [], "length").reply(AT, REQUEST, "demo/m").text == ""
