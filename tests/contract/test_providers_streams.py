"""Streams exactly as they are read: one table of replies over every provider, broken calls and empty answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import Reply, StopReason, ToolCall, Usage
from ctxe.domain.errors import BadReply
from ctxe.domain.model import CallDelta, Provider, ReasoningDelta, TextDelta
from ctxe.providers.scripted import Play, Scripted
from tests.wire import server as wire
from tests.wire.adapters import APIS, MODEL, hear, patience, speak, waits

CALLS = (wire.Call("read_file", {"path": "ä"}, id="c-a"), wire.Call("run", "{}", id="c-b"))
TOOLS = (ToolCall("c-a", "read_file", '{"path": "ä"}'), ToolCall("c-b", "run", "{}"))
USAGE = Usage(100, 10, 60, 20)
SPENT = wire.Usage(100, 10, 60, 20)
CASES: dict[str, tuple[wire.Reply, Reply]] = {
    "words": (wire.Reply("Hi there, näïve 𝄞 world", usage=SPENT), Reply("Hi there, näïve 𝄞 world", (), "end", USAGE)),
    "one call and no words": (wire.Reply(calls=CALLS[:1], usage=SPENT), Reply("", TOOLS[:1], "tools", USAGE)),
    "words and parallel calls": (
        wire.Reply("Both.", calls=CALLS, usage=SPENT, piece=1),
        Reply("Both.", TOOLS, "tools", USAGE),
    ),
    "calls although the server says that it ended": (
        wire.Reply(calls=CALLS, stop="end", usage=SPENT),
        Reply("", TOOLS, "tools", USAGE),
    ),
    "cut by the limit": (wire.Reply("Half of", stop="length", usage=SPENT), Reply("Half of", (), "length", USAGE)),
    "cut by the limit before any word": (wire.Reply(stop="length", usage=SPENT), Reply("", (), "length", USAGE)),
    "a whole-looking call under the limit": (
        wire.Reply("Now", calls=CALLS, stop="length", usage=SPENT),
        Reply("Now", (), "length", USAGE, dropped=("read_file", "run")),
    ),
    "a refusal": (wire.Reply("I will not.", stop="refusal", usage=SPENT), Reply("I will not.", (), "refusal", USAGE)),
    "an unknown reason to stop": (wire.Reply("Odd.", stop="bored", usage=SPENT), Reply("Odd.", (), "end", USAGE)),
    "nothing in the cache": (wire.Reply("Hi", usage=wire.Usage(7, 2)), Reply("Hi", (), "end", Usage(7, 2))),
    "no usage": (wire.Reply("Hi", usage=None), Reply("Hi", (), "end", None)),
    "many events a word": (wire.Reply("abc", piece=1, usage=SPENT), Reply("abc", (), "end", USAGE)),
}
STOPS: dict[str, StopReason] = {"length": "length", "refusal": "refusal"}


def scripted(case: wire.Reply) -> Provider:
    usage = (
        Usage(case.usage.input, case.usage.output, case.usage.cache_read, case.usage.cache_write)
        if isinstance(case.usage, wire.Usage)
        else None
    )
    calls = tuple((call.name, call.arguments, call.id or "") for call in case.calls)
    return Scripted([Play(case.text, calls, STOPS.get(case.stop, ""), usage=usage)], MODEL)


@pytest.mark.parametrize("kind", [*APIS, "scripted"])
@pytest.mark.parametrize("case", CASES)
def test_the_reply_is_exactly_as_recorded(case: str, kind: str) -> None:
    played, wanted = CASES[case]
    if kind == "scripted":
        deltas, reply = hear(scripted(played))
        usage = wanted.usage or reply.usage
    else:
        with wire.WireServer([played]) as server:
            deltas, reply = hear(speak(kind, server.url))
            assert len(server.requests) == 1
        usage = wanted.usage
    assert reply == replace(wanted, model="wire/wire-model", usage=usage)
    assert "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)) == wanted.text
    announced = {delta.name for delta in deltas if isinstance(delta, CallDelta)}
    assert announced >= {call.name for call in wanted.calls}


def test_one_hour_cache_writes_are_counted_separately() -> None:
    spent = wire.Usage(1_000, 10, 600, 300, 250)
    with wire.WireServer([wire.Reply("Hi", usage=spent)]) as server:
        _, reply = hear(speak("messages", server.url))
    assert reply.usage == Usage(1_000, 10, 600, 300, 250)


@pytest.mark.parametrize("odd", [None, [], {"ephemeral_1h_input_tokens": None}, {"ephemeral_1h_input_tokens": 10**9}])
def test_inconsistent_cache_figures_never_exceed_what_was_written(odd: Any) -> None:
    usage = {"input_tokens": 10, "output_tokens": 1, "cache_creation_input_tokens": 20, "cache_creation": odd}
    frames: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": usage}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": "Hi"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        {"type": "message_stop"},
    ]
    text = "".join(f"event: {frame['type']}\ndata: {json.dumps(frame)}\n\n" for frame in frames)
    with wire.WireServer([wire.Answer(200, text, {"content-type": "text/event-stream"})]) as server:
        _, reply = hear(speak("messages", server.url))
    hour = 20 if isinstance(odd, dict) and odd["ephemeral_1h_input_tokens"] else 0
    assert reply.usage == Usage(30, 2, 0, 20, hour)


@pytest.mark.parametrize("api", APIS)
def test_reasoning_is_shown_and_sealed(api: str) -> None:
    with wire.WireServer([wire.Reply("Yes.", reasoning="weighing it", piece=4)]) as server:
        deltas, reply = hear(speak(api, server.url))
    assert "".join(delta.text for delta in deltas if isinstance(delta, ReasoningDelta)) == "weighing it"
    assert reply.text == "Yes."
    assert bool(reply.carry) == (api != "chat")


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_filtered_answer_says_so(api: str) -> None:
    with wire.WireServer([wire.Reply("Some", stop="filtered")]) as server:
        _, reply = hear(speak(api, server.url))
    assert (reply.text, reply.stop) == ("Some", "filtered")


@pytest.mark.parametrize("api", APIS)
def test_an_answer_cut_after_only_whitespace_is_empty(api: str) -> None:
    with wire.WireServer([wire.Reply("  \n", stop="length")]) as server:
        _, reply = hear(speak(api, server.url))
    assert (reply.text, reply.stop) == ("", "length")


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("fault", ["id-frames", "crlf", "unknown-events", "comment", "drip"])
def test_unusual_but_legal_event_streams_are_read(fault: Any, api: str) -> None:
    played = wire.Reply("Hi there", calls=CALLS, usage=SPENT, fault=fault, seconds=0.01)
    with wire.WireServer([played]) as server:
        _, reply = hear(speak(api, server.url))
        assert len(server.requests) == 1
    assert (reply.text, reply.calls, reply.usage) == ("Hi there", TOOLS, USAGE)


@pytest.mark.parametrize("api", APIS)
def test_a_line_of_five_megabytes_is_read(api: str) -> None:
    text = "0123456789abcdef" * (5 * 1024 * 64)
    with wire.WireServer([wire.Reply(text, piece=len(text))]) as server:
        _, reply = hear(speak(api, server.url))
    assert reply.text == text


@pytest.mark.parametrize("api", APIS)
def test_a_call_with_broken_json_is_requested_once_more(api: str) -> None:
    broken = wire.Reply(calls=[wire.Call("run", '{"command": "rm', id="c-a")])
    with wire.WireServer([broken, wire.Reply(calls=CALLS[:1])]) as server:
        deltas, reply = hear(speak(api, server.url))
        assert len(server.requests) == 2
    assert (reply.calls, waits(deltas)) == (TOOLS[:1], ["a tool call with broken JSON"])


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("arguments", ['{"command": "rm', "[1, 2]", '"words"', '{"x": NaN}', "[" * 100_000])
def test_a_call_that_stays_broken_is_passed_on_unchanged(arguments: str, api: str) -> None:
    broken = wire.Reply(calls=[wire.Call("run", arguments, id="c-a")], piece=20_000)
    with wire.WireServer([broken, broken]) as server:
        _, reply = hear(speak(api, server.url))
        assert len(server.requests) == 2
    assert (reply.calls, reply.stop) == ((ToolCall("c-a", "run", arguments),), "tools")


@pytest.mark.parametrize("api", APIS)
def test_an_empty_answer_is_requested_again_and_then_reported(api: str) -> None:
    with wire.WireServer([wire.Reply(), wire.Reply("  \n"), wire.Reply("Here.")]) as server:
        deltas, reply = hear(speak(api, server.url))
        assert (reply.text, waits(deltas)) == ("Here.", ["an empty answer"] * 2)
    with wire.WireServer(then=wire.Reply(reasoning="only thoughts")) as server:
        with pytest.raises(BadReply, match=r"^wire gave an empty answer \(3 requests"):
            hear(speak(api, server.url, patience()))
        assert len(server.requests) == 3
