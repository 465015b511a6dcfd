"""Dialects of compatible servers: calls, usage, stop reasons and reasoning in forms of their own."""

import json
from dataclasses import replace
from typing import Any

import pytest

from ctxe.domain.conversation import Reply, ToolCall, ToolResult, Usage
from ctxe.domain.model import CallDelta, Carry, Message, ReasoningDelta, Request, Text, TextDelta
from tests.contract.messages import delta
from tests.wire import server as wire
from tests.wire.adapters import HELLO, MODEL, hear, speak, waits


def sse(*chunks: Any) -> wire.Answer:
    frames = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]
    return wire.Answer(200, "".join(f"data: {frame}\n\n" for frame in frames), {"content-type": "text/event-stream"})


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
