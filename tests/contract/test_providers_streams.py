"""Streams as they are really read: one table of replies over every provider, and the odd ways of compatible servers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import Reply, StopReason, ToolCall, ToolResult, Usage
from ctxe.domain.errors import BadReply
from ctxe.domain.model import CallDelta, Carry, Message, Provider, ReasoningDelta, Request, Text, TextDelta
from ctxe.providers.scripted import Play, Scripted
from tests.wire import server as wire
from tests.wire.adapters import APIS, HELLO, MODEL, hear, patience, speak, waits

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


def sse(*chunks: Any) -> wire.Answer:
    frames = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]
    return wire.Answer(200, "".join(f"data: {frame}\n\n" for frame in frames), {"content-type": "text/event-stream"})


def delta(finish: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": finish}]}


def part(arguments: Any = None, name: str | None = None, **fields: Any) -> dict[str, Any]:
    return delta(tool_calls=[{**fields, "function": {"name": name, "arguments": arguments}}])


STOP = delta("stop")
A, B = '{"path": "a"}', '{"path": "b"}'

DIALECTS: dict[str, tuple[wire.Answer, tuple[tuple[str, str], ...]]] = {
    "no index, ids": (sse(part(A, "read", id="x-a"), part(B, "read", id="x-b"), STOP), (("read", A), ("read", B))),
    "no index, no ids, whole calls": (sse(part(A, "read"), part(B, "read"), STOP), (("read", A), ("read", B))),
    "no index, no ids, in pieces": (sse(part("", "read"), part('{"path": '), part('"a"}'), STOP), (("read", A),)),
    "every call numbered 0": (
        sse(part(A, "read", index=0, id="x-a"), part(B, "read", index=0, id="x-b"), STOP),
        (("read", A), ("read", B)),
    ),
    "every call numbered 0, without ids": (
        sse(part(A, "read", index=0), part(B, "run", index=0), STOP),
        (("read", A), ("run", B)),
    ),
    "the name in every piece": (
        sse(part('{"path": ', "read", index=0, id="x-a"), part('"a"}', "read", index=0, id="x-a"), STOP),
        (("read", A),),
    ),
    "one id and index for all": (
        sse(part(A, "read", index=0, id="x"), part(B, "run", index=0, id="x"), STOP),
        (("read", A), ("run", B)),
    ),
    "the name in pieces": (sse(part("", "re", index=0, id="x-a"), part(A, "ad", index=0), STOP), (("read", A),)),
    "arguments as an object": (sse(part({"path": "a"}, "read", index=0, id="x-a"), STOP), (("read", A),)),
    "no arguments at all": (sse(part(None, "now", index=0, id="x-a"), STOP), (("now", "{}"),)),
    "pieces of two calls mixed": (
        sse(
            part('{"path": ', "read", index=0, id="x-a"),
            part('{"path": ', "read", index=1, id="x-b"),
            part('"a"}', index=0),
            part('"b"}', index=1),
            STOP,
        ),
        (("read", A), ("read", B)),
    ),
}


@pytest.mark.parametrize("case", DIALECTS)
def test_calls_of_every_dialect_are_read(case: str) -> None:
    answer, wanted = DIALECTS[case]
    with wire.WireServer([answer]) as server:
        _, reply = hear(speak("chat", server.url))
    assert tuple((call.name, call.arguments) for call in reply.calls) == wanted
    assert len({call.id for call in reply.calls} - {""}) == len(wanted)


@pytest.mark.parametrize("name", ["", "0", "call_0", "same"])
def test_duplicate_call_ids_are_replaced(name: str) -> None:
    twins = sse(part(A, "read", index=0, id=name), part(B, "read", index=1, id=name), STOP)
    with wire.WireServer([twins, twins, twins, twins]) as server:
        provider = speak("chat", server.url)
        _, first = hear(provider)
        _, again = hear(provider)
        results = tuple(ToolResult(call.id, "ok") for call in first.calls)
        more = (*HELLO.messages, Message("assistant", first.calls), Message("user", results))
        _, second = hear(provider, replace(HELLO, messages=more))
        assert server.refused == []
    assert [call.id for call in again.calls] == [call.id for call in first.calls]
    ids = [call.id for call in (*first.calls, *second.calls)]
    assert len(set(ids)) == 4


USAGES: dict[str, tuple[dict[str, Any], Usage | None]] = {
    "no details": ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 2)),
    "details that are null": ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": None}, Usage(9, 2)),
    "DeepSeek's cache hits": (
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_cache_hit_tokens": 4},
        Usage(9, 2, 4),
    ),
    "more cached than sent": (
        {"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 90}},
        Usage(9, 2, 9),
    ),
    "nothing but zeros": ({"prompt_tokens": 0, "completion_tokens": 0}, None),
    "nonsense": (
        {"prompt_tokens": "many", "completion_tokens": -3, "prompt_tokens_details": {"cached_tokens": 1.5}},
        None,
    ),
    "null": ({"prompt_tokens": None, "completion_tokens": None}, None),
}


@pytest.mark.parametrize("case", USAGES)
def test_usage_of_every_dialect_is_normalised(case: str) -> None:
    reported, wanted = USAGES[case]
    with wire.WireServer([sse(delta(content="Hi"), STOP, {"choices": [], "usage": reported}, "[DONE]")]) as server:
        _, reply = hear(speak("chat", server.url))
    assert (reply.text, reply.usage) == ("Hi", wanted)


def test_usage_is_found_in_the_last_chunk_or_in_its_own_field() -> None:
    numbers = {"prompt_tokens": 9, "completion_tokens": 2}
    early = sse(delta("stop", content="Hi") | {"usage": numbers}, "[DONE]")
    groq = sse(delta("stop", content="Hi") | {"x_groq": {"usage": numbers}}, "[DONE]")
    with wire.WireServer([early, groq]) as server:
        provider = speak("chat", server.url)
        assert [hear(provider)[1].usage for _ in range(2)] == [Usage(9, 2)] * 2


def test_a_server_without_stop_reasons_is_retried_once_and_accepted_from_then_on() -> None:
    words = sse(delta(content="Hi"), "[DONE]")
    called = sse(delta(content="Now."), part(A, "x", index=0, id="c-a"), "[DONE]")
    with wire.WireServer([words, words, called, words]) as server:
        provider = speak("chat", server.url)
        first, called_then, last = (hear(provider) for _ in range(3))
    assert [reply.text for _, reply in (first, last)] == ["Hi", "Hi"]
    assert called_then[1] == Reply("Now.", (ToolCall("c-a", "x", A),), "tools", None, "wire/wire-model")
    assert [len(waits(deltas)) for deltas, _ in (first, called_then, last)] == [1, 0, 0]


def test_an_answer_without_a_stop_reason_among_others_was_truncated() -> None:
    cut, whole = sse(delta(content="Hi th"), "[DONE]"), sse(delta(content="Hi there"), STOP, "[DONE]")
    with wire.WireServer([cut, whole, whole, cut, whole]) as server:
        provider = speak("chat", server.url)
        assert [hear(provider)[1].text for _ in range(3)] == ["Hi there"] * 3


def test_an_answer_from_a_server_that_does_not_stream_is_read() -> None:
    message = {
        "role": "assistant",
        "content": "Hi",
        "tool_calls": [{"id": "c-a", "function": {"name": "x", "arguments": A}}],
    }
    whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": {"prompt_tokens": 5}}
    with wire.WireServer([wire.Answer(200, whole)]) as server:
        _, reply = hear(speak("chat", server.url))
    assert reply == Reply("Hi", (ToolCall("c-a", "x", A),), "tools", Usage(5, 0), "wire/wire-model")


def test_typed_content_parts_are_read() -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    with wire.WireServer([sse(delta(content=[thought, {"type": "text", "text": "Hi"}]), STOP)]) as server:
        deltas, reply = hear(speak("chat", server.url))
    assert [item for item in deltas if not isinstance(item, CallDelta)] == [ReasoningDelta("hm"), TextDelta("Hi")]
    assert reply.text == "Hi"


@pytest.mark.parametrize(("echo", "back"), [(True, "hm hm"), (False, None)])
def test_reasoning_is_sent_back_to_hosts_that_require_it(echo: bool, back: str | None) -> None:
    with wire.WireServer([wire.Reply("Hi", reasoning="hm hm"), wire.Reply("ok")]) as server:
        provider = speak("chat", server.url, echo_reasoning=echo)
        _, reply = hear(provider)
        carry = (Carry(reply.carry, reply.model),) if reply.carry else ()
        hear(provider, _after(reply, *carry))
        assert server.bodies[1]["messages"][2].get("reasoning_content") == back


def test_every_message_has_reasoning_for_hosts_that_require_it() -> None:
    deepseek = replace(MODEL, provider="deepseek", name="deepseek-v4-pro")
    call = ToolCall("c-a", "x", "{}")
    thought = Carry('{"reasoning_content":"hm"}', deepseek.id)
    said = [Message("assistant", (Text("Hi"), call)), Message("assistant", (thought, Text("So.")))]
    words = Message("user", (Text("go"),))
    talk = (words, said[0], Message("user", (ToolResult("c-a", "ok"),)), said[1], words)
    with wire.WireServer([wire.Reply("ok")]) as server:
        provider = speak("chat", server.url, model=deepseek, echo_reasoning=True, needs_reasoning=True)
        assert hear(provider, replace(HELLO, messages=talk))[1].text == "ok"
        sent = [
            message["reasoning_content"] for message in server.bodies[0]["messages"] if "reasoning_content" in message
        ]
    assert sent == ["(not told)", "hm"]


def test_reasoning_details_of_a_gateway_are_sent_back_unchanged() -> None:
    def piece(**detail: Any) -> Any:
        return delta(reasoning_details=[{"type": "reasoning.text", "index": 0, "format": "f", **detail}])

    sealed = {"type": "reasoning.encrypted", "index": 1, "data": "c2Vh", "id": "r1"}
    first = sse(
        piece(text="let "),
        piece(text="me "),
        piece(text="see", signature=None),
        piece(text="", signature="sig"),
        piece(text="and"),
        delta(reasoning_details=[sealed]),
        delta(reasoning_details=[sealed]),
        delta(content="Hi"),
        STOP,
    )
    with wire.WireServer([first, wire.Reply("ok")]) as server:
        provider = speak("chat", server.url, billed=True)
        _, reply = hear(provider)
        hear(provider, _after(reply, Carry(reply.carry, reply.model)))
        back = server.bodies[1]["messages"][2]
    thought = {"type": "reasoning.text", "index": 0, "format": "f"}
    whole = {**thought, "text": "let me see", "signature": "sig"}
    assert back["reasoning_details"] == [whole, {**thought, "text": "and"}, sealed, sealed]
    assert "reasoning_content" not in back


@pytest.mark.parametrize("phases", [("commentary", None), ("commentary", "final_answer")])
def test_the_phase_of_a_message_is_sent_back_with_it(phases: tuple[str, str | None]) -> None:
    def message(text: str, phase: str | None) -> dict[str, Any]:
        said = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}
        return said | ({"phase": phase} if phase else {})

    made = {"type": "function_call", "call_id": "c-a", "name": "x", "arguments": "{}"}
    items = [message("I look.", phases[0]), made, message("Done.", phases[1])]
    done = {"status": "completed", "output": items, "usage": None}
    events = [{"type": "response.output_item.done", "item": item} for item in items]
    first = sse(*events, {"type": "response.completed", "response": done})
    with wire.WireServer([first, wire.Reply("ok")]) as server:
        provider = speak("responses", server.url)
        _, reply = hear(provider)
        hear(provider, _after(reply, Carry(reply.carry, reply.model)))
        back = [item.get("phase") for item in server.bodies[1]["input"] if item.get("role") == "assistant"]
    assert back == list(phases)


def test_extra_fields_of_a_call_are_sent_back_with_it() -> None:
    signed = {"google": {"thought_signature": "c2lnbmVk"}}
    first = sse(
        delta(
            tool_calls=[
                {"index": 0, "id": "c-a", "function": {"name": "x", "arguments": "{}"}, "extra_content": signed}
            ]
        ),
        STOP,
    )
    with wire.WireServer([first, wire.Reply("ok")]) as server:
        provider = speak("chat", server.url)
        _, reply = hear(provider)
        hear(provider, _after(reply, Carry(reply.carry, reply.model)))
        assert server.bodies[1]["messages"][2]["tool_calls"] == [
            {"id": "c-a", "type": "function", "function": {"name": "x", "arguments": "{}"}, "extra_content": signed}
        ]


def _after(reply: Reply, *carry: Carry) -> Request:
    """The request that follows a reply and the results of its calls."""
    said = Message("assistant", (*carry, Text(reply.text), *reply.calls))
    results = Message("user", (*(ToolResult(call.id, "ok") for call in reply.calls), Text("go on")))
    return replace(HELLO, messages=(*HELLO.messages, said, results))


@pytest.mark.parametrize(
    ("words", "gone", "instead"),
    [
        ("Unrecognized request argument supplied: stream_options", "stream_options", None),
        (
            "Unsupported parameter: 'max_tokens' is not supported, use 'max_completion_tokens'",
            "max_tokens",
            "max_completion_tokens",
        ),
    ],
)
def test_a_refused_request_field_is_left_out_from_then_on(words: str, gone: str, instead: str | None) -> None:
    with wire.WireServer([wire.Answer(400, wire.failure(words)), wire.Reply("a"), wire.Reply("b")]) as server:
        provider = speak("chat", server.url)
        assert [hear(provider)[1].text for _ in range(2)] == ["a", "b"]
        assert [gone in body for body in server.bodies] == [True, False, False]
        assert instead is None or server.bodies[2][instead] == 1000


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
